"""`settings`: environment variables in, one frozen struct out; nothing secret in messages."""

from pathlib import Path

import msgspec
import pytest

from allibe_services.settings import SECRETS, Settings, load, shown, table
from tests.unit.services.keys import SECRET


def test_without_variables_every_setting_has_its_default() -> None:
    assert load({}) == Settings()


def test_it_reads_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLIBE_PORT", "9000")
    assert load().port == 9000


def test_values_get_the_type_of_their_setting() -> None:
    settings = load(
        {
            "ALLIBE_HOST": "::1",
            "ALLIBE_PORT": "0",
            "ALLIBE_SIGN_IN_SECONDS": "2.5",
            "ALLIBE_TAIL_BYTES": "2048",
            "ALLIBE_JWT_AUDIENCE": "123",
            "PATH": "/bin",
            "OTHER_ALLIBE_PORT": "x",
        }
    )
    assert (settings.host, settings.port, settings.sign_in_seconds) == ("::1", 0, 2.5)
    assert (settings.tail_bytes, settings.jwt_audience) == (2048, "123")


def test_an_empty_variable_is_an_absent_one() -> None:
    """Compose files and Helm charts set variables to nothing."""
    assert load({"ALLIBE_PORT": "", "ALLIBE_JWT_SECRET": "", "ALLIBE_JWT_SECRET_FILE": ""}) == (
        Settings()
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {"ALLIBE_BUS_URL_FILE": "/nowhere", "ALLIBE_JWT_SECRET_FILE": "/nowhere"}
    wrong |= {"ALLIBE_PROT": "3", "ALLIBE_PORT": "abc", "ALLIBE_DRAIN_SECONDS": "a while"}
    with pytest.raises(ValueError, match="ALLIBE_PROT") as raised:
        load(wrong)
    told = str(raised.value).split("; ")
    assert [one.split(":")[0] for one in told] == list(wrong)


@pytest.mark.parametrize("name", ["ALLIBE_PROT", "ALLIBE_", "ALLIBE_PORT_FILE", "ALLIBE_HOST_"])
def test_an_unknown_variable_is_refused_by_name(name: str) -> None:
    """A typo in a limit should not go unnoticed."""
    with pytest.raises(ValueError, match=f"^{name}: there is no such setting$"):
        load({name: "hunter2"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLIBE_PORT", "http"),
        ("ALLIBE_PORT", "80.5"),
        ("ALLIBE_PORT", "-1"),
        ("ALLIBE_PORT", "65536"),
        ("ALLIBE_SHARDS", "0"),
        ("ALLIBE_SHARDS", "257"),
        ("ALLIBE_DATABASE_CONNECTIONS", "1001"),
        ("ALLIBE_OPS_PORT", "true"),
        ("ALLIBE_SIGN_IN_SECONDS", "0"),
        ("ALLIBE_SIGN_IN_SECONDS", "nan"),
        ("ALLIBE_SIGN_IN_SECONDS", "inf"),
        ("ALLIBE_DRAIN_SECONDS", "ten"),
        ("ALLIBE_IN_FLIGHT_PER_CONNECTION", "0"),
        ("ALLIBE_SLOW_CONSUMER_BYTES", "1"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: Expected"):
        load({name: value})


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("ALLIBE_LIMIT_USER_MESSAGES", "20/40 (20 a second, 40 at once)"),
        ("ALLIBE_LIMIT_SLOW_MODE", "10 (seconds)"),
        ("ALLIBE_LIMIT_USER_CONNECTIONS", "100"),
    ],
)
def test_a_limit_that_is_none_is_answered_with_an_example(name: str, example: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: Expected something like") as told:
        load({name: "lots"})
    assert example in str(told.value)
    assert "off" in str(told.value)
    assert "[0-9]" not in str(told.value)


class TestSecrets:
    """None has a default, each may come from a file, none is ever shown."""

    def test_none_has_a_default(self) -> None:
        assert {getattr(Settings(), name) for name in SECRETS} == {None}

    def test_a_file_supplies_one(self, tmp_path: Path) -> None:
        path = tmp_path / "secret"
        path.write_text(f" {SECRET}\n")
        assert load({"ALLIBE_JWT_SECRET_FILE": str(path)}).jwt_secret == SECRET

    @pytest.mark.parametrize("name", ["ALLIBE_BUS_URL", "ALLIBE_DATABASE_URL", "ALLIBE_REDIS_URL"])
    def test_a_file_supplies_a_url_with_a_password_of_which_the_rest_is_shown(
        self, tmp_path: Path, name: str
    ) -> None:
        path = tmp_path / "url"
        path.write_text("scheme://chat:hunter2@host/0\n")
        settings = load({f"{name}_FILE": str(path)})
        field = name.removeprefix("ALLIBE_").lower()
        assert getattr(settings, field) == "scheme://chat:hunter2@host/0"
        assert shown(settings)[name] == "scheme://chat:***@host/0"

    def test_the_variable_itself_comes_first(self, tmp_path: Path) -> None:
        settings = load(
            {"ALLIBE_JWT_SECRET": SECRET, "ALLIBE_JWT_SECRET_FILE": str(tmp_path / "absent")}
        )
        assert settings.jwt_secret == SECRET

    def test_a_file_that_cannot_be_read_is_named_and_not_quoted(self, tmp_path: Path) -> None:
        path = tmp_path / "secret"
        with pytest.raises(ValueError, match=r"^ALLIBE_JWT_SECRET_FILE: .*FileNotFoundError$"):
            load({"ALLIBE_JWT_SECRET_FILE": str(path)})
        path.write_bytes(b"hunter2\xff")
        with pytest.raises(ValueError, match="UnicodeDecodeError") as caught:
            load({"ALLIBE_JWT_SECRET_FILE": str(path)})
        assert "hunter2" not in str(caught.value)

    def test_shown_hides_them(self) -> None:
        assert shown(Settings(jwt_secret=SECRET))["ALLIBE_JWT_SECRET"] == "(set, hidden)"
        assert shown(Settings())["ALLIBE_JWT_SECRET"] == ""

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("postgresql://chat:hunter2@db:5432/chat", "postgresql://chat:***@db:5432/chat"),
            ("redis://:hunter2@cache/0", "redis://:***@cache/0"),
            ("amqps://chat:hunt%40er2@mq/%2f?heartbeat=5", "amqps://chat:***@mq/%2f?heartbeat=5"),
            ("amqp://chat:hunter2/@mq:hunter2@mq", "amqp://chat:***@mq"),
            ("postgresql://chat@db/chat", "postgresql://chat@db/chat"),
            ("sqlite:////var/lib/a@b:c/allibe.db", "sqlite:////var/lib/a@b:c/allibe.db"),
            ("inprocess:", "inprocess:"),
            ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
            ("postgresql://db/c?sslPassword=hunter2&a=b", "postgresql://db/c?sslPassword=***&a=b"),
            ("hunter2", "(not a URL, hidden)"),
            ("chat:hunter2@mq", "(not a URL, hidden)"),
            ("amqp:chat:hunter2@mq", "(not a URL, hidden)"),
            ("amqp://chat:hunter2", "(not a URL, hidden)"),
            ("amqp:///chat:hunter2@mq", "(not a URL, hidden)"),
            ("postgresql:///chat?host=/run/db", "postgresql:///chat?host=/run/db"),
            ("amqp://mq/chat:hunter2@mq", "(not a URL, hidden)"),
        ],
    )
    def test_shown_hides_the_password_in_a_url(self, url: str, expected: str) -> None:
        """`allibe check` is what people paste into tickets."""
        settings = Settings(database_url=url, bus_url=url, redis_url=url)
        for name in ("DATABASE", "BUS", "REDIS"):
            assert shown(settings)[f"ALLIBE_{name}_URL"] == expected


def test_shown_names_every_variable_with_its_value() -> None:
    values = shown(Settings(port=9000))
    assert values["ALLIBE_PORT"] == "9000"
    assert set(values) == {f"ALLIBE_{name.upper()}" for name in Settings.__struct_fields__}


def test_the_table_describes_every_setting() -> None:
    """docs/settings.md is made from it."""
    rows = table()
    assert [name for name, _, _ in rows] == list(shown(Settings()))
    for name, default, description in rows:
        assert description.endswith("."), name
        value = getattr(Settings(), name.removeprefix("ALLIBE_").lower())
        assert default == ("" if value is None else str(value)), name


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]
    assert msgspec.structs.replace(Settings(), port=1).port == 1
