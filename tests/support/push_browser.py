"""The browser's side of Web Push, by itself: keys, and decryption as RFC 8291 describes it.

Written from the RFC with cryptographic primitives; it shares no code with what encrypts.
"""

import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from allibe_services.contracts.push import Subscription

KEY_BYTES = 65
TAG_BYTES = 16


class NotForUs(Exception):
    """The message cannot be decrypted with the browser's keys, or is malformed."""


class PushBrowser:
    """One browser's subscription keys; new ones, unless the test brings some."""

    def __init__(
        self, private: ec.EllipticCurvePrivateKey | None = None, auth: bytes | None = None
    ) -> None:
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        self._auth = auth or os.urandom(16)
        self._public = self._private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )

    def subscription(self, endpoint: str) -> Subscription:
        """Return what the page would post: `PushSubscription.toJSON()`."""
        return Subscription(endpoint, base64url(self._public), base64url(self._auth))

    def decrypted(self, body: bytes) -> bytes:
        """Return the text of a message (RFC 8188 §2, RFC 8291 §3.4). Raises `NotForUs`."""
        if len(body) < 21 + KEY_BYTES + TAG_BYTES + 1 or body[20] != KEY_BYTES:
            raise NotForUs("no header of RFC 8291")
        salt, sender, record = body[:16], body[21 : 21 + KEY_BYTES], body[21 + KEY_BYTES :]
        (record_bytes,) = struct.unpack("!L", body[16:20])
        if len(record) > record_bytes:
            raise NotForUs("more than one record (RFC 8291 §4)")
        key, nonce = self._derived(salt, sender)
        try:
            padded = AESGCM(key).decrypt(nonce, record, None)
        except InvalidTag:
            raise NotForUs("another key, or it was changed") from None
        text = padded.rstrip(b"\0")
        if text[-1:] != b"\x02":
            raise NotForUs("the last record ends in 2 (RFC 8188 §2)")
        return text[:-1]

    def _derived(self, salt: bytes, sender: bytes) -> tuple[bytes, bytes]:
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        except ValueError:
            raise NotForUs("the sender's key is not on the curve") from None
        shared = self._private.exchange(ec.ECDH(), point)
        material = _hkdf(self._auth, shared, b"WebPush: info\0" + self._public + sender, length=32)
        key = _hkdf(salt, material, b"Content-Encoding: aes128gcm\0", length=16)
        return key, _hkdf(salt, material, b"Content-Encoding: nonce\0", length=12)


def base64url(octets: bytes) -> str:
    """Return base64url without padding, as browsers write it."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hkdf(salt: bytes, material: bytes, info: bytes, *, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(material)
