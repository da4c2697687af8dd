"""A party at its SM-DPf: mutual TLS, headers, refusals as exceptions, warnings told, repeats."""

import hashlib
import random
import ssl
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from .client import Client
from .client.models import Failed, JobState, RequestHeader, TransferPurpose, Warning_
from .client.types import Response

PATIENCE_SECONDS = 300
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 30.0
BUSY = (408, 429, 500, 502, 503, 504)
RATE_EXCEEDED = ("1.1", "6.4")


class Refused(Exception):
    """A call that the SM-DPf refused, by the codes of SGP.22; another attempt would be refused alike."""

    def __init__(self, function: str, failed: Failed):
        data = failed.header.function_execution_status.status_code_data
        self.subject_code = data.subject_code
        self.reason_code = data.reason_code
        self.message = data.message or ""
        super().__init__(f"{function}: {self.subject_code}/{self.reason_code} {self.message}".strip())


class Unavailable(Exception):
    """The server was busy or out of reach for longer than the party's patience. The call may be made again, later."""


class Party:
    """Calls functions by the generated modules, such as client.api.esbpp.esbpp_request_bpp.

    Every call may be repeated with the same content and is answered alike, so that what broke on its way is sent again
    by itself. Warnings of an answer go to on_warning, by default to print, and stay in the answer.
    """

    def __init__(
        self,
        url: str,
        identifier: str,
        cert: str | Path,
        key: str | Path,
        ca: str | Path | None = None,
        on_warning: Callable[[Warning_, str], None] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ):
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
        context.load_cert_chain(str(cert), str(key))
        self.client = Client(base_url=url, verify_ssl=context, timeout=httpx.Timeout(60))
        self._identifier = identifier
        self._on_warning = on_warning or (lambda warning, name: print(f"{name}: {warning.code}: {warning.message}"))
        self._patience = patience_seconds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.get_httpx_client().close()

    def call(self, function: ModuleType, request: type, **members: Any) -> Any:
        """Calls a function with the members of its request; `header` is added. Refused where it was not executed."""
        return self._call(function, request, members, self._deadline())[0]

    def call_until_done(self, function: ModuleType, request: type, **members: Any) -> Any:
        """The same call again, as long as its answer is Pending and as often as the server asks for it."""
        deadline = self._deadline()
        for attempt in range(1_000_000):
            answer, retry_after = self._call(function, request, members, deadline)
            if getattr(answer, "state", None) != JobState.PENDING:
                return answer
            _pause(attempt, retry_after, deadline, _name(function))

    def upload(self, open_transfer: ModuleType, purpose: TransferPurpose, content: bytes) -> str:
        """Uploads content by an openTransfer of the party's interface; gives the transferId."""
        from .client.models import OpenTransferRequest

        digest = hashlib.sha256(content).hexdigest()
        opened = self.call(open_transfer, OpenTransferRequest, purpose=purpose, size=len(content), sha256=digest)
        headers = dict(opened.headers.additional_properties)
        self._transfer("PUT", opened.upload_url, headers, content)
        return opened.transfer_id

    def download(self, get_transfer: ModuleType, request_id: str, name: str) -> bytes:
        """Downloads what a getTransfer of the party's interface names; its size and SHA-256 are checked."""
        from .client.models import GetTransferRequest

        of = self.call(get_transfer, GetTransferRequest, request_id=request_id, name=name)
        octets = self._transfer("GET", of.download_url, {}, None)
        if len(octets) != of.size or hashlib.sha256(octets).hexdigest() != of.sha256:
            raise ValueError(f"{name} came otherwise than announced")
        return octets

    def _transfer(self, method: str, url: str, headers: dict, content: bytes | None) -> bytes:
        client = self.client.get_httpx_client()
        send = lambda: client.request(method, url, headers=headers, content=content)  # noqa: E731
        answer = self._exchange(send, f"{method} of a transfer", self._deadline())
        if answer.status_code >= 300:
            raise httpx.HTTPStatusError(f"answered {answer.status_code}", request=answer.request, response=answer)
        return answer.content

    def _call(self, function: ModuleType, request: type, members: dict, deadline: float) -> tuple[Any, float | None]:
        name = _name(function)
        for attempt in range(1_000_000):
            body = request(header=RequestHeader(self._identifier, str(uuid.uuid4())), **members)
            send = lambda: function.sync_detailed(client=self.client, body=body)  # noqa: B023, E731
            answer: Response = self._exchange(send, name, deadline)
            if answer.parsed is None:
                raise httpx.HTTPError(f"{name} was answered {answer.status_code}")
            if not isinstance(answer.parsed, Failed):
                for warning in getattr(answer.parsed, "warnings", None) or []:
                    self._on_warning(warning, name)
                return answer.parsed, _retry_after(answer)
            refused = Refused(name, answer.parsed)
            if (refused.subject_code, refused.reason_code) != RATE_EXCEEDED:
                raise refused
            _pause(attempt, _retry_after(answer), deadline, name)

    def _exchange(self, send: Callable[[], Any], name: str, deadline: float) -> Any:
        """One exchange, sent again while the server is busy or out of reach."""
        for attempt in range(1_000_000):
            retry_after = None
            try:
                answer = send()
                if answer.status_code not in BUSY:
                    return answer
                retry_after = _retry_after(answer)
            except httpx.TransportError as error:
                # TLS that failed will fail again
                if "CERTIFICATE" in str(error) or time.monotonic() > deadline:
                    raise
            _pause(attempt, retry_after, deadline, name)

    def _deadline(self) -> float:
        return time.monotonic() + self._patience


def _name(function: ModuleType) -> str:
    return function.__name__.rsplit(".", 1)[-1]


def _retry_after(answer: Any) -> float | None:
    try:
        return float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return None


def _pause(attempt: int, retry_after: float | None, deadline: float, name: str) -> None:
    """As long as the server says; otherwise longer each time, with some chance in it so that many don't come at once."""
    backoff = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(attempt, 20)) * random.uniform(0.5, 1)
    wait = backoff if retry_after is None else retry_after
    if time.monotonic() + wait > deadline:
        raise Unavailable(f"{name}: busy or Pending for too long")
    time.sleep(wait)
