"""The systems that are compared: Allibe, those that people would pick instead, and a floor.

base says what a system is; allibe, rabbitmq, socket_io and floor are one each, or two. The sources
of the programs that are run are beside them: floor.c, socketio/.
"""

from bench.peers.allibe import DISTRIBUTED, EMBEDDED
from bench.peers.base import System
from bench.peers.floor import FLOOR
from bench.peers.rabbitmq import RABBITMQ
from bench.peers.socket_io import SOCKET_IO, SOCKET_IO_REDIS

SYSTEMS: tuple[System, ...] = (
    EMBEDDED,
    DISTRIBUTED,
    RABBITMQ,
    SOCKET_IO,
    SOCKET_IO_REDIS,
    FLOOR,
)
