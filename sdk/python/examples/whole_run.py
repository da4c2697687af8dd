"""Order, register, request, report: the whole of IFPP with the SDK, against `smdpf serve --sandbox p256`.

The README says how to start it. Cards and the line are simulated by `smdpf sim`, in place of an EUM's production and a
factory.
"""

import base64
import json
import secrets
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from smdpf_sdk import (
    Bound,
    DeviceManufacturer,
    EuiccDataBatch,
    EuiccEntry,
    Eum,
    Operator,
    Refused,
    RequestItem,
    decode_euicc_data_batch,
    encode_bpp_request,
    encode_euicc_data_batch,
    prove_one_time_key,
    public_point,
    software_signer,
)
from smdpf_sdk.client.api.esbpp import esbpp_request_bpp
from smdpf_sdk.client.models import (
    Eligibility,
    Metadata,
    OutputKey,
    PersonalisationKeys,
    PersonalisationRules,
    ProfileClass,
    RequestBppRequest,
)
from smdpf_sdk.der import EuiccResult

url, tls, production, template, smdpf = sys.argv[1:6]
tls, production, work = Path(tls), Path(production), Path(tempfile.mkdtemp(prefix="smdpf-sdk-"))
warnings = []


def options(role: str, identifier: str) -> dict:
    name = f"client-{role}-{identifier}"
    return {
        "url": url,
        "identifier": identifier,
        "ca": tls / "ca.cert.pem",
        "cert": tls / f"{name}.cert.pem",
        "key": tls / f"{name}.key.pem",
        "on_warning": lambda warning, _: warnings.append(warning.code),
    }


operator = Operator(**options("operator", "2.999.60"))
eum = Eum(**options("eum", "2.999.40"))
maker = DeviceManufacturer(**options("deviceMaker", "2.999.50"))

# 1. The EUM: proofs of the one-time keys by each eUICC, and the batch. The keys are those of the simulated cards.
cards = [json.loads(card.read_text()) for card in sorted((production / "cards").glob("*.json"))]
simulated = decode_euicc_data_batch((production / "euicc-data.der").read_bytes())


def key_of(pem: str) -> ec.EllipticCurvePrivateKey:
    return load_pem_private_key(pem.encode(), None)


def entry_of(card: dict) -> EuiccEntry:
    euicc = software_signer(key_of(card["keyPem"]))
    keys = [
        prove_one_time_key(
            card["eid"], bytes.fromhex(key["keyId"]), public_point(key_of(key["pem"])), simulated.euicc_info2, euicc
        )
        for key in card["oneTimeKeys"]
    ]
    return EuiccEntry(card["eid"], bytes.fromhex(card["euiccCert"]), keys)


batch = encode_euicc_data_batch(
    EuiccDataBatch(
        batch_id=secrets.token_bytes(8),
        ci_pk_id=simulated.ci_pk_id,
        curve=simulated.curve,
        eum_chain=simulated.eum_chain,
        euicc_info2=simulated.euicc_info2,
        entries=[entry_of(card) for card in cards],
        device_manufacturers=["2.999.50"],
    )
)
registered = eum.register(batch)
assert (registered.accepted, registered.rejected_count) == (len(cards), 0), registered
assert eum.register(batch).accepted == len(cards), "a repeat is answered alike"

# 2. The Operator orders a profile for each card. The second manufacturer is not registered, which is a warning.
# Generated secrets come encrypted to the output key (getOrderOutput); a real Operator keeps the private part.
numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
x, y = (base64.urlsafe_b64encode(part.to_bytes(32)).rstrip(b"=").decode() for part in (numbers.x, numbers.y))
order_id = f"ORD-{secrets.token_hex(8)}"
number = f"{secrets.randbelow(1_000_000):06}"
order = {
    "order_id": order_id,
    "profile_type": "example",
    "quantity": len(cards),
    "requester_dms": ["2.999.50", "2.999.59"],
    "personalisation": PersonalisationRules(
        iccid_start=f"898877002{number}000", imsi_start=f"001011{number}000", keys=PersonalisationKeys.GENERATE
    ),
    "eligibility": Eligibility(),
    "metadata": Metadata("Operator", "Profile", profile_class=ProfileClass.OPERATIONAL),
    "output_key": OutputKey.from_dict({"kty": "EC", "crv": "P-256", "x": x, "y": y}),
}
template_octets = Path(template).read_bytes()
ordered = operator.order(template_octets, **order)
assert "partyUnknown" in warnings, "the warning is told"
assert operator.order(template_octets, **order).iccids == ordered.iccids, "a repeat is answered alike"

# 3. The device manufacturer asks for a BPP for each EID, as often as it likes.
request_id = secrets.token_bytes(8)
items = [RequestItem(i + 1, card["eid"]) for i, card in enumerate(cards)]
bpps = maker.request(request_id, order_id, items)
assert all(isinstance(item.outcome, Bound) for item in bpps.items), bpps
request = base64.b64encode(encode_bpp_request(request_id, order_id, items)).decode()
again = maker.call(esbpp_request_bpp, RequestBppRequest, bpp_request=request)
try:
    maker.request(request_id, "ORD-of-nobody", items)
    raise SystemExit("another content under the same requestId is refused")
except Refused as refused:
    assert refused.reason_code == "3.11", refused

# 4. The line, with no network; `smdpf sim factory` stands for it. Its journal has what each eUICC signed.
(work / "batch.der").write_bytes(base64.b64decode(again.bpp_batch))
files = ["--batch", work / "batch.der", "--cards", production / "cards", "--journal", work / "line.jsonl"]
subprocess.run(["node", smdpf, "sim", "factory", "load", *files, "--report", work / "unused.der"], check=True)
lines = [json.loads(line) for line in (work / "line.jsonl").read_text().splitlines()]
results = [EuiccResult(bytes.fromhex(line["result"]), datetime.fromisoformat(line["at"])) for line in lines]

# 5. The report, and what the Operator sees.
reported = maker.report(secrets.token_bytes(8), results)
assert reported.verified == len(cards), reported
assert operator.status(order_id).counts.additional_properties == {"Installed": len(cards)}
print(f"Python SDK: {len(cards)} profiles ordered, bound, loaded and reported")
