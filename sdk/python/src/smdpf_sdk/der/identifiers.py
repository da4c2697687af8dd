"""EIDs, ICCIDs and identifiers as the DER has them."""

import re


def encode_eid(eid: str) -> bytes:
    """32 digits as 16 octets, high nibble first."""
    if not re.fullmatch("[0-9]{32}", eid):
        raise ValueError("an EID has 32 digits")
    return bytes.fromhex(eid)


def encode_iccid(iccid: str) -> bytes:
    """19 or 20 digits as EF.ICCID: 10 octets, nibbles swapped, F behind 19 digits."""
    if not re.fullmatch("[0-9]{19,20}", iccid):
        raise ValueError("an ICCID has 19 or 20 digits")
    return swap(bytes.fromhex(iccid.ljust(20, "f")))


def decode_iccid(octets: bytes) -> str:
    return swap(octets).hex().removesuffix("f")


def swap(octets: bytes) -> bytes:
    return bytes((octet & 0x0F) << 4 | octet >> 4 for octet in octets)


def id16(octets: bytes) -> bytes:
    if not 1 <= len(octets) <= 16:
        raise ValueError("an identifier has 1 to 16 octets")
    return octets
