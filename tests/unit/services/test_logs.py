"""`logs`: structured, to standard error, without tokens and contents."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from allibe_services import log_level
from allibe_services.logs import configure_logging


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    log_level.set_level("info")
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", as_json=True)
    logger = structlog.get_logger("test")
    logger.debug("hidden")
    logger.info("shown", count=3)
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["count"]) == ("shown", "info", 3)
    assert entry["timestamp"].endswith("Z")


def test_the_level_can_be_changed_at_any_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Also for loggers that have been used."""
    configure_logging("info", as_json=True)
    logger = structlog.get_logger("test")
    bound = logger.bind(connection="c1")

    def said() -> list[str]:
        for name in log_level.LOG_LEVELS:
            getattr(logger, name)(name)
        bound.debug("bound")
        return [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]

    assert (said(), log_level.debugs()) == (["info", "warning", "error"], False)
    log_level.set_level("debug")
    assert (said(), log_level.debugs()) == (["debug", "info", "warning", "error", "bound"], True)
    log_level.set_level("error")
    assert (said(), log_level.level()) == (["error"], "error")
    log_level.set_level("warning")
    assert said() == ["warning", "error"]


def test_libraries_are_json_too_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers.clear()  # pytest's; a process begins without any
    configure_logging("debug", as_json=True)
    library = logging.getLogger("some.library")
    library.info("hidden")
    try:
        _fail("x")
    except LookupError:
        library.exception("It %s", "failed")
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["logger"]) == ("It failed", "error", library.name)
    assert "LookupError" in entry["exception"]
    log_level.set_level("error")
    library.warning("hidden")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_values_of_variables(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """Tokens and contents stand in variables."""
    configure_logging("info", as_json=as_json)
    try:
        _fail("hunter" * 2)
    except LookupError:
        structlog.get_logger("test").exception("failed")
    shown = capsys.readouterr().err
    assert "LookupError" in shown
    assert "hunterhunter" not in shown


def test_what_clients_put_into_a_handshake_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """aiohttp quotes subprotocols that it does not know; browsers can bring a token only there."""
    configure_logging("debug", as_json=True)
    logging.getLogger("aiohttp.websocket").warning("Client protocols %r", ["hunter2"])
    assert "hunter2" not in caplog.text


def test_what_is_no_http_is_not_logged_but_faults_of_ours_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """aiohttp quotes the request line, which may hold a token."""
    configure_logging("debug", as_json=True)
    logger = logging.getLogger("aiohttp.server")
    for error in (BadHttpMessage("GET /?token=hunter2"), LookupError("ours")):
        logger.error("Error handling request", exc_info=error)
    assert "hunter2" not in caplog.text
    assert "ours" in caplog.text


@pytest.mark.parametrize("level", ["", "all", "10"])
def test_an_unknown_level_is_named(level: str) -> None:
    with pytest.raises(ValueError, match=r"^ALLIBE_LOG_LEVEL: one of debug"):
        configure_logging(level, as_json=True)


def _fail(secret: str) -> None:
    raise LookupError(len(secret))
