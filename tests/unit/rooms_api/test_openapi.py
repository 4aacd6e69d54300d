"""The document: valid, up to date, the same as the routes, and true of real answers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import validate

from allibe_rooms_api.examples import NEW_SUBSCRIPTION, WISHES
from allibe_rooms_api.openapi import document, render
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.notifications import Decision
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.rooms import Role
from tests.support.push_queue import dead_push
from tests.unit.rooms_api.api import REQUIRED_LIST, ROOM, ROOMS, SYSTEM, Answer, Api
from tests.unit.rooms_api.fakes import START

BOB = UserId("bob")
KEPT = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT = document()
OPERATIONS = [
    (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def check(schema: dict[str, Any], body: object) -> None:
    """Assert that the body is what the schema says, formats included."""
    whole = schema | {"components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)


def check_answer(method: str, path: str, answer: Answer) -> None:
    """Assert that the operation's document has such an answer."""
    response = DOCUMENT["paths"][path][method]["responses"][str(answer.status)]
    if answer.json is None:
        assert "content" not in response
        return
    media = response["content"][answer.headers["content-type"].partition(";")[0]]
    check(media["schema"], answer.json)
    if answer.status >= 400:
        assert answer.json["code"] in media["examples"]


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_the_kept_document_is_up_to_date() -> None:
    """Else: `python -m allibe_rooms_api.openapi > docs/openapi.json`."""
    assert KEPT.read_text() == render()


async def test_the_served_document_is_the_kept_one(api: Api) -> None:
    answer = await api.ask("GET", "/api/chat/openapi.json", user=None)
    assert answer.status == 200
    assert answer.json == DOCUMENT


def test_the_document_has_every_route_of_the_application_and_no_other(
    app: web.Application,
) -> None:
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {(method, path) for method, path, _ in OPERATIONS}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_is_described(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["operationId"].isidentifier()
    assert operation.get("tags")


def test_every_schema_is_described_in_one_line() -> None:
    """How a docstring is indented depends on the version of Python; the document must not."""
    for schema in DOCUMENT["components"]["schemas"].values():
        assert schema["description"]
        assert "\n" not in schema["description"]


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_only_the_document_and_renewals_need_no_token() -> None:
    public = [path for _, path, operation in OPERATIONS if operation.get("security") == []]
    assert public == ["/api/chat/push-subscriptions/renewals", "/api/chat/openapi.json"]


def test_the_room_list_has_the_example_of_the_requirements() -> None:
    content = DOCUMENT["paths"][ROOMS]["get"]["responses"]["200"]["content"]
    example = content["application/json"]["example"]
    assert [{key: room[key] for key in REQUIRED_LIST[0]} for room in example] == REQUIRED_LIST


def test_every_example_is_what_its_schema_says() -> None:
    checked = 0
    for _, _, operation in OPERATIONS:
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in [*bodies, *operation["responses"].values()]:
            for media in body.get("content", {}).values():
                if "example" in media:
                    check(media["schema"], media["example"])
                    checked += 1
    assert checked >= 15


def test_every_problem_example_is_a_problem() -> None:
    examples = DOCUMENT["components"]["examples"]
    for code, example in examples.items():
        check({"$ref": "#/components/schemas/Problem"}, example["value"])
        assert example["value"]["code"] == code


def test_every_reference_leads_somewhere() -> None:
    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    for reference in references(DOCUMENT):
        _, kind, name = reference.removeprefix("#/").split("/")
        assert name in DOCUMENT["components"][kind]


def test_running_the_module_writes_the_document() -> None:
    command = [sys.executable, "-W", "error", "-m", "allibe_rooms_api.openapi"]
    written = subprocess.run(command, check=True, capture_output=True, timeout=30)
    assert written.stdout.decode() == render()


def test_rendering_gives_the_same_text_each_time() -> None:
    assert (
        render()
        == render()
        == json.dumps(json.loads(render()), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("get", "/rooms", None, 200),
        ("get", "/rooms?limit=0", None, 400),
        ("post", "/rooms", {"name": "x", "members": ["bob"]}, 201),
        ("post", "/rooms", {"name": "x", "roomId": "1"}, 409),
        ("post", "/rooms", {"name": ""}, 400),
        ("post", "/rooms", {"name": "x", "owner": "bob"}, 403),
        ("get", "/rooms/{roomId}", None, 200),
        ("get", "/rooms/{roomId}/messages", None, 200),
        ("get", "/rooms/{roomId}/messages?limit=1", None, 200),
        ("post", "/rooms/{roomId}/messages", {"content": "x"}, 201),
        ("post", "/rooms/{roomId}/messages", {"content": "x", "clientMessageId": "c"}, 201),
        ("post", "/rooms/{roomId}/messages", {"content": ""}, 400),
        ("post", "/rooms/{roomId}/messages", {"content": "x" * 9000}, 413),
        ("post", "/rooms/{roomId}/messages", {"content": "x", "sender": "bob"}, 403),
        ("get", "/rooms/{roomId}/members", None, 200),
        ("post", "/rooms/{roomId}/members", {"user": "eve"}, 201),
        ("post", "/rooms/{roomId}/members", {"user": "bob"}, 409),
        ("put", "/rooms/{roomId}/members/{user}", {"role": "admin"}, 200),
        ("delete", "/rooms/{roomId}/members/{user}", None, 204),
        ("put", "/rooms/{roomId}/read", {"offset": 2}, 200),
        ("put", "/rooms/{roomId}/mute", {"until": "2099-01-01T00:00:00Z"}, 204),
        ("put", "/rooms/{roomId}/mute", {"until": "1999-01-01T00:00:00Z"}, 400),
        ("delete", "/rooms/{roomId}/mute", None, 204),
        ("get", "/notification-settings", None, 200),
        ("put", "/notification-settings", {"quietHours": None}, 200),
        ("put", "/notification-settings", WISHES, 200),
        ("get", "/push-key", None, 404),
        ("put", "/push-subscriptions", NEW_SUBSCRIPTION, 404),
        ("delete", "/push-subscriptions", {"endpoint": "x"}, 204),
        ("get", "/admin/users/{user}/notifications", None, 403),
    ],
)
async def test_real_answers_are_what_the_document_says(
    api: Api, method: str, path: str, body: object, status: int
) -> None:
    await room_with_messages(api)
    address = "/api/chat" + path.format(roomId=ROOM, user="bob")
    answer = await api.ask(method.upper(), address, json=body)
    assert answer.status == status
    check_answer(method, "/api/chat" + path.partition("?")[0], answer)


async def test_the_systems_view_of_a_room_is_documented(api: Api) -> None:
    await room_with_messages(api)
    answer = await api.ask("GET", f"{ROOMS}/{ROOM}", user="backend", scopes=SYSTEM)
    check({"$ref": "#/components/schemas/RoomSummary"}, answer.json)
    check_answer("get", f"{ROOMS}/{{roomId}}", answer)


async def test_a_muted_room_and_decisions_are_documented(api: Api) -> None:
    await room_with_messages(api)
    await api.ask("PUT", f"{ROOMS}/{ROOM}/mute", json={"until": "2099-01-01T00:00:00Z"})
    answer = await api.ask("GET", ROOMS)
    assert answer.json[0]["muted"]
    check_answer("get", ROOMS, answer)
    api.store.notifications.decided[BOB] = [Decision(ROOM, PushReason.SENT, 1, START)]
    path = "/api/chat/admin/users/{user}/notifications"
    answer = await api.ask("GET", path.format(user=BOB), user="backend", scopes=SYSTEM)
    assert len(answer.json) == 1
    check_answer("get", path, answer)


async def test_dead_pushes_are_documented(api: Api) -> None:
    api.store.notifications.undeliverable = [dead_push(1)]
    path = "/api/chat/admin/dead-pushes"
    answer = await api.ask("GET", path, user="backend", scopes=SYSTEM)
    assert len(answer.json) == 1
    check_answer("get", path, answer)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
async def test_refusals_of_strangers_are_documented(
    api: Api, method: str, path: str, operation: dict[str, Any]
) -> None:
    """No token, no such room, no member, no JSON: where an operation can answer so, it says so."""
    if operation.get("security") == []:
        return
    await room_with_messages(api)
    bodies = operation.get("requestBody", {}).get("content", {})
    body = bodies.get("application/json", {}).get("example")
    for room, user in ((ROOM, None), (ROOM, "eve"), ("nope", "eve"), ("a.b", "eve")):
        address = path.replace("{roomId}", room).replace("{user}", "bob")
        check_answer(method, path, await api.ask(method.upper(), address, user=user, json=body))
    if bodies:
        address = path.replace("{roomId}", ROOM).replace("{user}", "bob")
        check_answer(method, path, await api.ask(method.upper(), address, data=b"x"))


async def room_with_messages(api: Api) -> None:
    await api.room(bob=Role.MEMBER)
    for number in range(3):
        await api.say(f"m{number}", at=number)
