"""A whole run with the client that openapi-python-client makes: order, register, request, load, report."""

import base64
import ssl
import subprocess
import sys
from pathlib import Path

from smdpf_client import Client
from smdpf_client.api.es2_f import es_2_f_get_order_status, es_2_f_prepare_profiles
from smdpf_client.api.esbpp import esbpp_request_bpp, esbpp_send_profile_loading_report
from smdpf_client.api.esed_1 import esed_1_register_euicc_data
from smdpf_client.models import (
    BppAnswer,
    Eligibility,
    Failed,
    GetOrderStatusAnswer,
    GetOrderStatusRequest,
    Metadata,
    OutputKey,
    PersonalisationKeys,
    PersonalisationRules,
    PrepareProfilesAnswer,
    PrepareProfilesRequest,
    ProfileClass,
    RegisterEuiccDataAnswer,
    RegisterEuiccDataRequest,
    RequestBppRequest,
    RequestHeader,
    SendProfileLoadingReportAnswer,
    SendProfileLoadingReportRequest,
)

URL, TLS, ORDER, PRODUCTION, TEMPLATE, WORK, SMDPF = sys.argv[1:8]

# the key of RFC 7517, appendix A.1: this run reads no output rows
OUTPUT_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}


def client(role: str, identifier: str) -> Client:
    context = ssl.create_default_context(cafile=f"{TLS}/ca.cert.pem")
    name = f"{TLS}/client-{role}-{identifier}"
    context.load_cert_chain(f"{name}.cert.pem", f"{name}.key.pem")
    return Client(base_url=URL, verify_ssl=context)


def header(identifier: str) -> RequestHeader:
    return RequestHeader(identifier, "PY-1")


def encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def expect(answer, kind):
    if isinstance(answer, Failed) or not isinstance(answer, kind):
        raise SystemExit(f"{kind.__name__} expected, not {answer}")
    return answer


def tlv(tag: str, value: bytes) -> bytes:
    length = len(value)
    if length >= 0x80:
        raise ValueError("this run has short elements only")
    return bytes.fromhex(tag) + bytes([length]) + value


cards = Path(PRODUCTION) / "cards"
eids = sorted(card.stem for card in cards.glob("*.json"))
operator, eum, maker = client("operator", "2.999.60"), client("eum", "2.999.40"), client("deviceMaker", "2.999.50")

order = expect(
    es_2_f_prepare_profiles.sync(
        client=operator,
        body=PrepareProfilesRequest(
            header=header("2.999.60"),
            order_id=ORDER,
            profile_type="interface",
            quantity=len(eids),
            requester_dms=["2.999.50"],
            template=encoded(Path(TEMPLATE).read_bytes()),
            personalisation=PersonalisationRules(
                iccid_start="898877000000000100", imsi_start="262010000000100", keys=PersonalisationKeys.GENERATE
            ),
            eligibility=Eligibility(),
            metadata=Metadata("Operator", "Profile", profile_class=ProfileClass.OPERATIONAL),
            output_key=OutputKey.from_dict(OUTPUT_KEY),
        ),
    ),
    PrepareProfilesAnswer,
)
assert len(order.iccids) == len(eids), order

batch = encoded((Path(PRODUCTION) / "euicc-data.der").read_bytes())
registered = expect(
    esed_1_register_euicc_data.sync(client=eum, body=RegisterEuiccDataRequest(header("2.999.40"), batch)),
    RegisterEuiccDataAnswer,
)
assert registered.accepted == len(eids) and registered.rejected_count == 0, registered

items = [tlv("30", tlv("80", bytes([i + 1])) + tlv("81", bytes.fromhex(eid))) for i, eid in enumerate(eids)]
content = tlv("80", b"\1") + tlv("81", b"\x0a\x01") + tlv("82", ORDER.encode()) + tlv("a4", b"".join(items))
answer = expect(
    esbpp_request_bpp.sync(
        client=maker, body=RequestBppRequest(header("2.999.50"), bpp_request=encoded(tlv("ff61", content)))
    ),
    BppAnswer,
)
assert answer.processed == len(eids) and answer.failed == [], answer
(Path(WORK) / "batch.der").write_bytes(base64.b64decode(answer.bpp_batch))

# the factory has no network: it loads what was fetched, and writes its report
load = ["--batch", f"{WORK}/batch.der", "--cards", str(cards), "--journal", f"{WORK}/line.jsonl"]
subprocess.run(["node", SMDPF, "sim", "factory", "load", *load, "--report", f"{WORK}/report.der"], check=True)

report = encoded((Path(WORK) / "report.der").read_bytes())
reported = expect(
    esbpp_send_profile_loading_report.sync(
        client=maker,
        body=SendProfileLoadingReportRequest(header("2.999.50"), profile_loading_report=report),
    ),
    SendProfileLoadingReportAnswer,
)
assert reported.verified == len(eids) and reported.rejected_count == 0, reported

status = expect(
    es_2_f_get_order_status.sync(client=operator, body=GetOrderStatusRequest(header("2.999.60"), ORDER)),
    GetOrderStatusAnswer,
)
assert status.counts.additional_properties == {"Installed": len(eids)}, status
print(f"Python: {len(eids)} profiles ordered, bound, loaded and reported")
