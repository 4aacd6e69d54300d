"""`auth.jwks`: which of the keys that an issuer publishes verify our tokens."""

import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from allibe_services.auth.jwks import MOST_KEYS, key_set
from allibe_services.contracts.errors import TokenInvalid
from tests.unit.services.auth.published import document, entry
from tests.unit.services.auth.tokens import PAIRS
from tests.unit.services.keys import Pair, pair


def none_in(*entries: object, algorithm: str = "ES256") -> bool:
    with pytest.raises(ValueError, match="no key for"):
        key_set(document(*entries), algorithm)
    return True


@pytest.mark.parametrize("algorithm", PAIRS)
def test_a_key_is_found_by_its_id(algorithm: str) -> None:
    keys = key_set(document(entry(algorithm, kid="a"), entry(algorithm, kid="b")), algorithm)
    assert keys.ids == {"a", "b"}
    assert keys.find("a") is not None
    assert keys.find("c") is None


def test_without_an_id_it_must_be_the_only_one() -> None:
    """Not tried one after the other: the token would choose."""
    assert key_set(document(entry(kid="a")), "ES256").find(None) is not None
    assert key_set(document(entry()), "ES256").find(None) is not None
    with pytest.raises(TokenInvalid):
        key_set(document(entry(kid="a"), entry(kid="b")), "ES256").find(None)


def test_only_keys_of_the_algorithm_count_for_that() -> None:
    keys = key_set(document(entry(kid="a"), entry("RS256", kid="a"), entry("EdDSA")), "ES256")
    assert keys.count == 1
    assert keys.find(None) is keys.find("a")


def test_of_two_with_one_id_the_first_counts() -> None:
    other = Pair(ec.generate_private_key(ec.SECP256R1()))
    first = key_set(document(entry(kid="a")), "ES256").find("a")
    both = key_set(document(entry(kid="a"), entry(kid="a", of=other)), "ES256").find("a")
    assert both == first


@pytest.mark.parametrize(
    "wrong",
    [
        {"alg": "RS256"},
        {"alg": "none"},
        {"alg": 7},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"kty": "oct"},
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"kid": 7},
        {"x": "AAAA"},
        {"x": None},
        {"y": 7},
        {"d": "AAAA"},
    ],
    ids=str,
)
def test_a_key_that_is_not_for_this_is_left_out(wrong: dict[str, Any]) -> None:
    assert none_in(entry(**wrong))
    assert key_set(document(entry(**wrong), entry(kid="good")), "ES256").ids == {"good"}


@pytest.mark.parametrize("right", [{"alg": None}, {"use": None}, {"key_ops": ["verify"]}], ids=str)
def test_what_a_key_does_not_say_is_not_held_against_it(right: dict[str, Any]) -> None:
    assert key_set(document(entry(**right)), "ES256").count == 1


def test_symmetric_keys_are_never_taken() -> None:
    """A published secret is everybody's."""
    secret = {"kty": "oct", "k": "A" * 43, "alg": "HS256", "kid": "a"}
    for algorithm in PAIRS:
        assert none_in(secret, secret | {"alg": algorithm}, algorithm=algorithm)


def test_small_rsa_keys_and_other_curves_are_not_taken() -> None:
    assert none_in(entry("RSA-1024", alg=None), algorithm="RS256")
    assert none_in(entry("P-384", alg="ES256"))
    assert pair("P-384").public


def test_ed25519_may_be_called_by_its_own_name() -> None:
    """RFC 9864."""
    assert key_set(document(entry("EdDSA", alg="Ed25519")), "EdDSA").count == 1


def test_keys_beyond_a_number_are_not_looked_at() -> None:
    assert none_in(*([{}] * MOST_KEYS), entry())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"{", b"\xff", b"{}", b'{"keys":7}', b'{"keys":{}}', b"[" * 9000]
)
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="it is"):
        key_set(body, "ES256")


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text())


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                name: _VALUES | st.sampled_from(["EC", "P-256", "sig", "ES256", "A" * 43])
                for name in ("kty", "crv", "alg", "use", "key_ops", "kid", "x", "y", "n", "e")
            },
        )
        | _VALUES,
        max_size=4,
    )
)
def test_nothing_that_is_published_does_worse_than_be_left_out(entries: list[Any]) -> None:
    body = json.dumps({"keys": entries}).encode()
    for algorithm in PAIRS:
        with suppress(ValueError):
            assert key_set(body, algorithm).count
