"""Hooks of schemathesis for the contract fuzz: who calls, what makes calls reach further than their form, and checks.

Bad input is refused inside HTTP 200 here, so the checks of schemathesis that look at the HTTP status for it do not fit;
`form` looks at what the answer says.
"""

import os
import random

import schemathesis

TLS = os.environ["SMDPF_TLS"]
PARTIES = {
    "operator": "2.999.60",
    "eum": "2.999.40",
    "deviceMaker": "2.999.50",
    "administrator": "2.999.80",
    "auditor": "2.999.70",
}
# refusals of a body's form; what is wrong inside of these members is refused by the same codes, and may be
FORM = {("1.3.1", "2.1"), ("1.3.1", "2.2")}
INSIDE = {
    "begin",
    "bppRequest",
    "crl",
    "cursor",
    "decision",
    "euiccDataBatch",
    "expectedEuiccs",
    "issuerChain",
    "pendingNotification",
    "profileLoadingReport",
    "rows",
    "template",
}


# what a schema that generators can read does not say: which members come together
TOGETHER = ("the body has exactly one of", "the body has at most one of")


def party_of(case) -> str:
    role = case.operation.definition.raw.get("x-role")
    return role if role in PARTIES else "deviceMaker"


def is_negative(case) -> bool:
    return case.meta is None or case.meta.generation.mode.is_negative


def body_is_negative(case) -> bool:
    """An unknown header beside a good body is no reason to refuse it."""
    if case.meta is None:
        return True
    return any(
        getattr(location, "value", location) == "body" and info.mode.is_negative
        for location, info in case.meta.components.items()
    )


@schemathesis.hook
def before_call(context, case, kwargs):
    role = party_of(case)
    if "ES9+" not in (case.operation.tags or []):
        name = f"{TLS}/client-{role}-{PARTIES[role]}"
        kwargs["cert"] = (f"{name}.cert.pem", f"{name}.key.pem")
    if is_negative(case) or not isinstance(case.body, dict):
        return
    # positive data come from a party that exists, and now and then name the order that exists
    header = case.body.get("header")
    if isinstance(header, dict):
        header["functionRequesterIdentifier"] = PARTIES[role]
    if "orderId" in case.body and random.random() < 0.5:
        case.body["orderId"] = "ORD-python"


@schemathesis.check
def form(context, response, case):
    """What the schema allows is not refused for its form; what it forbids is not executed."""
    if response.status_code != 200 or "json" not in response.headers["content-type"][0]:
        return
    status = response.json()["header"]["functionExecutionStatus"]
    executed = status["status"].startswith("Executed")
    if is_negative(case):
        assert not (executed and body_is_negative(case)), "executed what the schema forbids"
        return
    if executed:
        return
    data = status["statusCodeData"]
    if str(data.get("message")).startswith(TOGETHER):
        return
    if (data["subjectCode"], data["reasonCode"]) in FORM and isinstance(case.body, dict):
        assert INSIDE & case.body.keys(), f"refused what the schema allows: {data.get('message')}"
