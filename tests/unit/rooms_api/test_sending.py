"""An answer is taken in time, or its connection ends; the transport is left as it was.

Against real sockets: test_middleware.py and test_chat_page.py.
"""

import asyncio
from unittest.mock import MagicMock, call

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from allibe_rooms_api.sending import taken_in_time


@pytest.fixture
def transport() -> MagicMock:
    transport = MagicMock(spec=asyncio.Transport)
    transport.get_write_buffer_limits.return_value = (100, 400)
    return transport


@pytest.fixture
def request_(transport: MagicMock) -> web.Request:
    return make_mocked_request("GET", "/", transport=transport)


async def test_a_transport_says_that_it_is_full_at_the_first_byte_until_all_is_taken(
    request_: web.Request, transport: MagicMock
) -> None:
    async with taken_in_time(request_, 10, route="GET /"):
        assert transport.set_write_buffer_limits.mock_calls == [call(high=0)]
    assert transport.set_write_buffer_limits.mock_calls[1:] == [call(400, 100)]
    transport.abort.assert_not_called()


async def test_who_takes_too_long_loses_the_connection(
    request_: web.Request, transport: MagicMock
) -> None:
    with capture_logs() as logs, pytest.raises(ConnectionResetError):
        async with taken_in_time(request_, 0.01, route="GET /x"):
            await asyncio.Event().wait()
    transport.abort.assert_called_once_with()
    assert [(one["event"], one["route"]) for one in logs] == [("answer_not_read", "GET /x")]


async def test_who_has_gone_before_is_sent_nothing() -> None:
    gone = MagicMock(spec=web.Request, transport=None)
    with pytest.raises(ConnectionResetError):
        async with taken_in_time(gone, 10, route="GET /"):
            pytest.fail("nothing can be sent")
