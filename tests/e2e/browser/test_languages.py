"""Korean and English: by the browser's language, or as chosen, which is kept."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.support.backstage import Backstage
from tests.support.browser import StartDemo, Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server
from tests.support.stock import PastRoom, Said

KOREAN = "ko-KR"
HANGUL = re.compile("[가-힣]")


def language_of(chat: ChatPage) -> str:
    return str(chat.page.evaluate("document.documentElement.lang"))


@pytest.mark.parametrize(
    ("locale", "language", "heading"),
    [
        ("ko-KR", "ko", "누구로 들어갈까요?"),
        ("en-US", "en", "Who are you today?"),
        ("en-GB", "en", "Who are you today?"),
        ("de-DE", "en", "Who are you today?"),
    ],
)
def test_the_page_speaks_the_browsers_language_where_it_knows_it(
    visit: Visit, locale: str, language: str, heading: str
) -> None:
    chat = visit(None, locale=locale)
    expect(chat.page.get_by_role("heading", name=heading)).to_be_visible()
    assert language_of(chat) == language


def test_all_of_it_is_korean(visit: Visit, server: Server, backstage: Backstage) -> None:
    """Names, times and what is read to screen readers alone included."""
    room = backstage.room(server, "산책 모임")
    backstage.say(server, room, "bob", "오늘 날씨 좋네요")
    alice = visit("alice", locale=KOREAN)
    page = alice.page
    rooms = page.get_by_role("navigation", name="채팅방")
    expect(rooms.get_by_role("link", name="산책 모임")).to_contain_text("읽지 않은 메시지 1개")
    rooms.get_by_role("link", name="산책 모임").click()
    field = page.get_by_role("textbox", name="산책 모임에 보낼 메시지")
    expect(field).to_be_focused()
    expect(alice.log).to_contain_text("오늘 날씨 좋네요")
    expect(alice.log.locator(".day")).to_have_text("오늘")
    expect(alice.rows.get_by_role("time").first).to_have_text(re.compile("오전|오후"))
    expect(page.get_by_role("button", name="참여자 2명")).to_be_visible()
    field.fill("그러게요")
    field.press("Enter")
    expect(alice.row("그러게요").get_by_title("보냄")).to_be_visible()
    labels = page.get_by_role("button").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label') ?? one.innerText)"
    )
    foreign = [label for label in labels if label and not HANGUL.search(label)]
    assert foreign == []


def test_another_language_can_be_chosen_and_is_kept(visit: Visit) -> None:
    alice = visit("alice", room="1")
    alice.button("Account and settings (Alice)").click()
    alice.page.get_by_text("한국어", exact=True).click()
    expect(alice.page.get_by_placeholder("메시지를 입력하세요")).to_be_visible()
    assert language_of(alice) == "ko"
    alice.page.reload()
    expect(alice.page.get_by_placeholder("메시지를 입력하세요")).to_be_visible()
    tab = alice.another_tab("bob", "1")
    expect(tab.page.get_by_placeholder("메시지를 입력하세요")).to_be_visible()
    tab.button("계정과 설정 (Bob)").click()
    tab.page.get_by_text("English", exact=True).click()
    for chat in (tab, alice):
        expect(chat.page.get_by_placeholder("Write a message")).to_be_visible()


def test_times_are_written_as_the_reader_writes_them(visit: Visit, start_demo: StartDemo) -> None:
    """Order and clock, in the reader's time zone: there are two kinds of English."""
    at = datetime(2026, 3, 2, 6, 5, tzinfo=UTC)
    server = start_demo(PastRoom("clock", "Clock", ("alice", "bob"), [Said("bob", "tick", at)]))
    for locale, time, day in (
        ("en-US", "3:05 PM", "Monday, March 2"),
        ("en-GB", "15:05", "Monday 2 March"),
        ("ko-KR", "오후 3:05", "3월 2일 월요일"),
    ):
        chat = visit("alice", server, room="clock", locale=locale, timezone_id="Asia/Seoul")
        expect(chat.row("tick").get_by_role("time")).to_have_text(time)
        expect(chat.log.locator(".day")).to_contain_text(day)
