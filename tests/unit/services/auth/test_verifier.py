"""`auth.verifier`: who a token speaks for, until when, and which claims it must have."""

import time

import pytest

from allibe_services.auth import NAME_LENGTH, Identity, TokenSigner, TokenVerifier, bare
from allibe_services.contracts.errors import TokenExpired, TokenRequired
from tests.unit.services.auth.tokens import PAIRS, claims, raw, refused, verifier
from tests.unit.services.keys import OTHER_SECRET, SECRET, pair


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
