"""`auth.keys`, and the signer: which keys are taken, and for what."""

import json
from pathlib import Path

import pytest

from allibe_services.auth import TokenSigner, TokenVerifier, read_key
from allibe_services.auth.keys import _HS256, Secrets
from allibe_services.contracts.errors import TokenExpired
from tests.unit.services.auth.tokens import PAIRS, claims, raw, refused
from tests.unit.services.keys import OTHER_SECRET, SECRET, pair


class TestKeys:
    """A key that does not fit ends the start, not the first request."""

    @pytest.mark.parametrize("key", ["", "short", "x" * 31])
    def test_a_short_secret_is_refused(self, key: str) -> None:
        """RFC 7518 §3.2: as long as the hash."""
        for make in (TokenVerifier, TokenSigner):
            with pytest.raises(ValueError, match="at least 32 bytes"):
                make("HS256", key)

    def test_length_counts_bytes(self) -> None:
        TokenVerifier("HS256", "비" * 11)

    @pytest.mark.parametrize(
        "key",
        [
            pair("RS256").public,
            pair("RS256").private,
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ" * 2,
            json.dumps({"kty": "oct", "k": "A" * 43}),
        ],
        ids=["public", "private", "ssh", "jwk"],
    )
    def test_what_is_a_key_of_another_kind_is_no_secret(self, key: str) -> None:
        """Who knows the public key could sign with it."""
        for make in (TokenVerifier, TokenSigner):
            with pytest.raises(ValueError, match="no HS256 secret") as caught:
                make("HS256", key)
            assert key[-20:] not in str(caught.value)

    def test_whether_a_secret_is_one_is_asked_once_not_with_each_token(self) -> None:
        by, asked = TokenVerifier("HS256", "asked-once" * 4), _HS256.prepare_key.cache_info
        before = asked().misses
        for user in ("alice", "bob"):
            by.verify(raw(claims(sub=user), key="asked-once" * 4))
        assert asked().misses == before

    @pytest.mark.parametrize("algorithm", ["none", "", "HS512", "hs256", "RS512", "PS256"])
    def test_an_unknown_algorithm_is_refused(self, algorithm: str) -> None:
        for make in (TokenVerifier, TokenSigner):
            with pytest.raises(ValueError, match="unknown algorithm"):
                make(algorithm, SECRET)

    @pytest.mark.parametrize("algorithm", PAIRS)
    @pytest.mark.parametrize("key", ["", SECRET, "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
    def test_text_that_is_no_pem_key_is_refused(self, algorithm: str, key: str) -> None:
        for make in (TokenVerifier, TokenSigner):
            with pytest.raises(ValueError, match="PEM"):
                make(algorithm, key)

    @pytest.mark.parametrize(
        ("algorithm", "other"),
        [(one, other) for one in PAIRS for other in PAIRS if one != other]
        + [("ES256", "P-384"), ("RS256", "RSA-1024")],
    )
    def test_a_key_for_another_algorithm_is_refused(self, algorithm: str, other: str) -> None:
        with pytest.raises(ValueError, match=f"not for {algorithm}"):
            TokenVerifier(algorithm, pair(other).public)
        with pytest.raises(ValueError, match=f"not for {algorithm}"):
            TokenSigner(algorithm, pair(other).private)

    def test_the_halves_are_not_interchangeable(self) -> None:
        with pytest.raises(ValueError, match="PEM public key"):
            TokenVerifier("RS256", pair("RS256").private)
        with pytest.raises(ValueError, match="PEM private key"):
            TokenSigner("RS256", pair("RS256").public)

    def test_a_key_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        with pytest.raises(ValueError, match="FileNotFoundError") as caught:
            read_key(path)
        assert str(path) in str(caught.value)
        path.write_bytes(b"secret \xff")
        with pytest.raises(ValueError, match="UnicodeDecodeError") as caught:
            read_key(path)
        assert "secret" not in str(caught.value)
        path.write_text(f"{SECRET}\n")
        assert read_key(path) == SECRET


class TestSecrets:
    """While a secret is changed, tokens of both are good."""

    by = TokenVerifier("HS256", Secrets(SECRET, OTHER_SECRET))

    def test_tokens_of_both_secrets_are_taken_and_no_others(self) -> None:
        for key in (SECRET, OTHER_SECRET):
            assert self.by.verify(raw(claims(), key=key)).user_id == "alice"
        refused(raw(claims(), key="x" * 32), self.by)

    def test_a_token_of_the_former_one_is_looked_at_as_any_other(self) -> None:
        with pytest.raises(TokenExpired):
            self.by.verify(raw(claims(exp=1), key=OTHER_SECRET))
        refused(raw(claims(), header={"alg": "none"}, key=OTHER_SECRET), self.by)
        refused(raw(claims(), key=OTHER_SECRET)[:-1], self.by)
        for garbage in ("a.b.\udcff", "김.앨.리스", "no.to.ken"):
            refused(garbage, self.by)

    @pytest.mark.parametrize("secrets", [(SECRET, "short"), ("short", SECRET), (SECRET, "")])
    def test_each_is_as_long_as_one_alone(self, secrets: tuple[str, str]) -> None:
        with pytest.raises(ValueError, match="at least 32 bytes"):
            Secrets(*secrets)


def test_a_signer_refuses_what_no_verifier_would_take() -> None:
    with pytest.raises(ValueError, match="user id"):
        TokenSigner("HS256", SECRET).sign("a b", ttl=60)
