"""What may be written: `allibe_services.contracts.content`."""

import pytest

from allibe_services.contracts.content import check_content, check_name
from allibe_services.contracts.errors import BadRequest, ContentTooLong, InvalidContent


@pytest.mark.parametrize(
    "text",
    ["x", " x ", "a\nb\tc", "안녕", "👋", "\u200b", "x" * 8192, "가" * 2730 + "xx", "👋" * 2048],
)
def test_content_that_utf8_holds_in_8192_bytes_may_be_written(text: str) -> None:
    check_content(text)


@pytest.mark.parametrize(
    "text", ["x" * 8193, "가" * 2731, "👋" * 2048 + "x", " " * 9000, "\0" * 9000]
)
def test_content_over_8192_bytes_is_too_long(text: str) -> None:
    with pytest.raises(ContentTooLong):
        check_content(text)


@pytest.mark.parametrize("text", ["", " ", "\n\t\r", "\u3000\u00a0", "\0", "a\0", "가\0"])
def test_blank_content_and_nul_are_invalid(text: str) -> None:
    with pytest.raises(InvalidContent):
        check_content(text)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\ud83d x", "가\udc4b", "\udc4b\ud83d"])
def test_half_a_surrogate_pair_is_invalid_and_told_so(text: str) -> None:
    with pytest.raises(InvalidContent, match="surrogate"):
        check_content(text)


@pytest.mark.parametrize("text", ["x", " x ", "팀 방", "👨‍👩‍👧", "x" * 100, "가" * 100])
def test_a_name_is_1_to_100_characters(text: str) -> None:
    check_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u3000",
        "x" * 101,
        "가" * 101,
        "a\0",
        "a\nb",
        "\x1b[31m",
        "a\u2028b",
        "\ud800",
        "a\x85",
    ],
)
def test_a_name_is_one_line_and_not_blank(text: str) -> None:
    with pytest.raises(BadRequest):
        check_name(text)
