"""What an Operator, an EUM and a device manufacturer do at the SM-DPf."""

import base64
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from .client.api.es2_f import es_2_f_get_order_status, es_2_f_prepare_profiles
from .client.api.esbpp import (
    esbpp_get_bpp_batch,
    esbpp_get_server_keys,
    esbpp_get_transfer,
    esbpp_open_transfer,
    esbpp_request_bpp,
    esbpp_send_profile_loading_report,
)
from .client.api.esed_1 import esed_1_open_transfer, esed_1_register_euicc_data
from .client.models import (
    BppAnswer,
    DeliveryKey,
    GetBppBatchRequest,
    GetDeliveryKeysRequest,
    GetOrderStatusAnswer,
    GetOrderStatusRequest,
    JobState,
    PrepareProfilesAnswer,
    PrepareProfilesRequest,
    RegisterEuiccDataAnswer,
    RegisterEuiccDataRequest,
    RequestBppRequest,
    SendProfileLoadingReportAnswer,
    SendProfileLoadingReportRequest,
    TransferPurpose,
)
from .der import (
    BatchManifest,
    BppBatch,
    BppItem,
    ManifestRoot,
    Part,
    ReportItem,
    RequestItem,
    decode_batch_manifest,
    decode_bpp_batch,
    decode_manifest_root,
    encode_bpp_request,
    encode_profile_loading_report,
    read_manifest_page,
    read_part_items,
    verify_manifest,
)
from .party import Party

INLINE_LIMIT = 3_000_000
"""Octets of an object whose base64 stays inside a body of 4 MiB."""

ASKED_AGAIN_LIMIT = 262_144
"""Octets of an object that goes inline with each question how far the work on it is; a larger one is uploaded, once."""


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


class Operator(Party):
    """The Operator at ES2f."""

    def order(self, template: bytes, **order: Any) -> PrepareProfilesAnswer:
        """Orders profiles from a template (DER); the members are those of PrepareProfilesRequest."""
        return self.call(es_2_f_prepare_profiles, PrepareProfilesRequest, template=_base64(template), **order)

    def status(self, order_id: str, **page: Any) -> GetOrderStatusAnswer:
        """A page of the order's profiles; without `cursor` the first, with the counts of all."""
        return self.call(es_2_f_get_order_status, GetOrderStatusRequest, order_id=order_id, **page)


class Eum(Party):
    """The EUM at Esed1."""

    def register(self, batch: bytes) -> RegisterEuiccDataAnswer:
        """Registers a batch (FF60) and waits until every entry is accepted or refused."""
        if len(batch) <= ASKED_AGAIN_LIMIT:
            members = {"euicc_data_batch": _base64(batch)}
        else:
            members = {"transfer_id": self.upload(esed_1_open_transfer, TransferPurpose.EUICCDATA, batch)}
        return self.call_until_done(esed_1_register_euicc_data, RegisterEuiccDataRequest, **members)


class DeviceManufacturer(Party):
    """The device manufacturer at Esbpp."""

    def request(
        self, request_id: bytes, order_id: str, items: Iterable[RequestItem], euicc_data: bytes | None = None
    ) -> BppBatch:
        """Asks for BPPs and waits for all of them, inline or in parts. Refused items are among the items."""
        der = encode_bpp_request(request_id, order_id, items, euicc_data)
        if len(der) <= INLINE_LIMIT:
            members = {"bpp_request": _base64(der)}
        else:
            members = {"transfer_id": self.upload(esbpp_open_transfer, TransferPurpose.BPPREQUEST, der)}
        answer = self.call(esbpp_request_bpp, RequestBppRequest, **members)
        if answer.state != JobState.DONE:
            answer = self.call_until_done(esbpp_get_bpp_batch, GetBppBatchRequest, request_id=request_id.hex())
        return self.read(answer)

    def read(self, answer: BppAnswer) -> BppBatch:
        """The BPPs of an answer; parts are fetched, and held against their signed manifest."""
        if answer.bpp_batch:
            return decode_bpp_batch(base64.b64decode(answer.bpp_batch))
        if answer.manifest_root:
            return self._read_pages(answer)
        manifest = decode_batch_manifest(base64.b64decode(answer.manifest))
        self._require_signed(manifest)
        items = self._read_parts(answer.request_id, manifest.parts)
        return BppBatch(manifest.request_id, manifest.chains, items)

    def _read_pages(self, answer: BppAnswer) -> BppBatch:
        """Of an answer whose manifest has pages: each is proved to be under the signed root before its parts are used."""
        root = decode_manifest_root(base64.b64decode(answer.manifest_root))
        self._require_signed(root)
        items: list[BppItem] = []
        before = 0
        for page in range(root.pages):
            of = self.call_until_done(
                esbpp_get_bpp_batch, GetBppBatchRequest, request_id=answer.request_id, page=page
            )
            parts = read_manifest_page(root, page, before, base64.b64decode(of.manifest_page))
            items += self._read_parts(answer.request_id, parts)
            before += len(parts)
        if before != root.parts:
            raise ValueError("the pages do not have all parts of the manifest")
        return BppBatch(root.request_id, root.chains, items)

    def _require_signed(self, manifest: BatchManifest | ManifestRoot) -> None:
        keys = self.call(esbpp_get_server_keys, GetDeliveryKeysRequest).delivery_keys
        if not verify_manifest(manifest, [_public_key(key) for key in keys]):
            raise ValueError("no delivery key has signed the manifest")

    def _read_parts(self, request_id: str, parts: Iterable[Part]) -> list[BppItem]:
        items: list[BppItem] = []
        for part in parts:
            items += read_part_items(part, self.download(esbpp_get_transfer, request_id, part.name))
        return items

    def report(self, report_id: bytes, items: Iterable[ReportItem]) -> SendProfileLoadingReportAnswer:
        """Sends a report and waits until each result is verified, noted or refused."""
        der = encode_profile_loading_report(report_id, items)
        if len(der) <= ASKED_AGAIN_LIMIT:
            members = {"profile_loading_report": _base64(der)}
        else:
            members = {"transfer_id": self.upload(esbpp_open_transfer, TransferPurpose.PROFILELOADINGREPORT, der)}
        return self.call_until_done(esbpp_send_profile_loading_report, SendProfileLoadingReportRequest, **members)


def _public_key(key: DeliveryKey) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(base64.urlsafe_b64decode(part + "==")) for part in (key.x, key.y))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
