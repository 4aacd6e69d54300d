"""`auth`: who a token speaks for, and everything that must not pass for a token."""

import base64
import hashlib
import hmac
import json
import time
import warnings
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allibe_services.auth import (
    NAME_LENGTH,
    TOKEN_BYTES,
    Identity,
    TokenSigner,
    TokenVerifier,
    bare,
    read_key,
)
from allibe_services.contracts.errors import TokenExpired, TokenInvalid, TokenRequired
from tests.unit.services.keys import OTHER_SECRET, SECRET, pair

PAIRS = ("RS256", "ES256", "EdDSA")
verifier = TokenVerifier("HS256", SECRET)


def claims(**changes: object) -> dict[str, object]:
    """Return good claims with changes; None leaves one out."""
    good: dict[str, object] = {"sub": "alice", "exp": int(time.time()) + 600}
    return {name: value for name, value in (good | changes).items() if value is not None}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(payload: bytes | dict[str, Any], header: object = None, key: str = SECRET) -> str:
    """Sign anything at all with HMAC-SHA256: what no library would encode."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = f"{b64(json.dumps(header).encode())}.{b64(text)}"
    signature = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{b64(signature)}"


def refused(token: str, by: TokenVerifier = verifier) -> None:
    """Check that the token is invalid, which says neither why nor what it held."""
    with pytest.raises(TokenInvalid) as caught:
        by.verify(token)
    assert token not in str(caught.value) or not token
    assert caught.value.__cause__ is None


class TestGoodTokens:
    def test_sub_is_the_user_and_exp_the_end(self) -> None:
        ends = int(time.time()) + 600
        assert verifier.verify(raw(claims(exp=ends))) == Identity("alice", float(ends))  # type: ignore[arg-type]

    @pytest.mark.parametrize("algorithm", PAIRS)
    def test_a_key_pair_signs_with_one_half_and_verifies_with_the_other(
        self, algorithm: str
    ) -> None:
        keys = pair(algorithm)
        token = TokenSigner(algorithm, keys.private).sign("alice", ttl=60)
        assert TokenVerifier(algorithm, keys.public).verify(token).user_id == "alice"

    def test_the_signer_writes_what_the_verifier_reads(self) -> None:
        signer = TokenSigner("HS256", SECRET, audience="chat", issuer="us")
        token = signer.sign("alice", ttl=60, name="Alice", scopes=frozenset({"b", "a"}))
        identity = TokenVerifier("HS256", SECRET, audience="chat", issuer="us").verify(token)
        assert (identity.name, identity.scopes) == ("Alice", frozenset({"a", "b"}))
        assert identity.expires_at == pytest.approx(time.time() + 60, abs=2)

    @pytest.mark.parametrize("around", ["{}", "Bearer {}", "bearer   {} ", " BEARER {}", "\t{}\n"])
    def test_bearer_and_blanks_around_it_do_not_matter(self, around: str) -> None:
        token = raw(claims())
        assert bare(around.format(token)) == token
        assert verifier.verify(around.format(token)).user_id == "alice"

    @pytest.mark.parametrize("sub", ["a", "auth0|123", "a.b@c.de:1/2", "x" * 128, "..a"])
    def test_a_user_id_is_printable_ascii(self, sub: str) -> None:
        assert verifier.verify(raw(claims(sub=sub))).user_id == sub

    def test_the_clock_is_the_one_that_was_given(self) -> None:
        """`exp` is compared with it alone; the moment itself is over."""
        now = 1_000.0
        by = TokenVerifier("HS256", SECRET, clock=lambda: now)
        assert by.verify(raw(claims(exp=1000.5))).expires_at == 1000.5
        for over in (1000.0, 999.9, 0, -1):
            with pytest.raises(TokenExpired):
                by.verify(raw(claims(exp=over)))


class TestNothing:
    @pytest.mark.parametrize("token", ["", "  ", "Bearer", "Bearer  ", "bearer\n"])
    def test_no_token_is_required(self, token: str) -> None:
        with pytest.raises(TokenRequired) as caught:
            verifier.verify(token)
        assert type(caught.value) is TokenRequired


class TestExpiry:
    @pytest.mark.parametrize("exp", [1, 1.5, -5, 0])
    def test_past_is_expired_and_not_merely_invalid(self, exp: float) -> None:
        """The client is told to get a fresh one."""
        with pytest.raises(TokenExpired):
            verifier.verify(raw(claims(exp=exp)))

    def test_an_expired_token_that_somebody_else_signed_is_invalid(self) -> None:
        refused(raw(claims(exp=1), key=OTHER_SECRET))

    @pytest.mark.parametrize(
        "exp",
        ['"9999999999"', "NaN", "Infinity", "-Infinity", "1e999", "true", "[]", "{}", "null"],
    )
    def test_anything_but_a_number_is_invalid(self, exp: str) -> None:
        """RFC 7519, "NumericDate"."""
        refused(raw(b'{"sub":"alice","exp":%b}' % exp.encode()))

    @pytest.mark.parametrize("digits", [400, 5000])
    def test_a_number_beyond_all_numbers_is_invalid(self, digits: int) -> None:
        """400 digits are an int, and no float."""
        refused(raw(b'{"sub":"alice","exp":%b}' % (b"9" * digits)))

    def test_without_one_it_is_invalid(self) -> None:
        refused(raw(claims(exp=None)))


class TestSubject:
    @pytest.mark.parametrize(
        "sub",
        [None, "", " ", "a b", "김", "a#", "a*", "x" * 129, "a\n", ".", "..", 7, ["a"], {"a": 1}],
    )
    def test_what_cannot_be_a_user_id_is_invalid(self, sub: object) -> None:
        """`#` and `*` are wildcards on the bus, `.` and `..` are paths in URLs."""
        refused(raw(claims(sub=sub)))


class TestOtherClaims:
    def test_a_token_that_is_not_good_yet_is_invalid(self) -> None:
        refused(raw(claims(nbf=time.time() + 60)))
        refused(raw(claims(iat=time.time() + 60)))

    def test_the_audience_must_be_ours_when_one_is_configured(self) -> None:
        by = TokenVerifier("HS256", SECRET, audience="chat")
        for good in ("chat", ["shop", "chat"]):
            assert by.verify(raw(claims(aud=good))).user_id == "alice"
        for bad in (None, "shop", ["shop"], [], "", 7, ["chat", 7], {"chat": 1}):
            refused(raw(claims(aud=bad)), by)

    def test_without_a_configured_audience_any_will_do(self) -> None:
        assert verifier.verify(raw(claims(aud="shop"))).user_id == "alice"

    def test_the_issuer_must_be_ours_when_one_is_configured(self) -> None:
        by = TokenVerifier("HS256", SECRET, issuer="us")
        assert by.verify(raw(claims(iss="us"))).user_id == "alice"
        for bad in (None, "them", ["us"], 7, ""):
            refused(raw(claims(iss=bad)), by)

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("Alice", "Alice"),
            ("  김앨리스 ", "김앨리스"),
            ("x" * (NAME_LENGTH + 1), "x" * NAME_LENGTH),
            ("", None),
            ("   ", None),
            ("two\nlines", None),
            ("a\0b", None),
            ("\u202egnikcart", None),
            ("\ud800", None),
            (7, None),
            (["Alice"], None),
        ],
    )
    def test_a_name_is_kept_where_rows_and_screens_can_hold_it(
        self, name: object, kept: str | None
    ) -> None:
        """An unfit name is no reason to refuse a user."""
        assert verifier.verify(raw(claims(name=name))).name == kept

    @pytest.mark.parametrize(
        ("scope", "scopes"),
        [(None, set()), ("", set()), ("a  b\ta", {"a", "b"}), (7, set()), (["chat:admin"], set())],
    )
    def test_scopes_are_words_of_a_string(self, scope: object, scopes: set[str]) -> None:
        """RFC 8693 §4.2. Anything else grants nothing."""
        assert verifier.verify(raw(claims(scope=scope))).scopes == scopes


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


class TestGarbage:
    def test_too_long_is_invalid_before_anything_is_decoded(self) -> None:
        refused("x" * (TOKEN_BYTES + 1))
        padded = raw(claims(name="x" * TOKEN_BYTES))
        refused(padded)

    @pytest.mark.parametrize("payload", [b"", b"[]", b"7", b'"x"', b"null", b"\xff", b"{", b"{}"])
    def test_a_signed_payload_that_is_no_object_with_claims_is_invalid(
        self, payload: bytes
    ) -> None:
        refused(raw(payload))

    @pytest.mark.parametrize("opening", [b"[", b'{"a":'])
    def test_nesting_without_end_is_invalid(self, opening: bytes) -> None:
        """In the header it is read before any signature is checked."""
        deep = opening * (4000 // len(opening))
        refused(raw(deep))
        refused(f"{b64(deep)}.{b64(b'{}')}.{b64(b'x' * 32)}")

    @given(st.text(max_size=200))
    @example("a.b.c")
    @example("....")
    @example("é.é.é")
    @example("\ud800.\ud800.\ud800")
    @example("eyJhbGciOiJIUzI1NiJ9.e30.\0")
    def test_text_is_never_more_than_refused(self, text: str) -> None:
        with pytest.raises(TokenRequired):
            verifier.verify(text)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=10,
        )
    )
    def test_no_header_does_more_than_be_refused(self, header: object) -> None:
        with pytest.raises(TokenRequired):
            verifier.verify(raw(claims(), header if header is not None else 0, key=OTHER_SECRET))

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                name: st.none()
                | st.booleans()
                | st.integers()
                | st.floats()
                | st.text(max_size=10)
                | st.lists(st.text(max_size=3) | st.integers(), max_size=3)
                | st.just("alice")
                | st.just(2**33)
                for name in ("sub", "exp", "nbf", "iat", "aud", "iss", "jti", "name", "scope")
            },
        )
    )
    def test_signed_claims_of_any_kind_are_an_identity_or_refused(
        self, given_claims: dict[str, object]
    ) -> None:
        """The issuer's mistakes are no tracebacks of ours."""
        by = TokenVerifier("HS256", SECRET, audience=None, issuer=None)
        try:
            identity = by.verify(raw(given_claims))
        except (TokenInvalid, TokenExpired):
            return
        assert identity.user_id == given_claims["sub"]
        assert identity.expires_at == given_claims["exp"]


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


def test_a_signer_refuses_what_no_verifier_would_take() -> None:
    with pytest.raises(ValueError, match="user id"):
        TokenSigner("HS256", SECRET).sign("a b", ttl=60)


def _fresh(algorithm: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()
