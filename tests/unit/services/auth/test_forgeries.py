"""The attacks of JWT's history, refused (RFC 8725 §2)."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from allibe_services.auth import TokenSigner, TokenVerifier
from allibe_services.auth.jwks_keys import JwksKeys
from allibe_services.contracts.errors import TokenInvalid
from tests.unit.services.auth.published import document, entry, signed
from tests.unit.services.auth.tokens import PAIRS, b64, claims, raw, refused
from tests.unit.services.keys import OTHER_SECRET, SECRET, Pair, pair

STRANGER = Pair(ec.generate_private_key(ec.SECP256R1()))


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


@pytest.fixture(params=["file", "published"])
async def by(request: pytest.FixtureRequest) -> AsyncIterator[TokenVerifier]:
    """A verifier of ES256 tokens, whose key is in a file, or published by the issuer as `ours`."""
    if request.param == "file":
        yield TokenVerifier("ES256", pair("ES256").public)
        return

    async def fetch() -> bytes:
        return document(entry(kid="ours"))

    keys = JwksKeys("ES256", fetch, pause=0.0)
    running = asyncio.create_task(keys.run())
    await keys.look_for_more()
    yield TokenVerifier("ES256", keys)
    running.cancel()


class TestKeysThatTokensBring:
    """RFC 8725 §3.10: where the token says that its key is, is not where we look."""

    async def test_the_verifier_takes_our_own_tokens(self, by: TokenVerifier) -> None:
        assert (await by.verified(signed("ours"))).user_id == "alice"

    @pytest.mark.parametrize(
        "header",
        [
            {"jwk": entry(of=STRANGER)},
            {"jwk": entry(of=STRANGER, kid="ours"), "kid": "ours"},
            {"jku": "https://stranger.example/keys", "kid": "ours"},
            {"x5u": "https://stranger.example/key.pem", "kid": "ours"},
            {"x5c": ["MIIB"], "kid": "ours"},
            {"kid": "../../../../dev/null"},
            {"kid": "ours' OR '1'='1"},
        ],
        ids=["jwk", "jwk and kid", "jku", "x5u", "x5c", "a path", "SQL"],
    )
    async def test_a_key_in_the_header_verifies_nothing(
        self, by: TokenVerifier, header: dict[str, Any]
    ) -> None:
        with pytest.raises(TokenInvalid):
            await by.verified(signed(by=STRANGER, header=header))

    @pytest.mark.parametrize("kid", ["ours", None])
    async def test_what_is_public_of_our_key_is_no_secret(
        self, by: TokenVerifier, kid: str | None
    ) -> None:
        """As PEM, and as JWK: whatever a library might have taken for the secret of HS256."""
        public = pair("ES256").public
        secrets = [public, public.strip(), "", json.dumps(entry(kid="ours")), entry()["x"]]
        head = {"alg": "HS256"} | ({} if kid is None else {"kid": kid})
        for secret in secrets:
            with pytest.raises(TokenInvalid):
                await by.verified(raw(claims(), head, key=secret))
            with pytest.raises(TokenInvalid):
                await by.verified(raw(claims(), head | {"alg": "ES256"}, key=secret))

    @pytest.mark.parametrize("none", ["none", "None", "nOnE", "NONE", "", None])
    async def test_no_signature_is_none(self, by: TokenVerifier, none: object) -> None:
        _, body, signature = signed("ours").split(".")
        head = b64(json.dumps({"alg": none, "kid": "ours"}).encode())
        for forged in (f"{head}.{body}.", f"{head}.{body}.{signature}"):
            with pytest.raises(TokenInvalid):
                await by.verified(forged)


def test_an_empty_secret_signs_nothing() -> None:
    refused(raw(claims(), key=""))


def _fresh(algorithm: str) -> Any:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()
