"""A whole gateway under programs that Hypothesis makes up; I1 to I6 hold after each.

A failure prints the shortest program that shows it, and a `@reproduce_failure` line that repeats
it. Steps under way at the same time may come out otherwise next time: a program that fails now and
then is printed as flaky, and is a fault all the same.
"""

import math
import tempfile
import time
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings

from tests.fuzz.programs import Step, programs, run

_PROFILE = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])


class Check:
    """Runs programs for so many seconds; what fails is run again for as long as it is shortened."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def hold_after(self, program: list[Step]) -> None:
        """Fail unless the invariants hold after a program."""
        if time.monotonic() > self._ends:
            return
        try:
            with tempfile.TemporaryDirectory() as folder:
                violations = uvloop.run(run(program, Path(folder)))
            assert violations == []
        except BaseException:
            self._ends = math.inf
            raise


@pytest.mark.timeout(420)  # ten seconds, and minutes to shorten a program that fails
def test_the_invariants_hold_after_any_program() -> None:
    check = Check(seconds=10)
    settings(_PROFILE, max_examples=150)(given(programs)(check.hold_after))()


@pytest.mark.long
@pytest.mark.timeout(720)
def test_the_invariants_hold_after_thousands_of_programs() -> None:
    check = Check(seconds=300)
    settings(_PROFILE, max_examples=20_000)(given(programs)(check.hold_after))()
