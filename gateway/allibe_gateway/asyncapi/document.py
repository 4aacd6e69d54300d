"""Types, frames and channels put together into one document."""

import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from allibe_gateway.asyncapi import frames
from allibe_gateway.asyncapi.channels import CHANNELS, REPLIES, Channel
from allibe_gateway.asyncapi.examples import example_of
from allibe_gateway.stomp.versions import SUPPORTED
from allibe_services.contracts.ids import (
    CLIENT_MESSAGE_ID_PATTERN,
    ROOM_ID_PATTERN,
    USER_ID_PATTERN,
)

API_VERSION: Final = "1.0.0"
"""Of what the document describes; it changes with the protocol, not with each release."""

Json = dict[str, Any]

_DESCRIPTION: Final = """\
Real-time messages of Allibe, over STOMP or over plain JSON. Both doors lead to the same rooms: \
a room is a log, its messages have the offsets 1, 2, 3 …

What the server `receive`s is what a client sends. docs/protocol.md explains it in words; rooms, \
history and members are HTTP (docs/openapi.json)."""

_HOST: Final = "127.0.0.1:8080"
_CONNECTION: Final = "connection"


def _whole(pattern: str) -> Json:
    return {"pattern": f"^{pattern}$"}


_CONSTRAINTS: Final[dict[str, Json]] = {
    "roomId": _whole(ROOM_ID_PATTERN),
    "clientMessageId": _whole(CLIENT_MESSAGE_ID_PATTERN),
    **{name: _whole(USER_ID_PATTERN) for name in ("user", "sender", "to", "lastMessageSender")},
    **{name: {"minimum": 0} for name in ("offset", "unreadCount")},
    **{name: {"format": "date-time"} for name in ("sentAt", "lastMessageAt")},
    "content": {
        "minLength": 1,
        "description": "Text, not only blanks, without NUL, at most 8192 bytes of UTF-8.",
    },
}
"""What the doors check by hand, by property: no type of msgspec's says it."""


def document() -> Json:
    """Return the AsyncAPI document."""
    channels = {_CONNECTION: _connection()} | {one.name: _channel(one) for one in CHANNELS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Allibe over WebSocket",
            "version": API_VERSION,
            "description": _DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": channels,
        "operations": _operations(),
        "components": {"schemas": _schemas(), "securitySchemes": _security_schemes()},
    }


def render() -> str:
    """Return the document as text: sorted, indented, with a newline at its end."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _servers() -> Json:
    security = [_ref("components/securitySchemes", name) for name in _security_schemes()]
    versions = ", ".join(SUPPORTED)
    return {
        "stomp": {
            "host": _HOST,
            "pathname": "/allibe-ws",
            "protocol": "stomp",
            "protocolVersion": max(SUPPORTED),
            "description": f"STOMP {versions} in WebSocket messages (subprotocols `v12.stomp`, "
            "`v11.stomp`, `v10.stomp`), and under the same path over SockJS; `wss:` behind a proxy "
            "that ends TLS. The token may also be the header `Authorization` of CONNECT, or of the "
            "first SUBSCRIBE or SEND.",
            "security": security,
        },
        "json": {
            "host": _HOST,
            "protocol": "ws",
            "description": "JSON objects in WebSocket messages, one each; `wss:` behind a proxy "
            "that ends TLS. The token may also come as `refresh`.",
            "security": security,
        },
    }


def _security_schemes() -> Json:
    return {
        "authorization": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "On the WebSocket handshake; the word `Bearer` may be left out.",
        },
        "token": {
            "type": "httpApiKey",
            "name": "token",
            "in": "query",
            "description": "A JWT in the address, for where no header can be set.",
        },
        "ticket": {
            "type": "httpApiKey",
            "name": "ticket",
            "in": "query",
            "description": "In the place of the token: from `POST /api/chat/tickets`, good once.",
        },
    }


def _connection() -> Json:
    commands = frames.CLIENT_FRAMES | frames.SERVER_FRAMES
    return {
        "title": "STOMP frames without a destination",
        "description": "How a STOMP connection begins, ends and answers.",
        "servers": [_ref("servers", "stomp")],
        "messages": {
            command: {
                "name": command,
                "title": command,
                "headers": frames.headers(command, names),
            }
            for command, names in commands.items()
        },
    }


def _channel(channel: Channel) -> Json:
    found: Json = {
        "address": channel.address,
        "description": channel.description,
        "servers": [_ref("servers", channel.door)],
        "messages": _messages(channel),
    }
    if "{roomId}" in channel.address:
        found["parameters"] = {"roomId": {"description": "The room's id.", "examples": ["1"]}}
    if channel.door == "json":
        found["bindings"] = {"ws": {"method": "GET", "query": _query(), "bindingVersion": "0.1.0"}}
    return found


def _query() -> Json:
    return {
        "type": "object",
        "required": ["roomId"],
        "properties": {
            "roomId": {"type": "string", "description": "The room."} | _whole(ROOM_ID_PATTERN),
            "token": {"type": "string", "description": "A JWT."},
            "ticket": {"type": "string", "description": "A single-use ticket in its place."},
            "since": frames.text(
                "The last position that the client has: `<roomId>.<epoch>.<offset>`.",
                pattern=frames.POSITION,
            ),
        },
    }


def _messages(channel: Channel) -> Json:
    messages = {kind.__name__: _message(channel, kind) for kind in channel.takes + channel.gives}
    if channel.bare:
        messages["SEND"] = {"name": "SEND", "headers": frames.headers("SEND", frames.AUTH)}
    return messages


def _message(channel: Channel, kind: type) -> Json:
    message: Json = {
        "name": kind.__name__,
        "summary": _one_line(kind.__doc__ or ""),
        "payload": _ref("components/schemas", kind.__name__),
        "examples": [{"payload": example_of(kind)}],
    }
    if channel.door == "stomp":
        frame = "SEND" if kind in channel.takes else "MESSAGE"
        message["headers"] = _ref("components/schemas", f"{frame}.headers")
    return message


def _operations() -> Json:
    operations = {
        "receiveConnection": _operation("receive", _CONNECTION, frames.CLIENT_FRAMES)
        | _reply(_CONNECTION, "stomp"),
        "sendConnection": _operation("send", _CONNECTION, frames.SERVER_FRAMES),
    }
    for channel in CHANNELS:
        place = channel.name if channel.door == "json" else _CONNECTION
        if takes := _names(channel.takes) + ["SEND"] * channel.bare:
            operations["receive" + _title(channel)] = _operation(
                "receive", channel.name, takes
            ) | _reply(place, channel.door)
        if channel.gives:
            operations["send" + _title(channel)] = _operation(
                "send", channel.name, _names(channel.gives)
            )
    return operations


def _operation(action: str, channel: str, messages: Iterable[str]) -> Json:
    return {
        "action": action,
        "channel": _ref("channels", channel),
        "messages": _message_refs(channel, messages),
    }


def _reply(channel: str, door: str) -> Json:
    messages = _message_refs(channel, REPLIES[door])
    return {"reply": {"channel": _ref("channels", channel), "messages": messages}}


def _message_refs(channel: str, messages: Iterable[str]) -> list[Json]:
    return [_ref(f"channels/{channel}/messages", name) for name in messages]


def _schemas() -> Json:
    kinds = {kind: None for one in CHANNELS for kind in one.takes + one.gives}
    _, schemas = msgspec.json.schema_components(
        list(kinds), ref_template="#/components/schemas/{name}"
    )
    for schema in schemas.values():
        # Docstrings as written: how they are indented depends on the version of Python.
        schema["description"] = _one_line(schema["description"])
        for name, property_ in schema.get("properties", {}).items():
            property_.update(_CONSTRAINTS.get(name, {}))
    return schemas | {
        "SEND.headers": frames.headers("SEND", frames.SEND),
        "MESSAGE.headers": frames.headers("MESSAGE", frames.MESSAGE),
    }


def _names(kinds: Iterable[type]) -> list[str]:
    return [kind.__name__ for kind in kinds]


def _title(channel: Channel) -> str:
    return channel.name[0].upper() + channel.name[1:]


def _ref(path: str, name: str) -> Json:
    return {"$ref": f"#/{path}/{name}"}


def _one_line(text: str) -> str:
    return " ".join(text.split())
