"""One client frame to one event: which headers each command needs, by version.

Nothing here knows what came before; the order of frames is `states`, transactions are
`transactions`.
"""

from collections.abc import Mapping
from typing import Final

from allibe_gateway.stomp.errors import (
    InvalidHeader,
    MissingHeader,
    UnexpectedBody,
    UnknownCommand,
)
from allibe_gateway.stomp.events import (
    Ack,
    AckMode,
    Connect,
    Disconnect,
    Nack,
    Send,
    Subscribe,
    Unsubscribe,
)
from allibe_gateway.stomp.frames import COMMANDS_WITH_BODY, Frame
from allibe_gateway.stomp.negotiation import negotiate_heart_beat, negotiate_version
from allibe_gateway.stomp.versions import Version

_ACK_MODES: Final[Mapping[str, AckMode]] = {
    "auto": "auto",
    "client": "client",
    "client-individual": "client-individual",
}


def read_connect(frame: Frame, offer: tuple[int, int]) -> Connect:
    """CONNECT or STOMP, with version and heart-beats settled.

    1.1 and 1.2 require `host`. Its absence is let pass: there is one virtual host, so nothing
    depends on it, and frames written by hand in a browser often lack it.
    """
    version = negotiate_version(frame.headers.get("accept-version"))
    heart_beat = negotiate_heart_beat(frame.headers.get("heart-beat"), offer, version)
    return Connect(version, heart_beat, frame.headers)


def read_send(frame: Frame) -> Send:
    headers = frame.headers
    # Not `required`: this is the path of every message, and a call costs a tenth of it.
    destination = headers.get("destination")
    if not destination:
        raise MissingHeader("SEND needs the header destination")
    return Send(destination, frame.body, headers, headers.get("receipt"))


def read_subscribe(frame: Frame, version: Version) -> Subscribe:
    """In 1.0 the id may be left out; the destination then names the subscription."""
    headers = frame.headers
    destination = required(frame, "destination")
    has_id = version is not Version.V1_0 or "id" in headers
    return Subscribe(
        id=required(frame, "id") if has_id else destination,
        destination=destination,
        ack=_ack_mode(headers.get("ack", "auto")),
        headers=headers,
        receipt=headers.get("receipt"),
        has_id=has_id,
    )


def read_unsubscribe(frame: Frame, version: Version) -> Unsubscribe:
    """In 1.0 by id or by destination, as it was subscribed."""
    by_destination = version is Version.V1_0 and "id" not in frame.headers
    named = required(frame, "destination" if by_destination else "id")
    return Unsubscribe(named, frame.headers, frame.headers.get("receipt"))


def read_ack(frame: Frame, version: Version) -> Ack:
    subscription, message_id = _acknowledged(frame, version)
    return Ack(subscription, message_id, frame.headers, frame.headers.get("receipt"))


def read_nack(frame: Frame, version: Version) -> Nack:
    if version is Version.V1_0:
        raise UnknownCommand("NACK came with STOMP 1.1")
    subscription, message_id = _acknowledged(frame, version)
    return Nack(subscription, message_id, frame.headers, frame.headers.get("receipt"))


def read_disconnect(frame: Frame) -> Disconnect:
    return Disconnect(frame.headers.get("receipt"))


def required(frame: Frame, name: str) -> str:
    """The header's value, which must not be empty. Raises MissingHeader."""
    value = frame.headers.get(name)
    if not value:
        raise MissingHeader(f"{frame.command} needs the header {name}")
    return value


def refuse_body(frame: Frame, version: Version) -> None:
    """Raises UnexpectedBody where there is one and must not be.

    STOMP 1.1 and 1.2, "Body". 1.0 says that such a body is ignored.
    """
    if frame.body and version is not Version.V1_0 and frame.command not in COMMANDS_WITH_BODY:
        raise UnexpectedBody(f"{frame.command} must not have a body")


def unpadded(frame: Frame) -> Frame:
    """The frame as a peer of 1.0 meant it.

    The examples of STOMP 1.0 write `destination: /a`, so its clients pad. 1.1 and 1.2 forbid to
    trim ("Value Encoding"), which is why the parser does not.
    """
    headers = {name.strip(): value.strip() for name, value in frame.headers.items()}
    return Frame(frame.command, headers, frame.body)


def _ack_mode(value: str) -> AckMode:
    mode = _ACK_MODES.get(value)
    if mode is None:
        raise InvalidHeader("ack is none of auto, client and client-individual")
    return mode


def _acknowledged(frame: Frame, version: Version) -> tuple[str | None, str]:
    """Subscription and message id, which each version names in its own way."""
    if version is Version.V1_2:
        return None, required(frame, "id")
    if version is Version.V1_1:
        return required(frame, "subscription"), required(frame, "message-id")
    return frame.headers.get("subscription"), required(frame, "message-id")
