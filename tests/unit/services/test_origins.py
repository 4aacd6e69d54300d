"""`origins`: an exact list of web pages, and what is answered to them."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from allibe_services.origins import Origins

HERE = "chat.example.com"


def allowed(setting: str, *origins: str, host: str = HERE) -> bool:
    headers = CIMultiDict([("Host", host), *(("Origin", one) for one in origins)])
    return Origins(setting).allow(make_mocked_request("GET", "/", headers=headers))


def preflight(setting: str, origin: str, method: str = "OPTIONS") -> dict[str, str] | None:
    headers = CIMultiDict({"Host": HERE, "Origin": origin, "Access-Control-Request-Method": "POST"})
    return Origins(setting).preflight(make_mocked_request(method, "/", headers=headers))


@pytest.mark.parametrize("setting", ["", "self", "*", "null", "https://a.example"])
def test_who_is_no_page_may(setting: str) -> None:
    """Native clients send no Origin; who could forge one is no browser."""
    assert allowed(setting)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://chat.example.com", "chat.example.com"),
        ("http://chat.example.com", "chat.example.com"),
        ("https://chat.example.com", "chat.example.com:443"),
        ("https://chat.example.com", "Chat.Example.Com"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://[::1]", "[::1]:80"),
    ],
)
def test_self_is_what_the_request_was_sent_to(origin: str, host: str) -> None:
    assert allowed("self", origin, host=host)
    assert not allowed("https://other.example", origin, host=host)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://chat.example.com.evil.example",
        "https://evilchat.example.com",
        "https://sub.chat.example.com",
        "https://chat.example.com:8443",
        "https://chat.example.com/",
        "https://chat.example.com@evil.example",
        "https://evil.example/chat.example.com",
        "chat.example.com",
        "//chat.example.com",
        "file://chat.example.com",
        "chrome-extension://chat.example.com",
        "null",
        "self",
        "*",
        "",
        "https://",
    ],
)
def test_what_only_looks_alike_may_not(origin: str) -> None:
    assert not allowed("self,https://chat.example.com", origin)


def test_without_a_host_nothing_is_self() -> None:
    assert not allowed("self", "https://", host="")
    assert not allowed("self", "https://chat.example.com", host="")


def test_a_list_is_exact_and_has_no_self_unless_it_says_so() -> None:
    """A name that was rebound to this machine is its page's own origin, too."""
    listed = "https://a.example, https://b.example:8443"
    assert allowed(listed, "https://a.example")
    assert allowed(listed, "https://b.example:8443")
    assert not allowed(listed, "https://b.example")
    assert not allowed(listed, "http://a.example")
    assert not allowed(listed, f"https://{HERE}")
    assert allowed(f"{listed},self", f"https://{HERE}")


def test_any_and_null_must_be_said() -> None:
    assert allowed("*", "https://evil.example")
    assert allowed("*", "null")
    assert allowed("null", "null")
    assert not allowed("null", "https://evil.example")


def test_of_two_origins_both_must_be_listed() -> None:
    assert not allowed("https://a.example", "https://a.example", "https://evil.example")
    assert not allowed("https://a.example", "https://evil.example", "https://a.example")


@pytest.mark.parametrize(
    "setting",
    [
        "chat.example.com",
        "https://chat.example.com/",
        "https://chat.example.com/path",
        "https://*.example.com",
        "https://Chat.example.com",
        "https://chat.example.com:443",
        "http://chat.example.com:80",
        "https://a.example https://b.example",
        "https://user@a.example",
        "https://한글.example",
        "none",
    ],
)
def test_what_no_browser_says_is_no_origin(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^ALLIBE_ORIGINS: "):
        Origins(setting)


def test_a_page_that_may_is_named_in_the_answer_and_never_as_a_star() -> None:
    request = make_mocked_request("GET", "/", headers={"Origin": "https://a.example"})
    for setting in ("https://a.example", "*"):
        headers = Origins(setting).cors(request)
        assert headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in headers
    with_cookies = Origins("https://a.example").cors(request, credentials=True)
    assert with_cookies["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}])
def test_to_others_nothing_is_said_but_that_it_depends(headers: dict[str, str]) -> None:
    request = make_mocked_request("GET", "/", headers=headers)
    assert Origins("https://a.example").cors(request, credentials=True) == {"Vary": "Origin"}


def test_only_a_listed_page_s_preflight_is_answered() -> None:
    told = preflight("https://a.example", "https://a.example")
    assert told is not None
    assert "Authorization" in told["Access-Control-Allow-Headers"]
    assert preflight("https://a.example", "https://evil.example") is None
    assert preflight("https://a.example", "https://a.example", "GET") is None
    plain = make_mocked_request("OPTIONS", "/", headers={"Host": HERE})
    assert Origins("*").preflight(plain) is None
