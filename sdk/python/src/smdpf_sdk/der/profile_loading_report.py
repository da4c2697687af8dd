"""ProfileLoadingReport (FF63)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from . import module
from .identifiers import encode_eid, id16


@dataclass(frozen=True)
class EuiccResult:
    """What the eUICC signed, as it came: ProfileInstallationResult (BF37)."""

    result: bytes
    at: datetime | None = None


@dataclass(frozen=True)
class OtherSigned:
    """OtherSignedNotification, such as a deletion for return to stock."""

    result: bytes
    at: datetime | None = None


@dataclass(frozen=True)
class FpaError:
    """The FPA's word where there is no signed result; it proves nothing."""

    transaction_id: bytes
    eid: str
    cause: str
    """unreachable, damaged, fpaFailure, badStatusWord, noResult, notAttempted or other."""
    status_word: bytes | None = None
    detail: str | None = None
    at: datetime | None = None


ReportItem = EuiccResult | OtherSigned | FpaError


def encode_profile_loading_report(report_id: bytes, items: Iterable[ReportItem]) -> bytes:
    value = {"version": 1, "reportId": id16(report_id), "items": [_item(item) for item in items]}
    return module.encode(module.ProfileLoadingReport, value)


def _item(item: ReportItem) -> module.ReportItem:
    if isinstance(item, FpaError):
        value = {
            "transactionId": item.transaction_id,
            "eid": encode_eid(item.eid),
            "cause": item.cause,
            "statusWord": item.status_word,
            "detail": item.detail,
            "at": _time(item.at),
        }
        name = "fpaError"
    else:
        value = {"result": item.result, "at": _time(item.at)}
        name = "euiccResult" if isinstance(item, EuiccResult) else "otherSigned"
    return module.ReportItem(name, {key: member for key, member in value.items() if member is not None})


def _time(at: datetime | None) -> datetime | None:
    """Whole seconds in UTC."""
    return None if at is None else at.astimezone(UTC).replace(microsecond=0)
