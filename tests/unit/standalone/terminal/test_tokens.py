"""`terminal.tokens`: where the token comes from, and when another one is worth a try."""

import aiohttp
import jwt
import pytest
from yarl import URL

from allibe_services.contracts.disconnects import TOKEN_EXPIRED
from allibe_services.settings import Settings
from allibe_standalone.terminal.api import Api
from allibe_standalone.terminal.endings import CannotChat, Lost
from allibe_standalone.terminal.tokens import Tokens, tokens_for

EXPIRED = Lost(TOKEN_EXPIRED, "The token has expired.")


class _Source:
    def __init__(self) -> None:
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        return f"token-{self.made}"


async def test_a_token_is_kept_until_the_server_rejects_it() -> None:
    tokens = Tokens(source=_Source())
    assert await tokens.take() == "token-1"
    assert await tokens.take() == "token-1"
    tokens.accepted()
    tokens.rejected(EXPIRED)
    assert await tokens.take() == "token-2"


async def test_a_token_that_was_never_good_is_not_followed_by_its_like() -> None:
    """A wrong secret would otherwise be tried for ever."""
    tokens = Tokens(source=_Source())
    await tokens.take()
    with pytest.raises(CannotChat, match="ALLIBE_JWT_SECRET"):
        tokens.rejected(EXPIRED)


async def test_a_fresh_token_has_to_prove_itself_again() -> None:
    tokens = Tokens(source=_Source())
    await tokens.take()
    tokens.accepted()
    tokens.rejected(EXPIRED)
    await tokens.take()
    with pytest.raises(CannotChat):
        tokens.rejected(EXPIRED)


async def test_a_given_token_is_the_only_one() -> None:
    tokens = Tokens(given="mine")
    assert await tokens.take() == "mine"
    tokens.accepted()
    with pytest.raises(CannotChat, match="Start again with a new --token"):
        tokens.rejected(EXPIRED)


async def test_the_given_token_goes_before_the_secret_and_the_secret_before_the_demo() -> None:
    secret = "a secret for the tests, 32 bytes long"
    async with aiohttp.ClientSession() as session:
        api = Api(session, URL("http://127.0.0.1:9"))
        settings = Settings(jwt_secret=secret, jwt_audience="chat")
        given = tokens_for(settings, api, user="alice", given="Bearer abc")
        signed = tokens_for(settings, api, user="alice", given=None)
        asked = tokens_for(Settings(), api, user="alice", given=None)
        assert await given.take() == "abc"
        claims = jwt.decode(await signed.take(), secret, ["HS256"], audience="chat")
        assert claims["sub"] == "alice"
        with pytest.raises(Lost, match="cannot connect to"):
            await asked.take()


@pytest.mark.parametrize("given", ["", " ", "a\nb", "Bearer ", "토큰"])
def test_what_can_be_no_token_is_refused_at_once(given: str) -> None:
    with pytest.raises(CannotChat, match="no token"):
        tokens_for(Settings(), None, user="alice", given=given)  # type: ignore[arg-type]


def test_an_unfit_secret_is_an_error_and_not_a_reason_to_ask_the_demo() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tokens_for(Settings(jwt_secret="short"), None, user="alice", given=None)  # type: ignore[arg-type]
