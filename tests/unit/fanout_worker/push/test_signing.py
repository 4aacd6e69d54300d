"""`push.signing`: Standard Webhooks 1.0."""

import pytest

from allibe_fanout_worker.push.signing import read_secrets, signed

SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_the_example_of_the_standard_is_signed_as_it_says() -> None:
    """Of its libraries' own tests: id, time, body and secret in, this signature out."""
    headers = signed(
        read_secrets(["whsec_" + SECRET]),
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=b'{"test": 2432232314}',
        now=1614265330.9,
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_secret_signs_the_first_one_first() -> None:
    def signature(*secrets: str) -> str:
        headers = signed(read_secrets(secrets), webhook_id="a", body=b"b", now=1.0)
        return headers["webhook-signature"]

    assert signature(SECRET, OTHER) == f"{signature(SECRET)} {signature(OTHER)}"
    assert signature(SECRET) != signature(OTHER)


@pytest.mark.parametrize("changed", [{"webhook_id": "x"}, {"body": b"x"}, {"now": 2.0}])
def test_id_time_and_body_are_signed(changed: dict[str, object]) -> None:
    values: dict[str, object] = {"webhook_id": "a", "body": b"b", "now": 1.0}
    secrets = read_secrets([SECRET])
    first = signed(secrets, **values)["webhook-signature"]  # type: ignore[arg-type]
    assert signed(secrets, **values | changed)["webhook-signature"] != first  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [SECRET] * 5,
        [""],
        ["hunter2"],
        ["whsec_"],
        ["AAAA"],
        [SECRET, "AAAA"],
        ["A" * 92],
        [SECRET + "\n"],
        ["비밀" * 20],
    ],
)
def test_what_is_no_secret_is_refused_unquoted(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="a webhook") as caught:
        read_secrets(texts)
    assert "hunter2" not in str(caught.value)
