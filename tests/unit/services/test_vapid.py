"""`vapid`: keys as settings give them, and what is signed with them. RFC 8292."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from hypothesis import given
from hypothesis import strategies as st

from allibe_services.vapid import VapidKey, checked_subject
from tests.unit.services.keys import pair

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (FIPS 186-4, D.1.2.3): private keys are 1 to this, exclusive."""


def _text(scalar: int) -> str:
    return urlsafe_b64encode(scalar.to_bytes(32, "big")).rstrip(b"=").decode()


def _point(key: VapidKey) -> EllipticCurvePublicKey:
    raw = urlsafe_b64decode(key.public_key + "=")
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)


class TestKeys:
    """PEM or base64url; nothing else, and nothing of the key in the error."""

    def test_what_is_generated_can_be_read_again(self) -> None:
        made = VapidKey.generate()
        read = VapidKey.read(made.private_key)
        assert (read.private_key, read.public_key) == (made.private_key, made.public_key)
        assert VapidKey.generate().private_key != made.private_key

    def test_the_public_key_is_an_uncompressed_point_in_base64url(self) -> None:
        """What `applicationServerKey` of the Push API takes."""
        key = VapidKey.generate()
        assert len(key.public_key) == 87
        assert urlsafe_b64decode(key.public_key + "=")[0] == 4

    def test_the_key_of_the_rfc_has_the_public_key_of_the_rfc(self) -> None:
        """RFC 8291, appendix A: a pair of which both halves are printed."""
        key = VapidKey.read("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
        assert key.public_key == (
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        )

    def test_pem_is_read(self) -> None:
        key = VapidKey.read(pair("ES256").private)
        assert VapidKey.read(key.private_key).public_key == key.public_key

    @pytest.mark.parametrize("scalar", [1, 255, ORDER - 1])
    def test_short_numbers_keep_their_zeros(self, scalar: int) -> None:
        assert VapidKey.read(_text(scalar)).private_key == _text(scalar)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x" * 42,
            "x" * 44,
            "+" * 43,
            _text(0),
            _text(ORDER),
            _text(2**256 - 1),
            pair("P-384").private,
            pair("RS256").private,
            pair("EdDSA").private,
            pair("ES256").public,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ],
    )
    def test_what_is_no_such_key_is_refused_unquoted(self, text: str) -> None:
        with pytest.raises(ValueError, match="P-256") as caught:
            VapidKey.read(text)
        assert not text or text not in str(caught.value)

    @given(st.text(max_size=42))
    def test_any_short_text_is_refused_in_the_same_words(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"^a VAPID private key is"):
            VapidKey.read(text)


def test_the_header_holds_a_signed_token_and_the_public_key() -> None:
    """RFC 8292 §2 and §3."""
    key = VapidKey.generate()
    expires_at = time.time() + 3600.7
    header = key.authorization(
        audience="https://push.example.net",
        subject="mailto:me@example.net",
        expires_at=expires_at,
    )
    scheme, token, public = header.replace(",", "").split(" ")
    assert (scheme, public) == ("vapid", f"k={key.public_key}")
    claims = jwt.decode(
        token.removeprefix("t="), _point(key), ["ES256"], audience="https://push.example.net"
    )
    assert claims == {
        "aud": "https://push.example.net",
        "exp": int(expires_at),
        "sub": "mailto:me@example.net",
    }


class TestSubjects:
    """Somebody whom a push service can reach: RFC 8292 §2.1."""

    @pytest.mark.parametrize(
        "text",
        ["mailto:ops@chat.example", "mailto:a+b@x-y.example.com", "https://example.com/contact"],
    )
    def test_an_address_or_a_page_is_taken(self, text: str) -> None:
        assert checked_subject(text) == text

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ops@chat.example",
            "mailto:",
            "mailto:ops@localhost",
            "mailto:<ops@chat.example>",
            "mailto:ops@chat.example\n",
            "mailto:o ps@chat.example",
            "http://example.com",
            "https://localhost",
            "https://example.com/ x",
            "https://example.com/" + "x" * 255,
        ],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="VAPID subject"):
            checked_subject(text)
