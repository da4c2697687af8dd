"""A callback receiver on Python's ssl and PyJWT: client certificate and JWS as docs/pre-sgp42.md has them."""

import base64
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import jwt

URL, TLS, ORDER, TEMPLATE = sys.argv[1:5]
# profiles of an order whose callbacks have a call each, and of one whose callbacks go together
SINGLE, SEVERAL = 2, 5

context = ssl.create_default_context(cafile=f"{TLS}/ca.cert.pem")
context.load_cert_chain(f"{TLS}/client-operator-2.999.60.cert.pem", f"{TLS}/client-operator-2.999.60.key.pem")
operator = httpx.Client(base_url=URL, verify=context, headers={"X-Admin-Protocol": "ifpp-draft/v1.0.0"})


def call(function: str, **members):
    header = {"functionRequesterIdentifier": "2.999.60", "functionCallIdentifier": f"CB-{function}"}
    answer = operator.post(f"/ifpp-draft1/es2f/{function}", json={"header": header, **members}, timeout=60).json()
    status = answer["header"]["functionExecutionStatus"]["status"]
    assert status.startswith("Executed"), answer
    return answer


DELIVERY_KEYS = {key["kid"]: jwt.PyJWK(key, "ES256") for key in call("getServerKeys")["deliveryKeys"]}


def verify(signature: str, body: bytes, url: str) -> dict:
    """The protected header of a callback whose signature holds; an exception where anything does not."""
    protected, nothing, value = signature.split(".")
    assert nothing == ""
    header = jwt.get_unverified_header(f"{protected}.e30.{value}")
    assert header["typ"] == "smdpf-callback+jws", header
    kid = jwt.get_unverified_header(header["endorsement"])["kid"]
    endorsed = jwt.api_jws.decode_complete(header["endorsement"], DELIVERY_KEYS[kid], algorithms=["ES256"])
    assert endorsed["header"]["typ"] == "smdpf-callback-key+jws", endorsed["header"]
    claims = json.loads(endorsed["payload"])
    assert claims["jwk"]["kid"] == header["kid"]
    payload = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    key = jwt.PyJWK(claims["jwk"], "ES256")
    jwt.api_jws.decode_complete(f"{protected}.{payload}.{value}", key, algorithms=["ES256"])
    assert header["aud"] == url, header["aud"]
    assert claims["nbf"] <= header["iat"] < claims["exp"]
    return header


calls: list[tuple[str, bytes]] = []
taken: dict[str, dict] = {}
refused: set[str] = set()


def take_several(notices: list[dict]) -> bytes:
    """The answer to a call with several notices: the first one that comes is to come again, all others are taken."""
    names = {notice["header"]["functionCallIdentifier"]: notice for notice in notices}
    again = [name for name in names if not refused][:1]
    refused.update(again)
    taken.update((name, notice) for name, notice in names.items() if name not in again)
    return json.dumps({"refused": again}).encode()


trouble: list[BaseException] = []
done = threading.Event()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signature = self.headers["X-JWS-Signature"]
            subject = dict(pair for part in self.connection.getpeercert()["subject"] for pair in part)
            assert subject["commonName"] == "smdpf.example.com", subject
            header = verify(signature, body, receiver_url)
            for bad_body, bad_url in ((body + b" ", receiver_url), (body, receiver_url + "/")):
                try:
                    verify(signature, bad_body, bad_url)
                except (AssertionError, jwt.InvalidSignatureError):
                    continue
                raise AssertionError("a changed callback was taken")
            calls.append((signature, body))
            # the first one is to come again
            status = 503 if len(calls) == 1 else 200
            told, answer = json.loads(body), b""
            if "notifications" in told:
                assert told["header"]["functionCallIdentifier"] == header["jti"]
                answer = take_several(told["notifications"])
            elif status == 200:
                taken[header["jti"]] = told
        except BaseException as error:
            trouble.append(error)
            status, answer = 400, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        if len(taken) in (SINGLE, SINGLE + SEVERAL) or trouble:
            done.set()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{TLS}/server.cert.pem", f"{TLS}/server.key.pem")
tls.load_verify_locations(f"{TLS}/ca.cert.pem")
tls.verify_mode = ssl.CERT_REQUIRED
server.socket = tls.wrap_socket(server.socket, server_side=True)
receiver_url = f"https://127.0.0.1:{server.server_port}/callbacks"
threading.Thread(target=server.serve_forever, daemon=True).start()

def order_and_close(order_id: str, quantity: int, iccids: str, **more):
    """Every profile of an order that is closed is told of."""
    call(
        "prepareProfiles",
        orderId=order_id,
        profileType="interface",
        quantity=quantity,
        requesterDms=["2.999.50"],
        template=base64.b64encode(Path(TEMPLATE).read_bytes()).decode(),
        personalisation={"iccidStart": iccids, "keys": "template"},
        eligibility={},
        metadata={"serviceProviderName": "Operator", "profileName": "Profile", "profileClass": "test"},
        callbackUrl=receiver_url,
        callbackCa=Path(f"{TLS}/ca.cert.pem").read_text(),
        **more,
    )
    done.clear()
    call("closeOrder", orderId=order_id)
    assert done.wait(30), f"{len(taken)} callbacks came"
    if trouble:
        raise trouble[0]
    # an answer is here before the server has written that it had it
    until = time.monotonic() + 30
    while (status := call("getOrderStatus", orderId=order_id)["callbacks"])["waiting"] and time.monotonic() < until:
        time.sleep(0.1)
    assert status == {"waiting": 0, "delayed": 0, "parked": 0}, status


order_and_close(ORDER, SINGLE, "898877000000000900")
assert calls.count(calls[0]) == 2, "the one that was not taken came again, octet by octet the same"
order_and_close(f"{ORDER}-several", SEVERAL, "898877000000000950", callbackBatch=10)
assert len(taken) == SINGLE + SEVERAL
assert {body["profileState"] for body in taken.values()} == {"Closed"}
assert all(name == body["header"]["functionCallIdentifier"] for name, body in taken.items())
(again,) = refused
assert [again] == [notice["header"]["functionCallIdentifier"] for notice in json.loads(calls[-1][1])["notifications"]]
print(f"a receiver on Python and PyJWT took {len(taken)} callbacks, and one of them twice; {SEVERAL} came together")
