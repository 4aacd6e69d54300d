"""What CONNECT settles: the version and the heart-beats."""

import re
from typing import Final

from allibe_gateway.stomp.errors import InvalidHeader, UnsupportedVersion
from allibe_gateway.stomp.events import HeartBeat
from allibe_gateway.stomp.versions import SUPPORTED, Version

_HEART_BEAT: Final = re.compile(r"([0-9]{1,18}) *, *([0-9]{1,18})")
_NONE: Final = HeartBeat(0, 0)


def negotiate_version(accept_version: str | None) -> Version:
    """The highest version on the peer's list; without a list 1.0, which had none.

    STOMP 1.2, "Protocol Negotiation". Raises UnsupportedVersion.
    """
    if accept_version is None:
        return Version.V1_0
    wanted = {name.strip() for name in accept_version.split(",")}
    shared = [version for version in SUPPORTED if version in wanted]
    if not shared:
        raise UnsupportedVersion("none of the accepted STOMP versions is supported here")
    return max(shared)


def negotiate_heart_beat(header: str | None, offer: tuple[int, int], version: Version) -> HeartBeat:
    """What follows from the peer's `heart-beat` and this side's offer (send, receive), in ms.

    In each direction the slower of the two wins, and 0 on either side means none (STOMP 1.2,
    "Heart-beating"). 1.0 has no heart-beats. Raises InvalidHeader.
    """
    if header is None or version is Version.V1_0:
        return _NONE
    match = _HEART_BEAT.fullmatch(header)
    if match is None:
        raise InvalidHeader("heart-beat is not two numbers of milliseconds")
    peer_sends, peer_wants = int(match[1]), int(match[2])
    can_send, wants = offer
    return HeartBeat(
        send_ms=max(can_send, peer_wants) if can_send and peer_wants else 0,
        receive_ms=max(peer_sends, wants) if peer_sends and wants else 0,
    )
