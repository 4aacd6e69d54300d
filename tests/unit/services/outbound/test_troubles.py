"""`outbound.troubles`: what is new is said, and of bounded many."""

from structlog.testing import capture_logs

from allibe_services.outbound import Unreachable, Untrusted
from allibe_services.outbound.troubles import ORIGINS, Troubles

ONE, TWO = "https://one.test", "https://two.test"


def test_changes_are_said() -> None:
    troubles = Troubles()
    with capture_logs() as logs:
        troubles.answered(ONE)
        for _ in range(3):
            troubles.failed(ONE, Unreachable("OSError: Connection refused"))
            troubles.failed(TWO, Untrusted("certificate has expired"))
        troubles.failed(ONE, Untrusted("certificate has expired"))
        troubles.answered(ONE)
        troubles.answered(ONE)
    assert [(one["event"], one["origin"], one.get("cause")) for one in logs] == [
        ("not_reached", ONE, "Unreachable: OSError: Connection refused"),
        ("not_reached", TWO, "Untrusted: certificate has expired"),
        ("not_reached", ONE, "Untrusted: certificate has expired"),
        ("reached_again", ONE, None),
    ]


def test_few_are_remembered() -> None:
    troubles = Troubles()
    with capture_logs() as logs:
        for number in range(ORIGINS + 1):
            troubles.failed(f"https://{number}.test", Untrusted("x"))
        troubles.failed(f"https://{ORIGINS}.test", Untrusted("x"))
        troubles.failed("https://0.test", Untrusted("x"))
    assert len(logs) == ORIGINS + 2
