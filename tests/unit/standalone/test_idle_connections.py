"""`idle_connections`: those that never ask are ended, and those that have ended are let go of."""

from unittest.mock import Mock

from aiohttp import web

from allibe_standalone.idle_connections import FEW, IdleConnections


def test_in_a_storm_few_that_became_websockets_are_remembered() -> None:
    """Each was a parser, a request's buffers and more: memory that stays the process's."""
    open_ = [Mock(spec=web.RequestHandler) for _ in range(3)]
    server = Mock(connections=open_)
    idle = IdleConnections(server, 10)
    for one in open_[1:] + [Mock(spec=web.RequestHandler) for _ in range(5 * FEW)]:
        server.request_factory(Mock(), Mock(), one, Mock(), Mock())
        assert len(idle._asked) <= FEW + 2 * len(open_)
    for now in (0, 10):
        idle.sweep(now)
    assert [one.force_close.called for one in open_] == [True, False, False]
