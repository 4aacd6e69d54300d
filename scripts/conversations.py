"""What is said on the pictures of the chat page, and by whom."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.support.stock import PastRoom, Said

NOW = datetime(2026, 3, 12, 14, 32, tzinfo=ZoneInfo("Asia/Seoul"))


class Conversation(NamedTuple):
    """Rooms as one user sees them; the first is the one that is open."""

    user: str
    name: str
    rooms: tuple[PastRoom, ...]
    members: str
    """What stands below the open room's name."""


def _at(days_ago: int, time: str) -> datetime:
    hour, minute = map(int, time.split(":"))
    return NOW.replace(hour=hour, minute=minute) - timedelta(days=days_ago)


_ALICE, _BOB, _CAROL, _DAN = ("alice", "Alice"), ("bob", "Bob"), ("carol", "Carol"), ("dan", "Dan")


def _said(who: tuple[str, str], days_ago: int, time: str, content: str) -> Said:
    user, name = who
    return Said(user, content, _at(days_ago, time), name)


ENGLISH = Conversation(
    "alice",
    "Alice",
    (
        PastRoom(
            "launch",
            "Spring launch",
            ("alice", "bob", "carol", "dan"),
            (
                _said(
                    _CAROL, 1, "17:40", "The new page is on staging: https://staging.example.com"
                ),
                _said(_DAN, 1, "17:42", "Looks great on my phone!"),
                _said(_DAN, 1, "17:42", "Only the button on the last step is a little small."),
                _said(_ALICE, 1, "17:51", "Good catch. I will make it larger tonight."),
                _said(_ALICE, 0, "9:12", "Done, and the tests are green."),
                _said(_CAROL, 0, "9:15", "🎉"),
                _said(_BOB, 0, "9:16", "Then we can ship today?"),
                _said(_CAROL, 0, "9:41", "From my side, yes. Two small fixes in the texts are in."),
                _said(_BOB, 0, "14:26", "It is live! 🚀"),
                _said(_BOB, 0, "14:27", "And nobody lost a message while it was deployed."),
                _said(_DAN, 0, "14:30", "Cake in the kitchen at three 🍰"),
                _said(_ALICE, 0, "14:31", "On my way!"),
            ),
            {"alice": 8},
        ),
        PastRoom(
            "weekend-hike",
            "Weekend hike",
            ("carol", "alice", "bob"),
            (
                _said(_BOB, 0, "12:05", "Who drives?"),
                _said(_CAROL, 0, "12:18", "I do. Seats for three"),
                _said(_CAROL, 0, "12:18", "The forecast says sun until four 🌤"),
            ),
        ),
        PastRoom(
            "friends",
            "Bob",
            ("bob", "alice"),
            (_said(_ALICE, 0, "11:20", "Noodles at noon? 🍜"),),
            {"alice": 1},
        ),
        PastRoom(
            "books",
            "Book club",
            ("dan", "alice", "carol"),
            (_said(_DAN, 1, "21:03", "Chapter five is my favourite so far"),),
            {"alice": 1},
        ),
        PastRoom(
            "reading",
            "Design reviews",
            ("carol", "alice", "dan"),
            (_said(_CAROL, 2, "16:30", "The new icons are in the shared folder"),),
        ),
        PastRoom(
            "kitchen",
            "Kitchen",
            ("bob", "alice", "carol", "dan"),
            (_said(_BOB, 3, "8:45", "The coffee machine works again ☕️"),),
            {"alice": 1},
        ),
    ),
    "4 members",
)

_SEOYEON, _MINJUN, _JIWOO = ("seoyeon", "서연"), ("minjun", "민준"), ("jiwoo", "지우")
_HAYUN = ("ha.yun", "하윤")

KOREAN = Conversation(
    "seoyeon",
    "서연",
    (
        PastRoom(
            "bukhansan",
            "토요일 북한산",
            ("jiwoo", "seoyeon", "minjun", "ha.yun"),
            (
                _said(_JIWOO, 1, "18:02", "코스 정리했어요. https://example.com/bukhansan"),
                _said(_JIWOO, 1, "18:02", "천천히 걸어도 왕복 네 시간이면 돼요."),
                _said(_SEOYEON, 1, "18:10", "고마워요! 김밥은 제가 준비할게요 🙌"),
                _said(_MINJUN, 1, "18:21", "그럼 저는 커피 담당 ☕️"),
                _said(_HAYUN, 0, "9:05", "토요일에 비 온다는데 괜찮을까요?"),
                _said(_MINJUN, 0, "9:07", "오후부터래요. 아침 일찍 출발하면 될 것 같아요."),
                _said(_SEOYEON, 0, "9:12", "그럼 7시에 구파발역 2번 출구에서 만나요."),
                _said(_JIWOO, 0, "14:26", "좋아요! 일정 7시로 바꿔 둘게요."),
                _said(_HAYUN, 0, "14:28", "저도 갈게요. 우비도 챙길게요 💪"),
                _said(_SEOYEON, 0, "14:31", "토요일에 봐요!"),
            ),
            {"seoyeon": 7},
        ),
        PastRoom(
            "lunch",
            "점심 뭐 먹지",
            ("minjun", "seoyeon", "ha.yun"),
            (
                _said(_HAYUN, 0, "11:40", "오늘은 냉면 어때요?"),
                _said(_MINJUN, 0, "11:42", "좋죠! 12시에 1층에서 봐요"),
            ),
        ),
        PastRoom(
            "team",
            "디자인팀",
            ("jiwoo", "seoyeon"),
            (_said(_SEOYEON, 0, "10:20", "시안 올렸어요. 편할 때 봐 주세요."),),
            {"seoyeon": 1},
        ),
        PastRoom(
            "books",
            "독서 모임",
            ("ha.yun", "seoyeon", "jiwoo"),
            (_said(_HAYUN, 1, "21:03", "이번 달 책은 5장까지 읽어 와요"),),
            {"seoyeon": 1},
        ),
        PastRoom(
            "photos",
            "사진 동호회",
            ("minjun", "seoyeon", "jiwoo", "ha.yun"),
            (_said(_MINJUN, 2, "16:30", "벚꽃 출사 날짜 투표해 주세요 🌸"),),
        ),
    ),
    "참여자 4명",
)
