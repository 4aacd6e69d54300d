"""`origins`: a page that may not connect is answered before anything else happens."""

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from allibe_gateway.origins import LONGEST_NAMED, MOST_NAMED, OriginCheck
from allibe_services.origins import Origins
from allibe_services.telemetry import GatewayMetrics


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def check(registry: CollectorRegistry) -> OriginCheck:
    return OriginCheck(Origins("https://a.example"), GatewayMetrics(registry))


def refused(check: OriginCheck, origin: str, path: str = "/ws/chat?token=secret") -> bool:
    request = make_mocked_request("GET", path, headers={"Origin": origin})
    return check.refusal(request) is not None


def test_a_listed_page_goes_on(check: OriginCheck, registry: CollectorRegistry) -> None:
    assert not refused(check, "https://a.example")
    assert registry.get_sample_value("allibe_gateway_errors_total", {"code": "x"}) is None


def test_another_gets_a_problem_and_is_counted(
    check: OriginCheck, registry: CollectorRegistry
) -> None:
    request = make_mocked_request("GET", "/ws/chat", headers={"Origin": "https://evil.example"})
    answer = check.refusal(request)
    assert answer is not None
    assert (answer.status, answer.content_type) == (403, "application/problem+json")
    assert isinstance(answer.body, bytes)
    assert msgspec.json.decode(answer.body)["code"] == "origin_not_allowed"
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in answer.headers
    labels = {"code": "origin_not_allowed"}
    assert registry.get_sample_value("allibe_gateway_errors_total", labels) == 1


def test_the_log_names_an_origin_once_and_no_address(check: OriginCheck) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            assert refused(check, "https://evil.example")
    assert logs == [
        {"event": "origin_refused", "origin": "https://evil.example", "log_level": "warning"}
    ]


def test_an_origin_writes_nothing_else_into_the_log(check: OriginCheck) -> None:
    with capture_logs() as logs:
        assert refused(check, "https://a\x9b2J.example")
    assert logs[0]["origin"] == r"https://a\x9b2J.example"


def test_the_log_is_bounded_whatever_is_sent(check: OriginCheck) -> None:
    with capture_logs() as logs:
        for number in range(MOST_NAMED + 50):
            assert refused(check, f"https://{number}.example/" + "x" * 5000)
    assert len(logs) == MOST_NAMED
    assert all(len(one["origin"]) == LONGEST_NAMED for one in logs)
