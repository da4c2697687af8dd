"""Sig64: ECDSA with SHA-256, raw r ‖ s of 64 octets."""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Signer = Callable[[bytes], bytes]
"""Signs octets as Sig64. An HSM stands behind one as well as a key in memory."""


def software_signer(key: ec.EllipticCurvePrivateKey) -> Signer:
    """A signer on a key in memory, for tests and pilots."""

    def sign(octets: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    return sign


def sig64(signer: Signer, octets: bytes) -> bytes:
    """What the signer gives; a DER signature is a usual mistake of HSM libraries."""
    signature = signer(octets)
    if len(signature) != 64:
        raise ValueError(f"a signature is raw r ‖ s of 64 octets; this one has {len(signature)}")
    return signature


def verify(key: ec.EllipticCurvePublicKey, octets: bytes, signature: bytes) -> bool:
    if len(signature) != 64:
        return False
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    try:
        key.verify(der, octets, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """04 ‖ X ‖ Y: the otPk of a one-time key on a curve."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
