"""What each key has spent of a rate: a number for each, a few additions for each question.

The number is when the key's bucket will be full again (the virtual scheduling of GCRA, ITU-T
I.371): nothing has to be filled meanwhile, and who is forgotten after that moment misses nothing.
"""

from collections.abc import Mapping
from itertools import islice

from allibe_services.rates.base import Spent
from allibe_services.rates.rate import Rate

MOST_KEYS = 100_000
"""Keys of one limit at a time, some 10 MB. Beyond, who was the longest there starts anew: those
are more people than one process serves, or somebody who invents them."""

_AT_ONCE = MOST_KEYS // 10
_SWEEP_FROM = 1_000


class Buckets:
    """Buckets of one rate. `now` is in seconds, of any clock that only goes forward."""

    def __init__(self, rate: Rate) -> None:
        self._interval = rate.interval
        self._most = rate.seconds
        self._rest = (rate.burst // 2 - 1) * rate.interval if rate.burst > 1 else 0.0
        self._due: dict[str, float] = {}
        self._refused_until: dict[str, float] = {}
        self._spent: dict[str, tuple[float, float]] = {}
        self._sweep_at = _SWEEP_FROM

    def __len__(self) -> int:
        return len(self._due)

    def wait(self, key: str, now: float) -> float:
        """Return after how many seconds another one may come; 0 is now.

        Once refused, all is refused for so long, which is until half of the bucket is full: what
        was sent in a row keeps its order when it is sent again, and is not sent in vain each time.
        """
        if self._refused_until:
            until = self._refused_until.get(key)
            if until is not None:
                if until > now:
                    return until - now
                del self._refused_until[key]
        over = max(self._due.get(key, 0.0) - now, 0.0) + self._interval - self._most
        if over <= 0:
            return 0.0
        wait = over + self._rest
        self._refused_until[key] = now + wait
        return wait

    def spend(self, key: str, now: float) -> None:
        """Take one of the key's."""
        due = self._due.get(key)
        if due is None:
            self._make_room(now)
            due = now
        self._due[key] = max(due, now) + self._interval
        first, debt = self._spent.get(key, (now, 0.0))
        self._spent[key] = (first, debt + self._interval)

    def take_spent(self, now: float) -> dict[str, Spent]:
        """Return what was spent since the last call, to be told to others."""
        spent, self._spent = self._spent, {}
        return {key: Spent(debt, now - first) for key, (first, debt) in spent.items()}

    def learn(self, debts: Mapping[str, float], told_at: float) -> None:
        """Take the debts of all processes, as of the moment of `take_spent`.

        Never less than is known here: others may have forgotten.
        """
        for key, debt in debts.items():
            since = self._spent[key][1] if key in self._spent else 0.0
            self._due[key] = max(self._due.get(key, 0.0), told_at + debt + since)

    def _make_room(self, now: float) -> None:
        if len(self._due) < self._sweep_at:
            return
        self._due = {key: due for key, due in self._due.items() if due > now}
        self._refused_until = {
            key: until for key, until in self._refused_until.items() if until > now
        }
        if len(self._due) > MOST_KEYS - _AT_ONCE:
            for oldest in tuple(islice(self._due, _AT_ONCE)):
                del self._due[oldest]
                self._spent.pop(oldest, None)
                self._refused_until.pop(oldest, None)
        self._sweep_at = min(max(2 * len(self._due), _SWEEP_FROM), MOST_KEYS)
