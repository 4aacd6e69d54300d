"""Who calls: the token in `Authorization`, and what a wrong one is answered."""

import time
from collections.abc import Callable

import jwt
import pytest

from allibe_rooms_api.operations import OPERATIONS, PREFIX, Operation
from allibe_services.auth import TokenSigner
from tests.unit.rooms_api.api import ROOMS, SECRET, Api

SIGNER = TokenSigner("HS256", SECRET)


async def ask(api: Api, authorization: str) -> tuple[int, str, str]:
    """Return status, code and challenge."""
    headers = {"Authorization": authorization}
    answer = await api.ask("GET", ROOMS, user=None, headers=headers)
    code = answer.json["code"] if answer.status >= 400 else ""
    return answer.status, code, answer.headers.get("www-authenticate", "")


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "{}", "  Bearer   {}  "])
async def test_a_token_may_come_bare_or_as_bearer(api: Api, form: str) -> None:
    assert await ask(api, form.format(SIGNER.sign("alice", ttl=60))) == (200, "", "")


@pytest.mark.parametrize("authorization", ["", " "])
async def test_an_empty_header_is_as_none(api: Api, authorization: str) -> None:
    assert await ask(api, authorization) == (401, "token_required", "Bearer")


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer "])
async def test_a_scheme_without_a_token_is_401(api: Api, authorization: str) -> None:
    assert (await ask(api, authorization))[0] == 401


async def test_an_expired_token_is_told_so(api: Api) -> None:
    token = SIGNER.sign("alice", ttl=-1)
    expected = (401, "token_expired", 'Bearer error="invalid_token"')
    assert await ask(api, f"Bearer {token}") == expected


def claims(**changes: object) -> dict[str, object]:
    """Return the claims of a good token, changed; None takes one away."""
    good = {"sub": "alice", "exp": time.time() + 60} | changes
    return {name: value for name, value in good.items() if value is not None}


FOREIGN: dict[str, Callable[[], str]] = {
    "one word": lambda: "x",
    "three words": lambda: "a.b.c",
    "not ASCII": lambda: "é",
    "another scheme": lambda: "Basic YWxpY2U6c2VjcmV0",
    "another key": lambda: jwt.encode(claims(), "another secret that is long enough"),
    "alg none": lambda: jwt.encode(claims(), "", algorithm="none"),
    "no user id": lambda: jwt.encode(claims(sub="a b"), SECRET),
    "no subject": lambda: jwt.encode(claims(sub=None), SECRET),
    "no expiry": lambda: jwt.encode(claims(exp=None), SECRET),
}


@pytest.mark.parametrize("kind", FOREIGN)
async def test_a_token_that_is_not_ours_is_invalid(api: Api, kind: str) -> None:
    expected = (401, "token_invalid", 'Bearer error="invalid_token"')
    assert await ask(api, FOREIGN[kind]()) == expected


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_every_operation_but_the_document_and_renewals_needs_a_token(
    api: Api, operation: Operation
) -> None:
    path = PREFIX + operation.path.replace("{roomId}", "1").replace("{user}", "bob")
    answer = await api.ask(operation.method, path, user=None)
    if operation.path == "/openapi.json":
        assert answer.status == 200
    elif operation.path == "/push-subscriptions/renewals":  # which a secret stands for
        assert answer.outcome == (404, "push_off")
    else:
        assert answer.outcome == (401, "token_required")
