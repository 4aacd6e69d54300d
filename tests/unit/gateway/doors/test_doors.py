"""The small parts of doors: disconnects, bodies, destinations, queues, views, frames."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_gateway.doors import destinations
from allibe_gateway.doors.base import disconnect_for
from allibe_gateway.doors.bodies import MessageBody, decode
from allibe_gateway.doors.stomp_queues import UserQueues
from allibe_gateway.doors.stomp_view import stomp_view
from allibe_gateway.stomp import FrameParser, Version
from allibe_gateway.websocket_frames import text_frame
from allibe_services.contracts import disconnects, errors
from allibe_services.contracts.disconnects import TABLE
from allibe_services.contracts.errors import AllibeError, BadRequest, Conflict, Refused
from allibe_services.contracts.events import Notification, RoomLeft
from allibe_services.contracts.ids import UserId
from tests.unit.gateway.fakes import ROOM, message

_decoder = msgspec.json.Decoder(MessageBody)
ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AllibeError) and hasattr(kind, "code")
]


class TestDisconnects:
    """One table of forced closes; each error ends a connection by an entry of it."""

    @pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.code)
    def test_every_error_has_its_entry(self, kind: type[AllibeError]) -> None:
        """What may be tried again lets the client come back; what may not, does not."""
        entry = disconnect_for(kind())
        assert entry in TABLE
        if not issubclass(kind, errors.TokenRequired):
            assert entry.reconnect == kind.retryable
        else:
            assert entry.new_token

    def test_what_is_no_error_of_ours_is_internal(self) -> None:
        assert disconnect_for(AllibeError("x")) is disconnects.INTERNAL_ERROR

    def test_codes_are_unique_and_reasons_fit_a_close_frame(self) -> None:
        """RFC 6455 §5.5: 125 bytes with the code."""
        assert len({entry.code for entry in TABLE}) == len(TABLE)
        assert all(len(entry.reason.encode()) <= 123 for entry in TABLE)

    def test_retryable_is_what_may_be_tried_again(self) -> None:
        for kind in ERRORS:
            assert kind.retryable != issubclass(kind, Refused)


class TestBodies:
    def test_unknown_fields_are_ignored(self) -> None:
        body = decode(_decoder, b'{"content":"x","roomId":"1","more":[1]}')
        assert body == MessageBody(content="x", room_id="1")

    @pytest.mark.parametrize(
        "body",
        [
            b'{"content":"hunter2","roomId":7}',
            b'{"content":["hunter2"],"roomId":"1"}',
            b'{"hunter2":"1"}',
            b'{"content":"hunter2"',
            b"hunter2",
            b'"hunter2"',
        ],
    )
    def test_errors_name_fields_and_never_values(self, body: bytes) -> None:
        """They go to clients and into logs."""
        with pytest.raises(BadRequest) as caught:
            decode(_decoder, body)
        assert "hunter2" not in caught.value.message

    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def test_anything_else_is_a_bad_request(self, body: bytes) -> None:
        try:
            decode(_decoder, body)
        except BadRequest:
            return

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        )
    )
    def test_so_is_json_of_another_shape(self, value: object) -> None:
        try:
            body = decode(_decoder, msgspec.json.encode({"content": value, "roomId": value}))
        except BadRequest:
            return
        assert body.content == value


class TestDestinations:
    @given(st.text(max_size=30) | st.text(max_size=20).map("/topic/rooms/{}".format))
    def test_text_is_a_destination_or_refused(self, text: str) -> None:
        """Never another user's queue, never a pattern."""
        try:
            target = destinations.parse(text)
        except BadRequest:
            return
        if isinstance(target, destinations.RoomStream):
            assert text.startswith(f"/topic/rooms/{target.room_id}")
            assert not set("*#>/. ").intersection(target.room_id)
        else:
            assert text == f"/user/queue/{target.name}"


class TestUserQueues:
    def test_each_queue_is_subscribed_to_once(self) -> None:
        queues = UserQueues()
        queues.add("rooms", "a", "a")
        with pytest.raises(Conflict):
            queues.add("rooms", "b", "b")
        assert "a" in queues
        assert "b" not in queues
        assert queues.remove("a")
        assert not queues.remove("a")
        queues.add("rooms", "b", "b")

    def test_an_event_goes_to_its_queue_if_somebody_listens(self) -> None:
        queues = UserQueues()
        user = UserId("alice")
        left = RoomLeft(to=user, room_id=ROOM)
        news = Notification(to=user, room_id=ROOM, message=message(1), unread_count=1)
        assert list(queues.for_event(left)) == []
        queues.add("rooms", "a", "a")
        assert [name for _, name in queues.for_event(left)] == ["rooms"]
        assert list(queues.for_event(news)) == []
        queues.add("notifications", "b", "b")
        assert [name for _, name in queues.for_event(news)] == ["notifications"]

    @pytest.mark.parametrize("version", list(Version))
    def test_a_hint_goes_to_who_listens_to_errors(self, version: Version) -> None:
        """In the body, and in a header for clients that look at no bodies of types unknown."""
        queues = UserQueues()
        assert queues.hint(version, 700) is None
        queues.add("errors", "a", "a")
        parser = FrameParser()
        parser.version = version
        hint = queues.hint(version, 700)
        assert hint is not None
        (frame,) = parser.feed(hint)
        assert frame.headers["x-reconnect-ms"] == "700"
        assert frame.headers["subscription"] == "a"
        assert frame.body == b'{"type":"reconnect","inMs":700}'


class TestViews:
    def test_equal_subscriptions_share_one_view(self) -> None:
        """DESIGN §2: one encoding for all of them."""
        one = stomp_view(text_frame, Version.V1_2, "s", "/topic/rooms/1", ack=False)
        assert one is stomp_view(text_frame, Version.V1_2, "s", "/topic/rooms/1", ack=False)
        others = [
            stomp_view(text_frame, Version.V1_1, "s", "/topic/rooms/1", ack=False),
            stomp_view(text_frame, Version.V1_2, "t", "/topic/rooms/1", ack=False),
            stomp_view(text_frame, Version.V1_2, None, "/topic/rooms/1", ack=False),
            stomp_view(text_frame, Version.V1_2, "s", "/topic/rooms/2", ack=False),
            stomp_view(text_frame, Version.V1_2, "s", "/topic/rooms/1", ack=True),
            stomp_view(bytes.upper, Version.V1_2, "s", "/topic/rooms/1", ack=False),
        ]
        assert one not in others
        assert len(set(others)) == len(others)
        assert one != object()


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_a_text_frame_is_as_rfc_6455_has_it(length: int) -> None:
    """§5.2: final, text, not masked, in the shortest form of its length."""
    text = b"x" * length
    wire = text_frame(text)
    assert wire[0] == 0x81
    if length < 126:
        size, start = wire[1], 2
    elif length < 65536:
        assert wire[1] == 126
        size, start = int.from_bytes(wire[2:4]), 4
    else:
        assert wire[1] == 127
        size, start = int.from_bytes(wire[2:10]), 10
    assert (size, wire[start:]) == (length, text)
