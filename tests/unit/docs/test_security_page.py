"""docs/security.md: the numbers and names in it are those in the code."""

import pytest

from allibe_gateway.limits import Limits
from allibe_gateway.memberships import FRESH_SECONDS
from allibe_rooms_api.chat_page import _POLICY
from allibe_rooms_api.operations import OPERATIONS
from allibe_rooms_api.permissions import SYSTEM_SCOPE
from allibe_services.auth.keys import ALGORITHMS, SECRET_BYTES
from allibe_services.auth.revoked import POLL_SECONDS
from allibe_services.auth.verifier import LEEWAY_SECONDS
from allibe_services.contracts import errors
from allibe_services.outbound import Rules
from allibe_services.settings import Settings
from allibe_services.tickets.base import TICKET_SECONDS
from tests.support.pages import ROOT

TEXT = " ".join((ROOT / "docs" / "security.md").read_text().split())
SETTINGS = Settings()


@pytest.mark.parametrize(
    "sentence",
    [
        f"bring a token within {Limits().sign_in_seconds:.0f} s",
        f"good once and for {TICKET_SECONDS:.0f} s",
        f"everywhere within {2 * POLL_SECONDS:.0f} s",
        f"or within {FRESH_SECONDS:.0f} s where that event was lost",
        f"a random secret of {SECRET_BYTES} bytes or more",
        f"hold {int(SETTINGS.limit_unsigned_connections):,} connections of a process",
        f"from one address {int(SETTINGS.limit_address_connections):,};",
        f"(`{errors.UnknownRoom.code}`, not `{errors.NotAMember.code}`)",
        f"a token of scope `{SYSTEM_SCOPE}`",
    ],
)
def test_a_number_or_name_in_the_text_is_the_one_in_the_code(sentence: str) -> None:
    assert sentence in TEXT


def test_what_it_says_of_tokens() -> None:
    assert "No leeway." in TEXT
    assert LEEWAY_SECONDS == 0
    assert all(f"`{name}`" in TEXT or name == "HS256" for name in ALGORITHMS)


def test_strangers_get_no_more_than_it_says() -> None:
    """The document, and a renewal, which shows another secret."""
    assert [one.path for one in OPERATIONS if one.public] == [
        "/push-subscriptions/renewals",
        "/openapi.json",
    ]


def test_what_workers_may_ask_is_what_it_says() -> None:
    assert "port 443" in TEXT
    assert Rules().ports == {443}
    assert not Rules().private


def test_the_chat_page_runs_no_script_but_its_own() -> None:
    policy = dict(part.split(" ", 1) for part in _POLICY.split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == "'self'"
