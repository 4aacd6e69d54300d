"""`traces`: begun where the settings want some, and nothing is loaded where they want none."""

import subprocess
import sys
import threading

import pytest
from structlog.testing import capture_logs

from allibe_services import tracing
from allibe_services.opentelemetry import OpenTelemetryTracer
from allibe_services.settings import Settings
from allibe_standalone import traces
from allibe_standalone.checks import problems

URL = "http://127.0.0.1:9/v1/traces"


def settings(url: str) -> Settings:
    return Settings(traces_url=url, jwt_secret="a secret that is long enough for HS256")


async def test_they_are_on_for_as_long_as_the_process_lasts() -> None:
    async with traces.traced(settings(URL), "gateway"):
        assert tracing.current is not None
    assert tracing.current is None


async def test_without_a_url_there_are_none() -> None:
    async with traces.traced(settings(""), "gateway"):
        assert tracing.current is None


def test_what_is_not_used_is_not_loaded() -> None:
    """It is an extra. (Redis' client loads parts of it by itself where it is installed.)"""
    ours, exporter = "allibe_services.opentelemetry", "opentelemetry.exporter"
    code = (
        f"import sys, allibe_standalone.cli; print({{'{ours}', '{exporter}'}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"set()\n"


@pytest.mark.parametrize("url", ["collector:4318", "grpc://collector:4317", "http://"])
async def test_another_url_is_named(url: str) -> None:
    with pytest.raises(ValueError, match=r"^ALLIBE_TRACES_URL: wanted http://"):
        async with traces.traced(settings(url), "gateway"):
            pass
    assert [one for one in problems(settings(url)) if "TRACES" in one] != []


def test_without_the_sdk_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"pip install 'allibe\[traces\]'$"):
        traces.check(settings(URL))


async def test_a_collector_that_hangs_does_not_keep_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces, "CLOSE_SECONDS", 0.01)
    hangs = threading.Event()
    monkeypatch.setattr(OpenTelemetryTracer, "close", lambda _: hangs.wait(60))
    with capture_logs() as logs:
        async with traces.traced(settings(URL), "gateway"):
            pass
    hangs.set()
    assert [one["event"] for one in logs] == ["traces_not_sent"]
