"""Frames that a server sends, each as the bytes of one WebSocket text message.

A body must be UTF-8, since browsers refuse text messages that are not. Anything that the version
cannot carry raises LocalMisuse, as `frames.encode` does.
"""

import re
from collections.abc import Mapping
from typing import Final

from allibe_gateway.stomp.errors import StompError
from allibe_gateway.stomp.frames import Frame, encode, header_line
from allibe_gateway.stomp.versions import Version

HEART_BEAT: Final = b"\n"
"""STOMP 1.2, "Heart-beating": an EOL when there is nothing else to send."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


def connected(
    version: Version,
    session: str,
    server: str,
    heart_beat: tuple[int, int],
    user_name: str | None = None,
) -> bytes:
    """CONNECTED. `heart_beat` is the server's offer in ms, not the outcome: the peer works that
    out as this side did. To a peer of 1.0, which has no heart-beats, it says 0,0.
    """
    can_send, wants = (0, 0) if version is Version.V1_0 else heart_beat
    headers = {
        "version": str(version),
        "heart-beat": f"{can_send},{wants}",
        "server": server,
        "session": session,
    }
    if user_name is not None:
        headers["user-name"] = user_name
    return encode(Frame("CONNECTED", headers), version)


def receipt(receipt_id: str, version: Version, extra: Mapping[str, str] | None = None) -> bytes:
    """RECEIPT, with the headers of `extra` after `receipt-id` (`x-recovered` and the like)."""
    return encode(Frame("RECEIPT", {"receipt-id": receipt_id, **(extra or {})}), version)


def error(
    message: str,
    code: str,
    version: Version,
    receipt_id: str | None = None,
    *,
    extra: Mapping[str, str] | None = None,
    body: str | None = None,
) -> bytes:
    """ERROR; close after it. `message` becomes one line, `body` is longer text for people."""
    headers = {"message": _CONTROL.sub(" ", message), "x-code": code}
    if receipt_id is not None:
        headers["receipt-id"] = receipt_id
    headers |= extra or {}
    text = (body or "").encode()
    if text:
        headers |= {"content-type": "text/plain", "content-length": str(len(text))}
    return encode(Frame("ERROR", headers, text), version)


def error_of(cause: StompError, version: Version) -> bytes:
    """The ERROR frame that an error of this package asks for."""
    return error(
        cause.message,
        cause.code,
        version,
        cause.receipt_id,
        extra=cause.reply_headers,
        body=cause.reply_body,
    )


class MessageEncoder:
    """MESSAGE frames for all subscribers whose frames look the same.

    What stays the same is escaped once, here; a message costs one formatting of bytes. One
    encoder serves any number of connections with this version and subscription id.

    `subscription_id` is None only for a 1.0 subscription without an id. `ack` is for subscriptions
    that acknowledge (`client`, `client-individual`): in 1.2 each frame then carries an `ack`
    header, equal to its `message-id`.
    """

    __slots__ = ("_template",)

    def __init__(
        self,
        version: Version,
        subscription_id: str | None,
        destination: str,
        *,
        ack: bool = False,
    ) -> None:
        lines = ["MESSAGE"]
        if subscription_id is not None:
            lines.append(header_line("subscription", subscription_id, version))
        lines.append(header_line("destination", destination, version))
        lines.append("content-type:application/json")
        head = "\n".join(lines).encode().replace(b"%", b"%%")
        message_id = b"\nmessage-id:%(id)b"
        if ack and version is Version.V1_2:
            message_id += b"\nack:%(id)b"
        self._template = head + message_id + b"\ncontent-length:%(length)d\n\n%(body)b\0"

    def encode(self, message_id: str | bytes, body: bytes) -> bytes:
        """One frame. The id goes out as it is: it must need no escaping, which the ids that
        Allibe makes (`<roomId>.<epoch>.<offset>`) never do.
        """
        if isinstance(message_id, str):
            message_id = message_id.encode()
        return self._template % {b"id": message_id, b"length": len(body), b"body": body}
