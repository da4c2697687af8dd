"""BppRequest (FF61), BppBatch (FF62), BatchManifest (FF65) with its parts, ManifestRoot (FF67) with its pages (FF68), and LoadPackage (FF66)."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asn1crypto import parser
from cryptography.hazmat.primitives.asymmetric import ec

from . import module
from .identifiers import decode_iccid, encode_eid, encode_iccid, id16
from .signing import verify


@dataclass(frozen=True)
class RequestItem:
    item_id: int
    """Unique in the request."""
    eid: str
    key_id: bytes | None = None
    """None: the server takes a free key."""
    iccid: str | None = None
    """This very profile of the order."""
    additional: bool | None = None
    """A further profile of the order for an EID that has one."""


@dataclass(frozen=True)
class Chain:
    ci_pk_id: bytes
    certificates: Sequence[bytes]
    """CERT.DPpb first, root omitted."""


@dataclass(frozen=True)
class Bound:
    transaction_id: bytes
    key_id: bytes
    iccid: str
    chain: int
    """Index into the chains."""
    bpp: bytes
    """BoundProfilePackage (BF36)."""


@dataclass(frozen=True)
class FailedItem:
    subject_code: str
    reason_code: str
    message: str | None


@dataclass(frozen=True)
class BppItem:
    item_id: int
    eid: str
    outcome: Bound | FailedItem


@dataclass(frozen=True)
class BppBatch:
    request_id: bytes
    chains: Sequence[Chain]
    items: Sequence[BppItem]


@dataclass(frozen=True)
class Part:
    name: str
    """Opaque, for getTransfer; its slashes are no folders."""
    size: int
    sha256: bytes


@dataclass(frozen=True)
class BatchManifest:
    request_id: bytes
    chains: Sequence[Chain]
    parts: Sequence[Part]
    signature: bytes
    signed: bytes
    """The encoded fields 0 to 3, over which the signature is."""


@dataclass(frozen=True)
class ManifestRoot:
    """Stands for the manifest of an answer that is too large for one; its pages are the leaves of a hash tree."""

    request_id: bytes
    chains: Sequence[Chain]
    items: int
    parts: int
    """Parts of all pages together."""
    pages: int
    root: bytes
    signature: bytes
    signed: bytes
    """The encoded fields 0 to 6, over which the signature is."""


def encode_bpp_request(
    request_id: bytes, order_id: str, items: Iterable[RequestItem], euicc_data: bytes | None = None
) -> bytes:
    """BppRequest (FF61); euicc_data is the EUM's batch (FF60) as it came, on path B."""
    value = {
        "version": 1,
        "requestId": id16(request_id),
        "orderId": order_id,
        "euiccData": euicc_data,
        "items": [_request_item(item) for item in items],
    }
    return module.encode(module.BppRequest, value)


def _request_item(item: RequestItem) -> dict:
    value = {
        "itemId": item.item_id,
        "eid": encode_eid(item.eid),
        "keyId": item.key_id,
        "iccid": None if item.iccid is None else encode_iccid(item.iccid),
        "additional": item.additional,
    }
    return {name: member for name, member in value.items() if member is not None}


def decode_bpp_batch(der: bytes) -> BppBatch:
    batch = module.decode(module.BppBatch, der)
    items = [_item(item) for item in batch["items"]]
    return BppBatch(batch["requestId"].native, _chains(batch["chains"]), items)


def decode_batch_manifest(der: bytes) -> BatchManifest:
    """Hold its signature against the delivery keys before its parts are used."""
    manifest = module.decode(module.BatchManifest, der)
    parts = _parts(manifest["parts"])
    signed = b"".join(manifest[name].dump() for name in ("version", "requestId", "chains", "parts"))
    return BatchManifest(
        manifest["requestId"].native, _chains(manifest["chains"]), parts, manifest["signature"].native, signed
    )


def decode_manifest_root(der: bytes) -> ManifestRoot:
    """Hold its signature against the delivery keys before its pages are used."""
    root = module.decode(module.ManifestRoot, der)
    names = ("version", "requestId", "chains", "items", "parts", "pages", "root")
    return ManifestRoot(
        root["requestId"].native,
        _chains(root["chains"]),
        *(root[name].native for name in ("items", "parts", "pages", "root", "signature")),
        b"".join(root[name].dump() for name in names),
    )


def read_manifest_page(root: ManifestRoot, page: int, parts_before: int, der: bytes) -> list[Part]:
    """The parts of a page (FF68); ValueError unless it is the one at this place under the root."""
    read = module.decode(module.ManifestPage, der)
    content = b"".join(read[name].dump() for name in ("version", "requestId", "page", "firstPart", "parts"))
    if _climb(_sha256(b"\0", content), page, root.pages, read["proof"].native) != root.root:
        raise ValueError(f"page {page} is not under the root of the manifest")
    says = (read["requestId"].native, read["page"].native, read["firstPart"].native)
    if says != (root.request_id, page, parts_before):
        raise ValueError(f"page {page} says that it is another one")
    return _parts(read["parts"])


def _climb(leaf: bytes, place: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root above a leaf (RFC 9162 section 2.1): whoever has no neighbour on the right goes up as it is."""
    beside = list(proof)
    node, at, width = leaf, place, size
    while width > 1:
        if at % 2 == 1 or at != width - 1:
            if not beside:
                return None
            other = beside.pop(0)
            node = _sha256(b"\1", other, node) if at % 2 == 1 else _sha256(b"\1", node, other)
        at, width = at // 2, (width + 1) // 2
    return None if beside else node


def _sha256(*octets: bytes) -> bytes:
    return hashlib.sha256(b"".join(octets)).digest()


def _parts(parts: module.Parts) -> list[Part]:
    return [Part(part["name"].native, part["size"].native, part["sha256"].native) for part in parts]


def verify_manifest(manifest: BatchManifest | ManifestRoot, keys: Iterable[ec.EllipticCurvePublicKey]) -> bool:
    """Whether one of the delivery keys of getServerKeys, the one in use first, has signed it."""
    return any(verify(key, manifest.signed, manifest.signature) for key in keys)


def read_part_items(part: Part, octets: bytes) -> list[BppItem]:
    """The items of a part, which must have the size and SHA-256 of the manifest."""
    if len(octets) != part.size or hashlib.sha256(octets).digest() != part.sha256:
        raise ValueError(f"part {part.name} is not the one of the manifest")
    # a part has no list around its items
    series = parser.emit(class_=0, method=1, tag=16, contents=octets)
    return [_item(item) for item in module.BppItems.load(series, strict=True)]


def _chains(chains: module.Chains) -> list[Chain]:
    return [Chain(chain["ciPkId"].native, chain["certificates"].native) for chain in chains]


def _item(item: module.BppItem) -> BppItem:
    chosen = item["outcome"].chosen
    outcome = _bound(chosen) if item["outcome"].name == "bound" else FailedItem(*chosen.native.values())
    return BppItem(item["itemId"].native, item["eid"].native.hex(), outcome)


def _bound(bound: module.Bound) -> Bound:
    return Bound(
        bound["transactionId"].native,
        bound["keyId"].native,
        decode_iccid(bound["iccid"].native),
        bound["chain"].native,
        bound["bpp"].native,
    )


def encode_load_package(bound: Bound, chain: Chain) -> bytes:
    """LoadPackage (FF66): what the FPA hands the eUICC before the segments of the BPP."""
    of = {"ciPkId": chain.ci_pk_id, "certificates": list(chain.certificates)}
    value = {"transactionId": bound.transaction_id, "keyId": bound.key_id, "chain": of}
    return module.encode(module.LoadPackage, value)
