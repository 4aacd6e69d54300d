"""So many a second on average, so many at once: `20/40`."""

import re

import msgspec

OFF = "off"
_ROUNDING = 1e-9
_RATE = re.compile(r"off|[0-9]+(\.[0-9]+)?/[1-9][0-9]*")


class Rate(msgspec.Struct, frozen=True):
    """A bucket of `burst` that fills by `per_second`."""

    per_second: float
    burst: int

    @property
    def interval(self) -> float:
        """Seconds in which one more is free."""
        return 1 / self.per_second

    @property
    def seconds(self) -> float:
        """Seconds in which an empty bucket is full: a trace more, for sums that are rounded."""
        return self.burst / self.per_second + _ROUNDING

    @classmethod
    def parse(cls, text: str) -> "Rate | None":
        """Return what `20/40` means, None for `off`. Raises `ValueError`."""
        if not _RATE.fullmatch(text):
            raise ValueError("so many a second, so many at once: 20/40, or off")
        if text == OFF:
            return None
        per_second, _, burst = text.partition("/")
        if not float(per_second):
            raise ValueError("more than none a second, or off")
        return cls(float(per_second), int(burst))
