"""What is no token at all is refused, and nothing worse happens."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allibe_services.auth import TOKEN_BYTES, TokenVerifier
from allibe_services.contracts.errors import TokenExpired, TokenInvalid, TokenRequired
from tests.unit.services.auth.tokens import b64, claims, raw, refused, verifier
from tests.unit.services.keys import OTHER_SECRET, SECRET


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
