"""The STOMP versions that Allibe speaks.

Only the names live here. What a version changes stands beside the rule that it changes:
escaping in `escaping`, required headers in `requests`.
"""

from enum import StrEnum
from typing import Final


class Version(StrEnum):
    """One STOMP version, by the name that `accept-version` and `version` carry.

    Later versions compare greater, so `max` picks the best one that two sides share.
    """

    V1_0 = "1.0"
    V1_1 = "1.1"
    V1_2 = "1.2"


SUPPORTED: Final = tuple(Version)
"""Every version that can be negotiated, oldest first."""
