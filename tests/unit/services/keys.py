"""Keys for tests, made once: secrets and key pairs as PEM text."""

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "0123456789abcdef0123456789abcdef"
OTHER_SECRET = "fedcba9876543210fedcba9876543210"


class Pair:
    """A private key and its public key, as PEM text."""

    def __init__(
        self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    ) -> None:
        self.private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        self.public = (
            key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )


@cache
def pair(algorithm: str) -> Pair:
    """Return the pair for an algorithm, or for a size or curve that none of ours takes."""
    if algorithm == "RS256":
        return Pair(rsa.generate_private_key(65537, 2048))
    if algorithm == "RSA-1024":
        return Pair(rsa.generate_private_key(65537, 1024))
    if algorithm == "ES256":
        return Pair(ec.generate_private_key(ec.SECP256R1()))
    if algorithm == "P-384":
        return Pair(ec.generate_private_key(ec.SECP384R1()))
    return Pair(ed25519.Ed25519PrivateKey.generate())
