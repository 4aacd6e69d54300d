"""The comparison's targets: what Allibe is to be, as a ratio to the others in the same run."""

from dataclasses import dataclass

from bench.comparison import Results
from bench.figures import (
    CONNECTS,
    MEMORY,
    ROOM_1,
    ROOM_8,
    ROOMS_OF_2,
    ROOMS_OF_10,
    STORM,
    STORM_READS,
    Figure,
)

OURS = "embedded"
PEERS = ("rabbitmq", "socketio", "socketio-redis")


@dataclass(frozen=True)
class Verdict:
    """A target and what became of it; None where one side of it was not measured."""

    title: str
    target: float
    is_ceiling: bool
    value: float | None

    @property
    def word(self) -> str:
        """For the table."""
        if self.value is None:
            return "not measured"
        met = self.value <= self.target if self.is_ceiling else self.value >= self.target
        return "met" if met else "missed"


def verdicts(results: Results) -> list[Verdict]:
    """Return them all, in the order of the works."""

    def value(figure: Figure, system: str) -> float | None:
        reading = figure.of(results, system)
        return reading[0] if reading else None

    def to_best_peer(figure: Figure) -> float | None:
        peers = [found for peer in PEERS if (found := value(figure, peer)) is not None]
        return _ratio(value(figure, OURS), max(peers, default=None))

    floor, big, small = ROOM_1[1_000], ROOM_8[10_000], ROOM_8[1_000]
    return [
        *(
            Verdict(f"{figure.title}: times the best peer", 4.0, False, to_best_peer(figure))
            for figure in ROOM_8.values()
        ),
        Verdict(
            f"{floor.title}: times the floor's CPU for a delivery",
            1.4,
            True,
            _ratio(value(floor, "floor"), value(floor, OURS)),
        ),
        Verdict(f"{ROOMS_OF_10.title}: times the best peer", 2.5, False, to_best_peer(ROOMS_OF_10)),
        Verdict(f"{ROOMS_OF_2.title}: times the best peer", 1.5, False, to_best_peer(ROOMS_OF_2)),
        Verdict(MEMORY.title, 16.0, True, value(MEMORY, OURS)),
        Verdict(f"{CONNECTS.title}: times the best peer", 2.0, False, to_best_peer(CONNECTS)),
        Verdict(STORM.title, 15.0, True, value(STORM, OURS)),
        Verdict(
            "database reads in the storm, for each of the 100 rooms",
            10.0,
            True,
            value(STORM_READS, OURS),
        ),
        Verdict(
            "deliveries per CPU-second to 10,000 subscribers, as a part of those to 1,000",
            0.6,
            False,
            _ratio(value(big, OURS), value(small, OURS)),
        ),
    ]


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None
