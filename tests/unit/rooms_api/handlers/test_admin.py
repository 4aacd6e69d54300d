"""`handlers.admin`: revocations, which only the system makes."""

from datetime import timedelta
from typing import Any

import pytest

from allibe_rooms_api.call import TOKEN_LIFE_SECONDS
from allibe_services.contracts.errors import Overloaded, StoreUnavailable
from allibe_services.contracts.messages import milliseconds
from tests.unit.rooms_api.api import SYSTEM, Answer, Api
from tests.unit.rooms_api.fakes import START

PATH = "/api/chat/admin/revocations"
DAY = timedelta(days=1)


async def revoke(api: Api, **body: Any) -> Answer:
    return await api.ask("POST", PATH, scopes=SYSTEM, json=body)


async def test_a_user_is_revoked_for_the_life_of_a_token(api: Api) -> None:
    answer = await revoke(api, userId="bob")
    [made] = api.store.revocations.kept
    assert (made.kind, made.subject) == ("user", "bob")
    assert made.expires_at == START + timedelta(seconds=TOKEN_LIFE_SECONDS)
    assert answer.status == 201
    assert answer.json.keys() == {"userId", "revokedAt", "expiresAt"}
    assert answer.json["userId"] == "bob"


async def test_a_token_is_revoked_until_its_end(api: Api) -> None:
    answer = await revoke(api, tokenId="t-1", expiresAt=(START + DAY).isoformat())
    [made] = api.store.revocations.kept
    assert (made.kind, made.subject, made.expires_at) == ("token", "t-1", START + DAY)
    assert answer.json.keys() == {"tokenId", "revokedAt", "expiresAt"}


async def test_only_the_system_may(api: Api) -> None:
    for scopes in ((), ("chat:read",)):
        answer = await api.ask("POST", PATH, scopes=scopes, json={"userId": "alice"})
        assert answer.outcome == (403, "not_allowed")
    assert (await api.ask("POST", PATH, user=None, json={})).outcome == (401, "token_required")
    assert api.store.revocations.kept == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"userId": None},
        {"userId": "bob", "tokenId": "t-1"},
        {"userId": "b ob"},
        {"userId": "*"},
        {"userId": 7},
        {"tokenId": ""},
        {"tokenId": "a b"},
        {"tokenId": "a\0"},
        {"tokenId": "x" * 257},
        {"userId": "bob", "expiresAt": START.isoformat()},
        {"userId": "bob", "expiresAt": (START + 367 * DAY).isoformat()},
        {"userId": "bob", "expiresAt": "2099-01-01T00:00:00"},
        {"userId": "bob", "expiresAt": milliseconds(START + DAY)},
    ],
    ids=str,
)
async def test_what_means_nothing_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await revoke(api, **body)).outcome == (400, "bad_request")
    assert api.store.revocations.kept == []


@pytest.mark.parametrize("error", [StoreUnavailable, Overloaded])
async def test_what_could_not_be_stored_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(api.store.revocations, "revoke", fail)
    assert (await revoke(api, userId="bob")).json["retryable"]
