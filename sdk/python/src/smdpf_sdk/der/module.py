"""ifpp-draft1.asn, type by type, as asn1crypto has it. Every component tag is written out; IMPLICIT environment."""

from asn1crypto import core


def octets(tag: int, optional: bool = False) -> tuple:
    return core.OctetString, {"implicit": tag, "optional": optional}


class DerTlvs(core.SequenceOf):
    _child_spec = core.OctetString


class Texts(core.SequenceOf):
    _child_spec = core.UTF8String


class OneTimeKey(core.Sequence):
    _fields = [("keyId", *octets(0)), ("otPk", *octets(1)), ("proof", *octets(2))]


class OneTimeKeys(core.SequenceOf):
    _child_spec = OneTimeKey


class EuiccEntry(core.Sequence):
    _fields = [
        ("eid", *octets(0)),
        ("euiccCert", *octets(1)),
        ("oneTimeKeys", OneTimeKeys, {"implicit": 2}),
        ("euiccInfo2", *octets(3, optional=True)),
    ]


class EuiccEntries(core.SequenceOf):
    _child_spec = EuiccEntry


class EuiccDataBatch(core.Sequence):
    """FF60"""

    tagging = ("private", 96)
    _fields = [
        ("version", core.Integer, {"implicit": 0}),
        ("batchId", *octets(1)),
        ("ciPkId", *octets(2)),
        ("curve", core.ObjectIdentifier, {"implicit": 3}),
        ("eumChain", DerTlvs, {"implicit": 4}),
        ("euiccInfo2", *octets(5)),
        ("entries", EuiccEntries, {"implicit": 6}),
        ("deviceManufacturers", Texts, {"implicit": 7, "optional": True}),
        ("eumDataSignature", *octets(8, optional=True)),
    ]


class OneTimeKeyTbs(core.Sequence):
    """FF64"""

    tagging = ("private", 100)
    _fields = [("eid", *octets(0)), ("keyId", *octets(1)), ("otPk", *octets(2)), ("euiccInfo2Hash", *octets(3))]


class RequestItem(core.Sequence):
    _fields = [
        ("itemId", core.Integer, {"implicit": 0}),
        ("eid", *octets(1)),
        ("keyId", *octets(2, optional=True)),
        ("iccid", *octets(3, optional=True)),
        ("additional", core.Boolean, {"implicit": 4, "optional": True}),
    ]


class RequestItems(core.SequenceOf):
    _child_spec = RequestItem


class BppRequest(core.Sequence):
    """FF61"""

    tagging = ("private", 97)
    _fields = [
        ("version", core.Integer, {"implicit": 0}),
        ("requestId", *octets(1)),
        ("orderId", core.UTF8String, {"implicit": 2}),
        ("euiccData", *octets(3, optional=True)),
        ("items", RequestItems, {"implicit": 4}),
    ]


class Chain(core.Sequence):
    _fields = [("ciPkId", *octets(0)), ("certificates", DerTlvs, {"implicit": 1})]


class Chains(core.SequenceOf):
    _child_spec = Chain


class Bound(core.Sequence):
    _fields = [
        ("transactionId", *octets(0)),
        ("keyId", *octets(1)),
        ("iccid", *octets(2)),
        ("chain", core.Integer, {"implicit": 3}),
        ("bpp", *octets(4)),
    ]


class Failed(core.Sequence):
    _fields = [
        ("subjectCode", core.UTF8String, {"implicit": 0}),
        ("reasonCode", core.UTF8String, {"implicit": 1}),
        ("message", core.UTF8String, {"implicit": 2, "optional": True}),
    ]


class Outcome(core.Choice):
    _alternatives = [("bound", Bound, {"implicit": 0}), ("failed", Failed, {"implicit": 1})]


class BppItem(core.Sequence):
    # the tag of a CHOICE is explicit
    _fields = [("itemId", core.Integer, {"implicit": 0}), ("eid", *octets(1)), ("outcome", Outcome, {"explicit": 2})]


class BppItems(core.SequenceOf):
    _child_spec = BppItem


class BppBatch(core.Sequence):
    """FF62"""

    tagging = ("private", 98)
    _fields = [
        ("version", core.Integer, {"implicit": 0}),
        ("requestId", *octets(1)),
        ("chains", Chains, {"implicit": 2}),
        ("items", BppItems, {"implicit": 3}),
    ]


class Entry(core.Sequence):
    _fields = [
        ("eid", *octets(0)),
        ("transactionId", *octets(1)),
        ("offset", core.Integer, {"implicit": 2}),
        ("length", core.Integer, {"implicit": 3}),
    ]


class Index(core.SequenceOf):
    _child_spec = Entry


class Part(core.Sequence):
    _fields = [
        ("name", core.UTF8String, {"implicit": 0}),
        ("size", core.Integer, {"implicit": 1}),
        ("sha256", *octets(2)),
        ("index", Index, {"implicit": 3}),
    ]


class Parts(core.SequenceOf):
    _child_spec = Part


class BatchManifest(core.Sequence):
    """FF65"""

    tagging = ("private", 101)
    _fields = [
        ("version", core.Integer, {"implicit": 0}),
        ("requestId", *octets(1)),
        ("chains", Chains, {"implicit": 2}),
        ("parts", Parts, {"implicit": 3}),
        ("signature", *octets(4)),
    ]


class ManifestRoot(core.Sequence):
    """FF67"""

    tagging = ("private", 103)
    _fields = [
        ("version", core.Integer, {"implicit": 0}),
        ("requestId", *octets(1)),
        ("chains", Chains, {"implicit": 2}),
        ("items", core.Integer, {"implicit": 3}),
        ("parts", core.Integer, {"implicit": 4}),
        ("pages", core.Integer, {"implicit": 5}),
        ("root", *octets(6)),
        ("signature", *octets(7)),
    ]


class Hashes(core.SequenceOf):
    _child_spec = core.OctetString


class ManifestPage(core.Sequence):
    """FF68"""

    tagging = ("private", 104)
    _fields = [
        ("version", core.Integer, {"implicit": 0}),
        ("requestId", *octets(1)),
        ("page", core.Integer, {"implicit": 2}),
        ("firstPart", core.Integer, {"implicit": 3}),
        ("parts", Parts, {"implicit": 4}),
        ("proof", Hashes, {"implicit": 5}),
    ]


class LoadPackage(core.Sequence):
    """FF66"""

    tagging = ("private", 102)
    _fields = [("transactionId", *octets(0)), ("keyId", *octets(1)), ("chain", Chain, {"implicit": 2})]


class EuiccResult(core.Sequence):
    _fields = [("result", *octets(0)), ("at", core.GeneralizedTime, {"implicit": 1, "optional": True})]


class Cause(core.Integer):
    _map = {
        1: "unreachable",
        2: "damaged",
        3: "fpaFailure",
        4: "badStatusWord",
        5: "noResult",
        6: "notAttempted",
        127: "other",
    }


class FpaError(core.Sequence):
    _fields = [
        ("transactionId", *octets(0)),
        ("eid", *octets(1)),
        ("cause", Cause, {"implicit": 2}),
        ("statusWord", *octets(3, optional=True)),
        ("detail", core.UTF8String, {"implicit": 4, "optional": True}),
        ("at", core.GeneralizedTime, {"implicit": 5, "optional": True}),
    ]


class ReportItem(core.Choice):
    _alternatives = [
        ("euiccResult", EuiccResult, {"implicit": 0}),
        ("fpaError", FpaError, {"implicit": 1}),
        ("otherSigned", EuiccResult, {"implicit": 2}),
    ]


class ReportItems(core.SequenceOf):
    _child_spec = ReportItem


class ProfileLoadingReport(core.Sequence):
    """FF63"""

    tagging = ("private", 99)
    _fields = [
        ("version", core.Integer, {"implicit": 0}),
        ("reportId", *octets(1)),
        ("items", ReportItems, {"implicit": 2}),
    ]


def encode(kind: type[core.Sequence], value: dict) -> bytes:
    """The whole object under its private tag; members that are None are left out."""
    return kind({name: member for name, member in value.items() if member is not None}, implicit=kind.tagging).dump()


def decode(kind: type[core.Sequence], der: bytes) -> core.Sequence:
    """Reads one whole object; ValueError where it is none, or has octets behind its end."""
    return kind.load(der, strict=True, implicit=kind.tagging)
