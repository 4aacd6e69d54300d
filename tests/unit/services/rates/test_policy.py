"""`rates.policy`: settings to limits."""

import pytest

from allibe_services.rates.policy import LIMITS, NO_LIMITS, Policy, policy_of
from allibe_services.rates.rate import Rate
from allibe_services.settings import Settings, load


def test_by_default_there_are_limits_but_no_slow_mode() -> None:
    policy = policy_of(Settings())
    assert policy.user_messages == Rate(20, 40)
    assert policy.user_connections == 50
    assert policy.slow_mode is None
    assert all(map(policy.enforces, LIMITS))


def test_each_can_be_set_and_turned_off() -> None:
    policy = policy_of(
        load(
            {
                "ALLIBE_LIMIT_USER_MESSAGES": "off",
                "ALLIBE_LIMIT_ROOM_MESSAGES": "0.5/3",
                "ALLIBE_LIMIT_SLOW_MODE": "30",
                "ALLIBE_LIMIT_USER_CONNECTIONS": "7",
            }
        )
    )
    assert policy.user_messages is None
    assert policy.room_messages == Rate(0.5, 3)
    assert policy.slow_mode == Rate(1 / 30, 1)
    assert policy.user_connections == 7


def test_no_limits_turns_all_of_them_off() -> None:
    assert policy_of(load(NO_LIMITS)) == Policy()


def test_a_dry_run_of_some_or_all() -> None:
    policy = policy_of(load({"ALLIBE_LIMITS_DRY_RUN": "user_messages, sign_in"}))
    assert [one for one in LIMITS if not policy.enforces(one)] == ["user_messages", "sign_in"]
    policy = policy_of(load({"ALLIBE_LIMITS_DRY_RUN": "all"}))
    assert not any(map(policy.enforces, LIMITS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLIBE_LIMIT_USER_MESSAGES", "20"),
        ("ALLIBE_LIMIT_USER_MESSAGES", "0/40"),
        ("ALLIBE_LIMIT_USER_CONNECTIONS", "0"),
        ("ALLIBE_LIMIT_SLOW_MODE", "0"),
        ("ALLIBE_LIMITS_DRY_RUN", "user_message"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        policy_of(load({name: value}))
