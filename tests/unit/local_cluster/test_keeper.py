"""The keeper starts again what has ended, soon and then less soon, and stops when it is told."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.cluster import keeper
from deploy.cluster.keeper import Keeper
from deploy.cluster.servers import PrivateServer, ServerFailed

PATIENCE = 10.0


class FakePart(PrivateServer):
    """Runs when it is told so; counts its starts."""

    name = "part"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.starts: list[float] = []
        self.running = True
        self.fails_with: Exception | None = None
        self.takes_long = False

    @property
    def is_running(self) -> bool:
        return self.running

    @property
    def pid(self) -> int:
        return 42

    def start(self) -> None:
        self.starts.append(time.monotonic())
        while self.takes_long:
            self._check_wanted()
            time.sleep(0.005)
        if self.fails_with is not None:
            raise self.fails_with
        self.running = True


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePart]:
    """A part that runs, and a keeper that is quick."""
    monkeypatch.setattr(keeper, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(keeper, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(keeper, "LONGEST_PAUSE", 0.08)
    part = FakePart(tmp_path)
    yield part
    part.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def keep(said: list[str]) -> Iterator[Callable[..., Keeper]]:
    made: list[Keeper] = []

    def start(*parts: PrivateServer) -> Keeper:
        made.append(Keeper(parts, said.append))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_what_runs_is_left_alone(
    part: FakePart, keep: Callable[..., Keeper], said: list[str]
) -> None:
    keep(part).stop()
    assert (part.starts, said) == ([], [])


def test_what_has_ended_is_started_again_and_both_is_told(
    part: FakePart, keep: Callable[..., Keeper], said: list[str]
) -> None:
    keep(part)
    part.running = False
    until(lambda: len(said) == 2)
    assert said == [
        "part has ended; it is started again in 0.0 s",
        "part is up again (pid 42)",
    ]
    assert len(part.starts) == 1


def test_pauses_grow_up_to_the_longest(part: FakePart, keep: Callable[..., Keeper]) -> None:
    """What cannot start must not cost a processor."""
    part.fails_with = ServerFailed("part: no\nlog")
    keep(part)
    part.running = False
    until(lambda: len(part.starts) == 6)
    pauses = [after - before for before, after in zip(part.starts, part.starts[1:], strict=False)]
    for pause, least in zip(pauses, [0.04, 0.08, 0.08, 0.08, 0.08], strict=True):
        assert pause >= least


def test_what_ran_for_long_is_started_soon_again(
    part: FakePart, keep: Callable[..., Keeper], monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """A crash now and then is no reason to wait longer each time."""
    monkeypatch.setattr(keeper, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(keeper, "LONGEST_PAUSE", 10.0)
    monkeypatch.setattr(keeper, "STEADY_SECONDS", 0.05)
    keep(part)
    for _ in range(3):
        time.sleep(0.1)
        part.running = False
        until(lambda: part.running)
    until(lambda: len(said) == 6)
    assert {text for text in said if "has ended" in text} == {
        "part has ended; it is started again in 0.1 s"
    }


@pytest.mark.parametrize(
    "error", [ServerFailed("part: no\nits log"), OSError("part: no"), TimeoutError("part: no")]
)
def test_a_failed_start_is_one_line_and_tried_again(
    part: FakePart, keep: Callable[..., Keeper], said: list[str], error: Exception
) -> None:
    """Of whatever kind: a thread that ended would leave its part down for good."""
    part.fails_with = error
    keep(part)
    part.running = False
    until(lambda: len(part.starts) == 2)
    part.fails_with = None
    until(lambda: part.running)
    assert said[1] == "part: no"


def test_one_that_fails_keeps_no_other_waiting(
    part: FakePart, keep: Callable[..., Keeper], tmp_path: Path
) -> None:
    other = FakePart(tmp_path / "other")
    other.takes_long = True
    keep(part, other)
    other.running = False
    until(lambda: bool(other.starts))
    part.running = False
    until(lambda: part.running)
    other.takes_long = False
    other.close()


def test_stop_gives_up_a_start_that_is_under_way(
    part: FakePart, keep: Callable[..., Keeper], said: list[str]
) -> None:
    """Ctrl-C while RabbitMQ comes back: nothing may start behind the back of the stop."""
    part.takes_long = True
    kept = keep(part)
    part.running = False
    until(lambda: bool(part.starts))
    kept.stop()
    assert not part.running
    assert len(said) == 1, said


def test_stop_in_a_pause_starts_nothing(
    part: FakePart,
    keep: Callable[..., Keeper],
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
) -> None:
    monkeypatch.setattr(keeper, "FIRST_PAUSE", 60.0)
    kept = keep(part)
    part.running = False
    until(lambda: bool(said))
    kept.stop()
    assert part.starts == []
