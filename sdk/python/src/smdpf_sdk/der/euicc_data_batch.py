"""EuiccDataBatch (FF60) and the proofs of its one-time keys (FF64)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import module
from .identifiers import encode_eid, id16
from .signing import Signer, sig64


@dataclass(frozen=True)
class OneTimeKey:
    key_id: bytes
    """1 to 16 octets; names one key of the eUICC for ever."""
    ot_pk: bytes
    """On a curve alone 65 octets, 04 ‖ X ‖ Y."""
    proof: bytes
    """Sig64 of the eUICC over OneTimeKeyTbs: see prove_one_time_key."""


@dataclass(frozen=True)
class EuiccEntry:
    eid: str
    euicc_cert: bytes
    """CERT.EUICC.ECDSA in DER."""
    one_time_keys: Sequence[OneTimeKey]
    euicc_info2: bytes | None = None
    """EuiccInfo2 (BF22) of this eUICC, where it differs from that of the batch."""


@dataclass(frozen=True)
class EuiccDataBatch:
    batch_id: bytes
    """1 to 16 octets."""
    ci_pk_id: bytes
    """SubjectKeyIdentifier of the CI, 20 octets."""
    curve: str
    """OID of the suite, such as 1.2.840.10045.3.1.7 for p256."""
    eum_chain: Sequence[bytes]
    """Issuer of the eUICCs first, root omitted."""
    euicc_info2: bytes
    entries: Sequence[EuiccEntry]
    device_manufacturers: Sequence[str] | None = None
    """functionRequesterIdentifiers; needed on path A."""
    eum_data_signature: bytes | None = field(default=None, compare=False)
    """Of a batch that was read."""


def encode_one_time_key_tbs(eid: str, key_id: bytes, ot_pk: bytes, euicc_info2: bytes) -> bytes:
    """OneTimeKeyTbs (FF64), whole: what SK.EUICC signs. euicc_info2 is the whole BF22 that counts for the entry."""
    return module.encode(
        module.OneTimeKeyTbs,
        {
            "eid": encode_eid(eid),
            "keyId": id16(key_id),
            "otPk": ot_pk,
            "euiccInfo2Hash": hashlib.sha256(euicc_info2).digest(),
        },
    )


def prove_one_time_key(eid: str, key_id: bytes, ot_pk: bytes, euicc_info2: bytes, euicc: Signer) -> OneTimeKey:
    return OneTimeKey(key_id, ot_pk, sig64(euicc, encode_one_time_key_tbs(eid, key_id, ot_pk, euicc_info2)))


def encode_euicc_data_batch(batch: EuiccDataBatch, data_key: Signer | None = None) -> bytes:
    """EuiccDataBatch (FF60). data_key, the EUM's registered data key, signs the encoded fields 0 to 7."""
    value = {
        "version": 1,
        "batchId": id16(batch.batch_id),
        "ciPkId": batch.ci_pk_id,
        "curve": batch.curve,
        "eumChain": list(batch.eum_chain),
        "euiccInfo2": batch.euicc_info2,
        "entries": [_entry(entry) for entry in batch.entries],
    }
    if batch.device_manufacturers is not None:
        value["deviceManufacturers"] = list(batch.device_manufacturers)
    if data_key is not None:
        unsigned = module.decode(module.EuiccDataBatch, module.encode(module.EuiccDataBatch, value))
        value["eumDataSignature"] = sig64(data_key, unsigned.contents)
    return module.encode(module.EuiccDataBatch, value)


def _entry(entry: EuiccEntry) -> dict:
    keys = [{"keyId": id16(key.key_id), "otPk": key.ot_pk, "proof": key.proof} for key in entry.one_time_keys]
    value = {"eid": encode_eid(entry.eid), "euiccCert": entry.euicc_cert, "oneTimeKeys": keys}
    return value if entry.euicc_info2 is None else {**value, "euiccInfo2": entry.euicc_info2}


def decode_euicc_data_batch(der: bytes) -> EuiccDataBatch:
    """Reads an EuiccDataBatch (FF60); signatures and certificates are not looked at."""
    batch = module.decode(module.EuiccDataBatch, der)
    return EuiccDataBatch(
        batch["batchId"].native,
        batch["ciPkId"].native,
        batch["curve"].dotted,
        batch["eumChain"].native,
        batch["euiccInfo2"].native,
        [_read_entry(entry) for entry in batch["entries"]],
        batch["deviceManufacturers"].native,
        batch["eumDataSignature"].native,
    )


def _read_entry(entry: module.EuiccEntry) -> EuiccEntry:
    keys = [OneTimeKey(key["keyId"].native, key["otPk"].native, key["proof"].native) for key in entry["oneTimeKeys"]]
    return EuiccEntry(entry["eid"].native.hex(), entry["euiccCert"].native, keys, entry["euiccInfo2"].native)
