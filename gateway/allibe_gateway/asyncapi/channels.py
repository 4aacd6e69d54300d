"""The table of channels: where the two doors take and give what, seen from the server.

A STOMP destination is a channel of its own. STOMP frames without one (CONNECT, RECEIPT, …) share
the channel `connection`, which has no address.
"""

from typing import Final, Literal, get_args

import msgspec

from allibe_gateway.doors import bodies, json_messages, stomp_queues
from allibe_services.contracts import events
from allibe_services.contracts.messages import Message

_ACTIVITY: Final = (*get_args(events.Activity), events.RoomPresence)

Door = Literal["stomp", "json"]


class Channel(msgspec.Struct, frozen=True):
    """A destination, or the JSON door. `takes` and `gives` are the types of the JSON bodies.

    `bare` is for a destination that takes frames without a body.
    """

    name: str
    address: str
    description: str
    takes: tuple[type, ...] = ()
    gives: tuple[type, ...] = ()
    bare: bool = False
    door: Door = "stomp"


CHANNELS: Final = (
    Channel(
        "appMessage",
        "/app/message",
        "Post a message. Its RECEIPT says that the message is durable.",
        takes=(bodies.MessageBody,),
    ),
    Channel(
        "appTyping",
        "/app/typing",
        "Let the room's activity subscribers see that the user types.",
        takes=(bodies.RoomBody,),
    ),
    Channel(
        "appRead",
        "/app/read",
        "Move the user's read marker forward.",
        takes=(bodies.ReadBody,),
    ),
    Channel(
        "appLeave",
        "/app/leave",
        "Leave the room's screen: this connection's subscriptions to the room end.",
        takes=(bodies.RoomBody,),
    ),
    Channel(
        "appVisibility",
        "/app/visibility",
        "Say whether the client's window can be seen: hidden, it looks at no room.",
        takes=(bodies.VisibilityBody,),
    ),
    Channel(
        "appAuth",
        "/app/auth",
        "Sign in, or extend the sign-in, with the token in the header `Authorization`.",
        bare=True,
    ),
    Channel(
        "roomLog",
        "/topic/rooms/{roomId}",
        "The room's log: every message, in the order of its offsets.",
        gives=(Message,),
    ),
    Channel(
        "roomActivity",
        "/topic/rooms/{roomId}/activity",
        "What passes by in the room. Not stored, and skipped for a slow consumer.",
        gives=_ACTIVITY,
    ),
    Channel(
        "userNotifications",
        "/user/queue/notifications",
        "New messages in rooms that the user is not looking at.",
        gives=(events.Notification,),
    ),
    Channel(
        "userRooms",
        "/user/queue/rooms",
        "Changes of the user's list of rooms.",
        gives=tuple(one for one in get_args(events.UserEvent) if one is not events.Notification),
    ),
    Channel(
        "userErrors",
        "/user/queue/errors",
        "Requests that were refused while `x-soft-errors` is on; when to reconnect.",
        gives=(stomp_queues.ErrorBody, stomp_queues.ReconnectBody),
    ),
    Channel(
        "jsonRoom",
        "/ws/chat",
        "One connection to one room: its log, its activity, and notifications of other rooms.",
        takes=(
            json_messages.MessageIn,
            json_messages.LeaveIn,
            json_messages.TypingIn,
            json_messages.ReadIn,
            json_messages.VisibilityIn,
            json_messages.RefreshIn,
            json_messages.PingIn,
        ),
        gives=(
            json_messages.JoinedOut,
            json_messages.AckOut,
            json_messages.ErrorOut,
            json_messages.LeftOut,
            json_messages.PongOut,
            json_messages.ReconnectOut,
            Message,
            *_ACTIVITY,
            events.Notification,
        ),
        door="json",
    ),
)

REPLIES: Final = {
    "stomp": ("CONNECTED", "RECEIPT", "ERROR"),
    "json": ("JoinedOut", "AckOut", "LeftOut", "PongOut", "ErrorOut"),
}
"""Messages that answer a request, by door."""
