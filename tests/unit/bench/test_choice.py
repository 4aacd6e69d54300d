"""Which names on the benchmark's command line go together, and what is said of others."""

import pytest

from bench.choice import ALL, choose
from bench.comparison import WORKS
from bench.errors import BenchError
from bench.peers import SYSTEMS


@pytest.mark.parametrize(
    ("part", "scenario", "system", "told"),
    [
        (None, "nonsense", None, "there is no scenario 'nonsense', there are: fan-out-8, "),
        (None, None, "nonsense", "there is no system 'nonsense', there are: embedded, "),
        ("targets", "storm", None, "the targets have no scenario 'storm', but: fan-out-8, "),
        ("peers", "latency", None, "the peers have no scenario 'latency', but: room-100, "),
        (None, "latency", "socketio", "system 'socketio' has no scenario 'latency', but: room-"),
        (None, "storm", "socketio", "system 'socketio' has no scenario 'storm', but: room-100, "),
        ("targets", None, "socketio", "--system chooses among the peers: not with --part targets"),
    ],
)
def test_of_names_that_do_not_go_together_it_says_which(
    part: str | None, scenario: str | None, system: str | None, told: str
) -> None:
    with pytest.raises(BenchError, match=f"^{told}") as error:
        choose(part, scenario, system)
    there_are = str(error.value).partition(": ")[2]
    assert (scenario or system) not in there_are.split(", ")


def test_all_is_measured_where_nothing_is_said() -> None:
    choice = choose(None, None, None)
    assert (choice.scenarios, choice.works, choice.systems) == (list(ALL), list(WORKS), [*SYSTEMS])


@pytest.mark.parametrize(
    ("part", "scenario", "system", "count"),
    [
        ("targets", "fan-out-*", None, (3, 0, 0)),
        ("peers", "room-*", None, (0, 3, 6)),
        (None, "latency", None, (1, 0, 0)),
        (None, "idle*", None, (1, 1, 6)),
        (None, None, "socketio*", (0, 8, 2)),
        (None, "storm", "*", (0, 1, 6)),
    ],
)
def test_a_part_of_it_is_chosen(
    part: str | None, scenario: str | None, system: str | None, count: tuple[int, int, int]
) -> None:
    choice = choose(part, scenario, system)
    assert (len(choice.scenarios), len(choice.works), len(choice.systems)) == count
