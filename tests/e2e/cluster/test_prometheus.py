"""A real Prometheus over the local cluster: all is scraped, dashboards and rules get answers."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from deploy.cluster.parts import Cluster
from deploy.cluster.servers import Prometheus
from deploy.cluster.servers.programs import find_program, run
from scripts.alerts_page import RULES
from scripts.docs import GRAFANA
from tests.support.clients import Clients
from tests.support.places import SignedPlace
from tests.support.promql import RULES_OWN, exported, metrics_in, with_samples
from tests.support.server import WAIT_SECONDS

INTERVAL = "1s"
WINDOW = "20s"
"""What `$__rate_interval` stands for here."""

SLOW = ".*(Slow|BudgetBurns|BudgetBurnsFast)"
"""Alerts on how long things take."""

BY_SIZE = "Memory by connection"
"""The one panel that shows nothing of a small deployment."""

_open = build_opener(ProxyHandler({})).open


@pytest.fixture(scope="module")
def prometheus(
    shared_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with shared_cluster.new_prometheus(folder, interval=INTERVAL) as prometheus:
        yield prometheus


def scrapes(cluster: Cluster) -> dict[str, str]:
    found = {}
    for service in cluster.services:
        with _open(f"{service.ops_url}/metrics", timeout=WAIT_SECONDS) as answer:
            found[service.name] = answer.read().decode()
    return found


def queries() -> list[tuple[str, str]]:
    """Return the title of its panel and the expression of each query of all dashboards."""
    return [
        (
            panel["title"],
            target["expr"].replace("$__rate_interval", WINDOW).replace("$instance", ".*"),
        )
        for path in sorted(GRAFANA.glob("*.json"))
        for panel in json.loads(path.read_text())["panels"]
        for target in panel.get("targets", ())
    ]


async def say_something(server: SignedPlace, clients: Clients) -> None:
    """Let alice talk, leave and come back for what she missed."""
    room = await clients.api(server, "alice").new_room(None, "bob")
    alice, bob = await clients.stomp(server, "alice"), await clients.stomp(server, "bob")
    await alice.subscribe(f"/topic/rooms/{room}")
    await bob.post(room, "one")
    last = (await alice.message()).headers["message-id"]
    await bob.post(room, "two")
    back = await clients.stomp(server, "alice")
    await back.subscribe(f"/topic/rooms/{room}", **{"x-since": last})


async def answered(prometheus: Prometheus, expression: str) -> bool:
    """Tell whether an expression has data, soon. Raises `ValueError` where it does not parse."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not await asyncio.to_thread(prometheus.query, expression):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True


async def test_every_process_is_scraped_under_its_job(
    cluster: Cluster, prometheus: Prometheus
) -> None:
    assert await answered(prometheus, "sum(up) == 5")
    jobs = prometheus.query("count by (job) (up == 1)")
    assert {one["metric"]["job"]: one["value"][1] for one in jobs} == {
        "gateway": "2",
        "fanout-worker": "2",
        "rooms-api": "1",
    }


async def test_every_rule_is_evaluated_and_nothing_would_fire(
    cluster: Cluster, prometheus: Prometheus
) -> None:
    """Nor is anything pending, which takes no minutes: but what a busy machine is slow with."""

    def rules() -> list[dict[str, str]]:
        groups = prometheus.api("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async with asyncio.timeout(WAIT_SECONDS):
        while {rule["health"] for rule in rules()} != {"ok"}:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.2)
    assert len(rules()) == sum(path.read_text().count(" expr:") for path in RULES.glob("*.yml"))
    assert prometheus.query('ALERTS{alertstate="firing"}') == []
    # The first evaluations may be of no scrape at all.
    quiet = f'sum(up offset 5s) == 5 unless on () ALERTS{{alertname!~"{SLOW}"}}'
    assert await answered(prometheus, quiet)


async def test_every_query_of_a_dashboard_has_an_answer(
    cluster: Cluster, server: SignedPlace, clients: Clients, prometheus: Prometheus
) -> None:
    """But those for what has not happened yet: there is no series of it before."""
    await say_something(server, clients)
    await asyncio.sleep(1)  # a rate needs a scrape before and one after
    await say_something(server, clients)
    scraped = "".join(scrapes(cluster).values())
    may_have, has = exported(scraped), with_samples(scraped)
    made_here = RULES_OWN | {name for name in has if name.startswith("process_")}
    for title, expression in queries():
        names = {name for name in metrics_in(expression) if not name.startswith("allibe:")}
        assert names <= may_have | made_here, expression
        if title != BY_SIZE and names <= has | RULES_OWN:
            assert await answered(prometheus, expression), expression
        else:
            await asyncio.to_thread(prometheus.query, expression)


async def test_what_waits_and_what_is_stored_is_seen(
    cluster: Cluster, server: SignedPlace, clients: Clients, prometheus: Prometheus
) -> None:
    await say_something(server, clients)
    assert await answered(prometheus, "sum(allibe_worker_messages_stored_total) >= 2")
    assert await answered(prometheus, "count(count by (shard) (allibe_worker_queue_length)) == 16")
    assert await answered(prometheus, "count(allibe_link_up == 1) == 20")
    complete = 'sum(allibe_gateway_recoveries_total{result="complete"}) >= 1'
    assert await answered(prometheus, complete)


async def test_what_a_process_exports_follows_the_conventions(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Prometheus' own check; of `python_…` and `process_…` it may think what it likes."""
    for name, scrape in scrapes(cluster).items():
        assert "_created" not in scrape
        lines = [line for line in scrape.splitlines(keepends=True) if "allibe_" in line]
        environment = {"PATH": "/usr/bin:/bin"}
        command = [find_program("promtool"), "check", "metrics"]
        done = run(command, environment=environment, cwd=tmp_path, text="".join(lines))
        assert (name, done.returncode, done.stdout + done.stderr) == (name, 0, "")
