"""What docs/protocol.md says in words: complete, with the right numbers."""

import re

import pytest

from allibe_gateway import asyncapi
from allibe_gateway.asyncapi import frames
from allibe_gateway.asyncapi.channels import CHANNELS
from allibe_gateway.entrances import ENTRANCES
from allibe_gateway.limits import Limits
from allibe_gateway.stomp.frames import CLIENT_COMMANDS, SERVER_COMMANDS
from allibe_gateway.stomp.versions import SUPPORTED
from allibe_services.contracts import disconnects
from allibe_services.contracts.messages import CONTENT_BYTES
from tests.unit.docs.examples import PAGE

TEXT = PAGE.read_text()
SCHEMAS = asyncapi.document()["components"]["schemas"]
WORDS = " ".join(TEXT.split())


def test_every_destination_and_both_doors_are_described() -> None:
    for address in [one.address for one in CHANNELS] + [one.path for one in ENTRANCES]:
        name = address.removeprefix("/user/queue/")
        assert f"`{address}`" in TEXT or f"`{name}`" in TEXT


def test_every_type_of_body_is_described() -> None:
    for name, schema in SCHEMAS.items():
        for kind in schema.get("properties", {}).get("type", {}).get("enum", ()):
            assert f"`{kind}`" in TEXT, name


def test_every_field_is_described() -> None:
    """In a table or sentence, or in an example."""
    for name, schema in SCHEMAS.items():
        if not name.endswith(".headers"):
            for field in schema.get("properties", {}):
                assert f"`{field}`" in TEXT or f'"{field}"' in TEXT, f"{name}.{field}"


def test_every_frame_and_every_header_of_ours_is_described() -> None:
    for command in CLIENT_COMMANDS | SERVER_COMMANDS:
        assert re.search(rf"\b{command}\b", TEXT)
    for header in frames.HEADERS:
        assert not header.startswith("x-") or f"`{header}" in TEXT


def test_every_version_has_its_subprotocol() -> None:
    (stomp,) = [one for one in ENTRANCES if one.door == "stomp"]
    assert all(f"`{one}`" in TEXT for one in stomp.subprotocols)
    assert all(version in TEXT for version in SUPPORTED)


def test_the_snippet_ends_where_the_table_says_not_to_reconnect() -> None:
    """But for 1000: a library closes with it to reconnect, when it misses heart-beats."""
    (codes,) = re.findall(r"if \(\[([\d, ]+)\]\.includes\(code\)\)", TEXT)
    final = [one.code for one in disconnects.TABLE[1:] if not one.reconnect]
    assert [int(code) for code in codes.split(",")] == final


@pytest.mark.parametrize(
    "sentence",
    [
        f"within {Limits().sign_in_seconds:.0f} s from the opening",
        f"`token_required`, close code {disconnects.TOKEN_REQUIRED.code}",
        f"`token_expired`, close code {disconnects.TOKEN_EXPIRED.code}",
        f"more than {Limits().recovery_messages} messages are missing",
        f"at most {CONTENT_BYTES // 1024} KiB of UTF-8",
        f"after two intervals without the server closes with {disconnects.HEARTBEAT_LOST.code}",
    ],
)
def test_a_number_in_the_text_is_the_one_in_the_code(sentence: str) -> None:
    assert sentence in WORDS


def test_two_intervals_are_two() -> None:
    assert Limits().silent_intervals == 2
