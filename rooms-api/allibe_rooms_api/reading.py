"""What a request says, checked: path, query and body. Raises errors that answer the request."""

import asyncio
import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from aiohttp import web

from allibe_rooms_api.problems import BodyTimeout, BodyTooLarge, UnsupportedMediaType
from allibe_rooms_api.schemas import MOST_OFFSET
from allibe_services.contracts.errors import BadRequest, InvalidRoomId
from allibe_services.contracts.ids import RoomId, UserId, is_room_id, is_user_id

BODY_BYTES = 64 * 1024
"""Longest body: a message of 8 KiB with every character escaped as six fits."""

BODY_SECONDS = 10.0
"""Longest wait for a body, shorter than the limit of the request."""

_NUMBER = re.compile(r"[0-9]{1,16}", re.ASCII).fullmatch
_UTF8 = frozenset({"utf-8", "utf8"})

T = TypeVar("T")


def room_id_in(text: str) -> RoomId:
    """Return a room id, or raise `InvalidRoomId`."""
    if not is_room_id(text):
        raise InvalidRoomId
    return RoomId(text)


def user_id_in(text: str) -> UserId:
    """Return a user id, or raise `BadRequest`."""
    if not is_user_id(text):
        raise BadRequest("A user id is 1 to 128 printable ASCII without space, '*' and '#'.")
    return UserId(text)


def user_ids_in(texts: Iterable[str]) -> list[UserId]:
    """Return user ids, each once, in order. Raises `BadRequest`."""
    return [user_id_in(text) for text in dict.fromkeys(texts)]


def path_room(request: web.Request) -> RoomId:
    """Return the room that the path names. Raises `InvalidRoomId`."""
    return room_id_in(request.match_info["roomId"])


def path_user(request: web.Request) -> UserId:
    """Return the user that the path names. Raises `BadRequest`."""
    return user_id_in(request.match_info["user"])


def query_limit(request: web.Request, *, default: int, most: int) -> int:
    """Return how many the caller wants at most. Raises `BadRequest`."""
    limit = query_number(request, "limit", least=1, most=most)
    return default if limit is None else limit


def query_number(
    request: web.Request, name: str, *, least: int = 0, most: int = MOST_OFFSET
) -> int | None:
    """Return a number of the query, None where it is absent. Raises `BadRequest`."""
    text = request.query.get(name)
    if text is None:
        return None
    if not _NUMBER(text) or not least <= int(text) <= most:
        raise BadRequest(f"'{name}' is a whole number from {least} to {most}.")
    return int(text)


async def read_json(request: web.Request, kind: type[T]) -> T:
    """Return the body, decoded; unknown fields are ignored.

    Raises `UnsupportedMediaType`, `BodyTooLarge`, `BodyTimeout`, and `BadRequest` that says
    which field or byte is wrong.
    """
    _check_media_type(request)
    body = await _read_body(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{error}.") from None
    except msgspec.DecodeError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise BadRequest(f"The body is not JSON: {reason}.") from None
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None


def _check_media_type(request: web.Request) -> None:
    media = request.content_type
    if media != "application/json" and not (
        media.startswith("application/") and media.endswith("+json")
    ):
        raise UnsupportedMediaType
    if (request.charset or "utf-8").lower() not in _UTF8:
        raise UnsupportedMediaType


async def _read_body(request: web.Request) -> bytes:
    # Not request.read(): its limit is that of the outermost application, which is not ours.
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > BODY_BYTES:
                    raise BodyTooLarge
    except TimeoutError:
        raise BodyTimeout from None
    except (web.RequestPayloadError, ConnectionError):
        raise BadRequest("The body is cut off, or is not encoded as its headers say.") from None
    return bytes(body)
