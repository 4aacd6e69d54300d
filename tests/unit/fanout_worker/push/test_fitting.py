"""`push.fitting`: what a browser is told fits, whatever was written."""

import json

from hypothesis import given
from hypothesis import strategies as st

from allibe_fanout_worker.push.fitting import shown
from tests.unit.fanout_worker.push.pushes import push

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def test_what_fits_is_told_whole() -> None:
    told = shown(push(), most=4000)
    assert told is not None
    assert json.loads(told) == {
        "type": "notification",
        "roomId": "project",
        "offset": 42,
        "title": "Project Team",
        "body": "안녕하세요",
        "messages": 3,
        "unreadCount": 5,
    }


def test_a_long_body_loses_its_end_and_no_more() -> None:
    body = "가" * 8000
    told = shown(push(body=body), most=3993)
    assert told is not None
    assert 3990 < len(told) <= 3993
    kept = json.loads(told)["body"]
    assert kept == "가" * (len(kept) - 1) + "…"


@given(title=TEXT, body=TEXT, most=st.integers(0, 900))
def test_any_text_fits_or_the_title_alone_is_too_long(title: str, body: str, most: int) -> None:
    told = shown(push(title=title, body=body), most=most)
    if told is None:
        least = shown(push(title=title, body="…"), most=10_000)
        assert least is not None
        assert len(least) > most
        return
    assert len(told) <= most
    content = json.loads(told)
    assert content["title"] == title
    assert content["body"] == body or body.startswith(content["body"].removesuffix("…"))


def test_a_body_that_just_fits_is_not_cut() -> None:
    whole = shown(push(), most=4000)
    assert whole is not None
    assert shown(push(), most=len(whole)) == whole
    assert shown(push(), most=len(whole) - 1) != whole


def test_no_body_is_no_reason_to_fail() -> None:
    told = shown(push(body=""), most=4000)
    assert told is not None
    assert json.loads(told)["body"] == ""
