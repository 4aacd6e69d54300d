"""STOMP 1.0, 1.1 and 1.2 without input and output: bytes to events, replies to bytes.

Nothing here waits, reads a clock or knows of rooms; it imports the standard library and msgspec
only (an import contract keeps it so).

    versions      the three versions
    limits        how much a peer may ask this server to hold
    errors        what can go wrong, who is to blame, and the reply
    escaping      header escapes by version
    printing      frames and events in logs, without secrets
    frames        one frame, and its way to the wire
    head          a frame's command and headers
    parser        bytes to frames, either direction
    negotiation   version and heart-beats
    events        what the peer asked for
    requests      one frame to one event
    states        when which frame may come: the table
    transactions  requests held until COMMIT
    protocol      the server's side of a connection: all of the above in order
    replies       what a server sends
"""

from allibe_gateway.stomp.errors import LocalMisuse, PeerViolation, StompError
from allibe_gateway.stomp.events import (
    Ack,
    AckMode,
    Connect,
    Disconnect,
    Event,
    Handled,
    HeartBeat,
    Nack,
    Send,
    Subscribe,
    Unsubscribe,
)
from allibe_gateway.stomp.frames import Frame, encode
from allibe_gateway.stomp.limits import Limits
from allibe_gateway.stomp.parser import FrameParser
from allibe_gateway.stomp.protocol import ServerProtocol
from allibe_gateway.stomp.replies import HEART_BEAT, MessageEncoder
from allibe_gateway.stomp.states import State
from allibe_gateway.stomp.versions import Version

__all__ = [
    "HEART_BEAT",
    "Ack",
    "AckMode",
    "Connect",
    "Disconnect",
    "Event",
    "Frame",
    "FrameParser",
    "Handled",
    "HeartBeat",
    "Limits",
    "LocalMisuse",
    "MessageEncoder",
    "Nack",
    "PeerViolation",
    "Send",
    "ServerProtocol",
    "State",
    "StompError",
    "Subscribe",
    "Unsubscribe",
    "Version",
    "encode",
]
