"""The document: valid, whole, and the same as the doors.

`asyncapi-3.0.0.schema.json.gz` is AsyncAPI's own JSON schema as it comes: the file
`schemas/3.0.0-without-$id.json` of the npm package @asyncapi/specs 6.11.1 (Apache-2.0).
"""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import (  # type: ignore[import-untyped]
    Draft7Validator,
    Draft202012Validator,
)

from allibe_gateway import asyncapi
from allibe_gateway.asyncapi import frames
from allibe_gateway.asyncapi.channels import CHANNELS, Channel
from allibe_gateway.doors import destinations, json_messages
from allibe_gateway.doors import stomp as stomp_door
from allibe_gateway.entrances import ENTRANCES
from allibe_gateway.stomp.frames import CLIENT_COMMANDS, SERVER_COMMANDS
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.events import Event, ScreensChanged

DOCUMENT = asyncapi.document()
SCHEMA = Path(__file__).with_name("asyncapi-3.0.0.schema.json.gz")
STOMP = [channel for channel in CHANNELS if channel.door == "stomp"]
JSON = next(channel for channel in CHANNELS if channel.door == "json")


def references(node: object) -> Iterator[str]:
    """Yield every `$ref` of a document."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(reference: str) -> Any:
    """Return what a reference leads to. Raises `KeyError`."""
    node: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def messages() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield channel, name and message of each message."""
    for channel, described in DOCUMENT["channels"].items():
        for name, message in described["messages"].items():
            yield channel, name, message


def test_the_document_is_valid_asyncapi() -> None:
    with gzip.open(SCHEMA) as file:
        validator = Draft7Validator(json.load(file))
    assert [error.message for error in validator.iter_errors(DOCUMENT)] == []


def test_the_schema_would_notice_a_fault() -> None:
    with gzip.open(SCHEMA) as file:
        validator = Draft7Validator(json.load(file))
    broken = DOCUMENT | {"operations": {"nothing": {"action": "shout"}}}
    assert not validator.is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        assert resolved(reference)


def test_every_operation_has_messages_of_its_own_channels() -> None:
    for operation in DOCUMENT["operations"].values():
        for part in (operation, operation.get("reply", operation)):
            for message in references(part["messages"]):
                assert message.startswith(part["channel"]["$ref"] + "/messages/")


def test_every_message_has_an_operation() -> None:
    used = set(references([one["messages"] for one in DOCUMENT["operations"].values()]))
    assert used == {f"#/channels/{channel}/messages/{name}" for channel, name, _ in messages()}


def test_every_schema_is_valid_and_described_in_one_line() -> None:
    """How a docstring is indented depends on the version of Python; the document must not."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        Draft7Validator.check_schema(schema)
        if not name.endswith(".headers"):
            assert schema["description"].strip()
            assert "\n" not in schema["description"]


def test_every_schema_is_used() -> None:
    used = {name.rpartition("/")[2] for name in references(DOCUMENT)}
    assert set(DOCUMENT["components"]["schemas"]) <= used


@pytest.mark.parametrize(
    ("channel", "message"), [(channel, message) for channel, _, message in messages()]
)
def test_every_example_is_what_its_schema_says(channel: str, message: dict[str, Any]) -> None:
    if channel == "connection" or "payload" not in message:
        assert "examples" not in message
        return
    schema = message["payload"] | {"components": DOCUMENT["components"]}
    checker = Draft202012Validator.FORMAT_CHECKER
    for example in message["examples"]:
        Draft202012Validator(schema, format_checker=checker).validate(example["payload"])


def test_rendering_gives_the_same_text_each_time() -> None:
    text = asyncapi.render()
    assert text == asyncapi.render()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


class TestAgainstTheDoors:
    """What the tables say beside the code, the code must say too."""

    def test_the_doors_are_where_the_gateway_has_them(self) -> None:
        paths = {one.door: one.path for one in ENTRANCES}
        assert DOCUMENT["servers"]["stomp"]["pathname"] == paths["stomp"]
        assert JSON.address == paths["json"]
        assert set(DOCUMENT["servers"]) == set(paths)

    @pytest.mark.parametrize("channel", STOMP, ids=lambda channel: channel.name)
    def test_a_destination_is_one_that_the_door_knows(self, channel: Channel) -> None:
        """What clients subscribe to can be subscribed to, the rest cannot."""
        address = channel.address.replace("{roomId}", "1")
        try:
            destinations.parse(address)
        except AllibeError:
            assert channel.takes or channel.bare
        else:
            assert channel.gives

    def test_every_destination_of_the_door_is_a_channel(self) -> None:
        source = Path(str(stomp_door.__file__)).read_text()
        sent_to = set(re.findall(r'"(/app/[a-z]+)"', source))
        assert sent_to == {one.address for one in STOMP if not one.gives}
        queues = set(destinations._USER_QUEUES)
        assert queues == {one.address for one in STOMP if one.address.startswith("/user/")}

    def test_the_json_door_takes_and_gives_what_is_listed(self) -> None:
        assert set(JSON.takes) == set(get_args(json_messages.decoder.type))
        assert set(json_messages.Out.__subclasses__()) <= set(JSON.gives)

    def test_every_event_is_given_somewhere_over_stomp(self) -> None:
        given = [kind for channel in STOMP for kind in channel.gives]
        assert set(get_args(Event)) - {ScreensChanged} <= set(given)  # that one is for gateways
        assert len(given) == len(set(given))

    def test_every_stomp_command_has_its_headers(self) -> None:
        assert set(frames.CLIENT_FRAMES) == CLIENT_COMMANDS - {"SEND", "STOMP"}
        assert set(frames.SERVER_FRAMES) == SERVER_COMMANDS - {"MESSAGE"}

    def test_every_header_of_the_tables_is_described(self) -> None:
        used = {
            name.removesuffix("!")
            for names in [
                *frames.CLIENT_FRAMES.values(),
                *frames.SERVER_FRAMES.values(),
                frames.SEND,
                frames.AUTH,
                frames.MESSAGE,
            ]
            for name in names.split()
        }
        assert used == set(frames.HEADERS)
