"""`store.away`: one line when a database goes away, one when it is back."""

from structlog.testing import capture_logs

from allibe_services.store.away import Away


def test_only_changes_are_said() -> None:
    away = Away()
    with capture_logs() as logs:
        away.answered()
        for _ in range(3):
            away.failed("database_failed", error="OSError")
        away.failed("database_too_slow", seconds=5.0)
        away.failed("database_failed", error="57P03")
        for _ in range(3):
            away.failed("database_failed", error="OSError")
        away.answered()
        away.answered()
        away.failed("database_failed", error="OSError")
    assert logs == [
        {"log_level": "warning", "event": "database_failed", "error": "OSError"},
        {"log_level": "warning", "event": "database_too_slow", "seconds": 5.0},
        {"log_level": "warning", "event": "database_failed", "error": "57P03"},
        {"log_level": "info", "event": "database_back", "failures": 8},
        {"log_level": "warning", "event": "database_failed", "error": "OSError"},
    ]
