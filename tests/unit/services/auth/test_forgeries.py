"""The attacks of JWT's history, refused (RFC 8725 §2)."""

import json
import warnings
from typing import Any

import jwt
import pytest

from allibe_services.auth import TokenSigner, TokenVerifier
from tests.unit.services.auth.tokens import PAIRS, b64, claims, raw, refused
from tests.unit.services.keys import OTHER_SECRET, SECRET, pair


class TestForgeries:
    """RFC 8725 §2.1 and §3.1: the algorithm is ours to choose, never the token's."""

    @pytest.mark.parametrize("algorithm", ["HS256", *PAIRS])
    @pytest.mark.parametrize("none", ["none", "None", "NONE", "", None, [], {}, 7, True])
    def test_alg_none_is_invalid(self, algorithm: str, none: object) -> None:
        key = SECRET if algorithm == "HS256" else pair(algorithm).public
        by = TokenVerifier(algorithm, key)
        body = f"{b64(json.dumps({'alg': none}).encode())}.{b64(json.dumps(claims()).encode())}"
        for signature in ("", b64(b"x" * 32)):
            refused(f"{body}.{signature}", by)

    @pytest.mark.parametrize("algorithm", PAIRS)
    def test_the_public_key_is_no_secret_to_sign_with(self, algorithm: str) -> None:
        """RS256 to HS256 confusion."""
        public = pair(algorithm).public
        by = TokenVerifier(algorithm, public)
        refused(raw(claims(), key=public), by)
        refused(raw(claims(), key=public.strip()), by)
        refused(raw(claims(), {"alg": algorithm}, key=public), by)

    @pytest.mark.parametrize("other", ["HS384", "HS512"])
    def test_another_algorithm_with_the_right_key_is_invalid(self, other: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the key is short for these
            refused(jwt.encode(claims(), SECRET, algorithm=other))

    def test_another_key_is_invalid(self) -> None:
        refused(raw(claims(), key=OTHER_SECRET))
        for algorithm in PAIRS:
            stranger = TokenSigner(algorithm, type(pair(algorithm))(_fresh(algorithm)).private)
            refused(
                stranger.sign("alice", ttl=60), TokenVerifier(algorithm, pair(algorithm).public)
            )

    def test_a_changed_token_is_invalid(self) -> None:
        header, _, signature = raw(claims()).split(".")
        mallory = b64(json.dumps(claims(sub="mallory")).encode())
        refused(f"{header}.{mallory}.{signature}")
        refused(f"{header}.{mallory}.")
        refused(f"{header}.{mallory}")

    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "HS256", "crit": ["x-ours"], "x-ours": 1},
            {"alg": "HS256", "crit": ["b64"], "b64": False},
            {"alg": "HS256", "b64": False},
            {"alg": "HS256", "crit": []},
            {"alg": "HS256", "crit": "exp"},
            {"alg": "HS256", "crit": [7]},
            {"alg": "HS256", "kid": 7},
            {"alg": "HS256", "kid": {"$ne": 1}},
        ],
    )
    def test_a_critical_header_that_nobody_understands_is_invalid(
        self, header: dict[str, object]
    ) -> None:
        """RFC 7515 §4.1.11."""
        refused(raw(claims(), header))

    @pytest.mark.parametrize("header", [[], "HS256", 7, None])
    def test_a_header_is_an_object(self, header: object) -> None:
        body = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims()).encode())}"
        refused(f"{body}.{b64(b'x' * 32)}")


def _fresh(algorithm: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()
