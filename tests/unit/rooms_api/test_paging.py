"""The text that stands for where the next page begins."""

import base64

import pytest
from aiohttp.test_utils import make_mocked_request

from allibe_rooms_api.paging import (
    PAGE_BYTES,
    after_member,
    after_room,
    fitting,
    link,
    member_place,
    room_place,
    split,
)
from allibe_services.contracts.errors import BadRequest
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import moment
from allibe_services.contracts.rooms import Member, Role, Room


def room(room_id: str, *, last: int | None, created: int) -> Room:
    return Room(
        room_id=RoomId(room_id),
        name="x",
        last_message=None,
        last_message_at=None if last is None else moment(last),
        last_message_sender=None,
        unread_count=0,
        read_offset=0,
        last_offset=0,
        epoch="e",
        role=Role.MEMBER,
        created_at=moment(created),
    )


def wrapped(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("room_id", ["1", "_-", "x" * 64])
@pytest.mark.parametrize(("last", "created", "activity"), [(7, 3, 7), (None, 3, 3), (0, 0, 0)])
def test_a_room_place_survives_the_round_trip(
    room_id: str, last: int | None, created: int, activity: int
) -> None:
    text = after_room(room(room_id, last=last, created=created))
    request = make_mocked_request("GET", f"/?after={text}")
    assert room_place(request) == (moment(activity), room_id)


@pytest.mark.parametrize("user", ["bob", "a/b?&=%", "~" * 128])
def test_a_member_place_survives_the_round_trip(user: str) -> None:
    text = after_member(Member(UserId(user), Role.MEMBER, moment(0), 0))
    assert member_place(make_mocked_request("GET", f"/?after={text}")) == user


def test_no_place_is_the_beginning() -> None:
    request = make_mocked_request("GET", "/")
    assert (room_place(request), member_place(request)) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "A",
        "é",
        "a b",
        wrapped("1.x").replace("M", "M!!!!"),
        wrapped("x"),
        wrapped("1"),
        wrapped("1."),
        wrapped(".x"),
        wrapped("-1.x"),
        wrapped("1.a b"),
        wrapped("1.x\n"),
        wrapped("٣.x"),
        wrapped("999999999999999.x"),
    ],
)
def test_a_room_place_that_was_never_given_out_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        room_place(make_mocked_request("GET", f"/?after={text}"))


@pytest.mark.parametrize("text", ["", "!", wrapped("a b"), wrapped("é"), wrapped("x" * 129)])
def test_a_member_place_that_was_never_given_out_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        member_place(make_mocked_request("GET", f"/?after={text}"))


def test_the_largest_place_is_a_moment() -> None:
    request = make_mocked_request("GET", f"/?after={wrapped('99999999999999.x')}")
    assert room_place(request) == (moment(99_999_999_999_999), "x")


@pytest.mark.parametrize(
    ("found", "page", "last"), [([], [], None), ([1, 2], [1, 2], None), ([1, 2, 3], [1, 2], 2)]
)
def test_one_more_than_the_limit_means_another_page(
    found: list[int], page: list[int], last: int | None
) -> None:
    assert split(found, 2) == (page, last)


def test_a_link_keeps_path_and_limit() -> None:
    request = make_mocked_request("GET", "/api/chat/rooms?limit=7&after=old")
    assert link(request, 7, "new") == {"Link": '</api/chat/rooms?limit=7&after=new>; rel="next"'}
    assert link(request, 7, None) == {}


def test_a_page_holds_exactly_as_many_bytes_as_fit() -> None:
    entry = "x" * (PAGE_BYTES // 2 - 2)
    assert fitting([entry, entry]) == [entry, entry]
    assert fitting([entry, entry + "x"]) == [entry]


def test_a_page_has_an_entry_wherever_there_is_one() -> None:
    assert fitting(["x" * PAGE_BYTES, "y"]) == ["x" * PAGE_BYTES]
    assert fitting([]) == []


def test_a_page_that_ends_for_its_bytes_has_a_next_one() -> None:
    entry = "x" * PAGE_BYTES
    assert split([entry, "y"], 2) == ([entry], entry)
    assert split([entry], 2) == ([entry], None)
