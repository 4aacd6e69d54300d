"""The browser's side of Web Push in tests: right by the RFC's own example, and not to be fooled."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.support.push_browser import NotForUs, PushBrowser, from_base64url

TEXT = b"When I grow up, I want to be a watermelon"
PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
BODY = from_base64url(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
"""RFC 8291 §5, with the keys of its appendix A."""


@pytest.fixture
def browser() -> PushBrowser:
    scalar = int.from_bytes(from_base64url(PRIVATE), "big")
    return PushBrowser(ec.derive_private_key(scalar, ec.SECP256R1()), from_base64url(AUTH))


def test_it_reads_the_example_of_the_rfc(browser: PushBrowser) -> None:
    assert browser.decrypted(BODY) == TEXT


def test_its_subscription_has_the_keys_of_the_example(browser: PushBrowser) -> None:
    subscription = browser.subscription("https://push.example.net/1")
    assert (subscription.p256dh, subscription.auth) == (PUBLIC, AUTH)


@pytest.mark.parametrize("place", range(len(BODY)))
def test_no_changed_byte_goes_unnoticed(browser: PushBrowser, place: int) -> None:
    """But for the record's size, which only says that the record is not longer."""
    changed = bytearray(BODY)
    changed[place] ^= 1
    if 16 <= place < 20 and int.from_bytes(changed[16:20], "big") > len(BODY):
        assert browser.decrypted(bytes(changed)) == TEXT
        return
    with pytest.raises(NotForUs):
        browser.decrypted(bytes(changed))


def test_other_keys_read_nothing(browser: PushBrowser) -> None:
    scalar = int.from_bytes(from_base64url(PRIVATE), "big")
    same_key = PushBrowser(ec.derive_private_key(scalar, ec.SECP256R1()))
    for other in (PushBrowser(), PushBrowser(auth=from_base64url(AUTH)), same_key):
        with pytest.raises(NotForUs):
            other.decrypted(BODY)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: BODY[:86] + tail))
def test_garbage_is_not_for_us(body: bytes) -> None:
    with pytest.raises(NotForUs):
        PushBrowser(auth=b"x" * 16).decrypted(body)
