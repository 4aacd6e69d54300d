"""`push.ways`: what the settings open, and what is wrong with them."""

import base64
from typing import Any

import pytest

from allibe_fanout_worker.push.ways import Ways, check, ways_of
from allibe_services.contracts.push_queue import WEBHOOK, Browser
from allibe_services.settings import Settings
from allibe_services.vapid import VapidKey
from tests.support.push_browser import PushBrowser

KEY = {
    "vapid_private_key": VapidKey.generate().private_key,
    "vapid_subject": "mailto:ops@chat.example",
}
SECRET = base64.b64encode(bytes(32)).decode()
HOOK = {"push_webhook_url": "https://hooks.internal:8443/push", "push_webhook_secrets": SECRET}
BROWSER = Browser("b-1", PushBrowser().subscription("https://push.example.net/1"))


async def opened(**settings: Any) -> Ways | None:
    check(Settings(**settings))
    async with ways_of(Settings(**settings)) as ways:
        return ways


async def test_without_key_and_webhook_there_are_none() -> None:
    assert await opened() is None
    assert await opened(push_hosts="*.push.example.net", vapid_subject=KEY["vapid_subject"]) is None


async def test_a_key_opens_the_way_to_browsers() -> None:
    ways = await opened(**KEY, push_hosts="fcm.googleapis.com, *.push.apple.com")
    assert ways is not None
    assert not ways.reach_everybody
    assert list(ways.to([BROWSER])) == ["b-1"]
    assert ways.to([]) == {}


async def test_a_webhook_reaches_everybody_and_without_a_key_no_browser() -> None:
    ways = await opened(**HOOK)
    assert ways is not None
    assert ways.reach_everybody
    assert list(ways.to([BROWSER])) == [WEBHOOK]


async def test_both_are_for_each_user() -> None:
    ways = await opened(**KEY, **HOOK)
    assert ways is not None
    assert list(ways.to([BROWSER])) == ["b-1", WEBHOOK]


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"vapid_private_key": "x"}, "VAPID_PRIVATE_KEY"),
        ({"vapid_private_key": KEY["vapid_private_key"]}, "VAPID_SUBJECT"),
        ({**KEY, "vapid_subject": "me"}, "VAPID_SUBJECT"),
        ({**KEY, "push_hosts": "https://push.example.net"}, "PUSH_HOSTS"),
        ({**HOOK, "push_webhook_secrets": None}, "PUSH_WEBHOOK_SECRETS"),
        ({**HOOK, "push_webhook_secrets": "short"}, "PUSH_WEBHOOK_SECRETS"),
        ({**HOOK, "push_webhook_url": "http://hooks.internal/"}, "PUSH_WEBHOOK_URL"),
        ({**HOOK, "push_webhook_url": "hooks.internal"}, "PUSH_WEBHOOK_URL"),
        ({**HOOK, "push_webhook_url": "https://user@hooks.internal/"}, "PUSH_WEBHOOK_URL"),
        ({**HOOK, "push_webhook_url": "https://hooks.internal:99999/"}, "PUSH_WEBHOOK_URL"),
    ],
)
async def test_an_unfit_setting_is_named_without_secrets(
    settings: dict[str, Any], variable: str
) -> None:
    with pytest.raises(ValueError, match=f"^ALLIBE_{variable}: ") as told:
        check(Settings(**settings))
    assert "short" not in str(told.value)
    with pytest.raises(ValueError, match=f"^ALLIBE_{variable}: "):
        async with ways_of(Settings(**settings)):
            pass
