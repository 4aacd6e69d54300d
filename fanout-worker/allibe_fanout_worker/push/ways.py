"""The ways to a user: their browsers, and the operator's webhook. From the settings, or none."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from allibe_fanout_worker.push.base import PushProvider
from allibe_fanout_worker.push.signing import read_secrets
from allibe_fanout_worker.push.webhook import Webhook
from allibe_fanout_worker.push.webpush import WebPush
from allibe_services.contracts.push_queue import WEBHOOK, Browser
from allibe_services.outbound import LoopbackForTests, Rules, UrlRefused, outbound_client
from allibe_services.settings import PREFIX, Settings
from allibe_services.vapid import VapidKey, checked_subject

_Made = TypeVar("_Made")


class Ways:
    """What sends to a user. At least one of the two."""

    def __init__(self, web_push: WebPush | None, webhook: PushProvider | None) -> None:
        self._web_push = web_push
        self._webhook = webhook

    @property
    def reach_everybody(self) -> bool:
        """Whether a user without a browser is reached, too."""
        return self._webhook is not None

    def to(self, browsers: Sequence[Browser]) -> dict[str, PushProvider]:
        """Return what sends to a user with these browsers, by the subscription's id."""
        ways: dict[str, PushProvider] = {}
        if self._web_push is not None:
            for browser in browsers:
                ways[browser.subscription_id] = self._web_push.to(browser.subscription)
        if self._webhook is not None:
            ways[WEBHOOK] = self._webhook
        return ways


def check(settings: Settings) -> None:
    """Raise `ValueError` that names the setting, where one of those of pushes is unfit."""
    _vapid(settings)
    browser_rules(settings)
    if settings.push_webhook_url is not None:
        _webhook_rules(settings.push_webhook_url, None)
        _secrets(settings)


def browser_rules(settings: Settings, loopback: LoopbackForTests | None = None) -> Rules:
    """Return where browsers may be pushed to. Raises `ValueError` as `check`."""
    hosts = tuple(host.strip() for host in settings.push_hosts.split(",") if host.strip())
    return _named("PUSH_HOSTS", lambda: Rules(hosts=hosts, loopback=loopback))


@asynccontextmanager
async def ways_of(
    settings: Settings, *, loopback: LoopbackForTests | None = None
) -> AsyncIterator[Ways | None]:
    """Give the ways that the settings open; None without a VAPID key and a webhook.

    Raises `ValueError` as `check`.
    """
    key = _vapid(settings)
    if key is None and settings.push_webhook_url is None:
        yield None
        return
    async with AsyncExitStack() as stack:
        web_push, webhook = None, None
        if key is not None:
            rules = browser_rules(settings, loopback)
            client = await stack.enter_async_context(outbound_client(rules))
            web_push = WebPush(client, *key)
        if settings.push_webhook_url is not None:
            # A pool of its own: browsers' push services do not stand in its way.
            rules = _webhook_rules(settings.push_webhook_url, loopback)
            client = await stack.enter_async_context(outbound_client(rules))
            webhook = Webhook(client, settings.push_webhook_url, _secrets(settings))
        yield Ways(web_push, webhook)


def _vapid(settings: Settings) -> tuple[VapidKey, str] | None:
    if settings.vapid_subject is not None:
        subject = _named("VAPID_SUBJECT", lambda: checked_subject(settings.vapid_subject or ""))
    if settings.vapid_private_key is None:
        return None
    text = settings.vapid_private_key
    key = _named("VAPID_PRIVATE_KEY", lambda: VapidKey.read(text))
    if settings.vapid_subject is None:
        raise ValueError(f"{PREFIX}VAPID_SUBJECT: needed with {PREFIX}VAPID_PRIVATE_KEY")
    return key, subject


def _webhook_rules(url: str, loopback: LoopbackForTests | None) -> Rules:
    return _named("PUSH_WEBHOOK_URL", lambda: Rules.for_operator(url, loopback=loopback))


def _secrets(settings: Settings) -> list[str]:
    given = settings.push_webhook_secrets or ""
    secrets = [text.strip() for text in given.split(",") if text.strip()]
    _named("PUSH_WEBHOOK_SECRETS", lambda: read_secrets(secrets))
    return secrets


def _named(variable: str, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except (ValueError, UrlRefused) as error:
        raise ValueError(f"{PREFIX}{variable}: {error}") from None
