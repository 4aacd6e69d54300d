"""A webhook whose certificate an authority of the operator's own has signed: `SSL_CERT_FILE`."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from ssl import SSLContext

import pytest

from tests.support.moody_server import MoodyServer

_ASK = """
import asyncio, sys
from allibe_services.outbound import LoopbackForTests, Rules, outbound_client

async def main():
    async with outbound_client(Rules(loopback=LoopbackForTests())) as client:
        try:
            print((await client.post(sys.argv[1], b"", {})).status)
        except Exception as error:
            print(type(error).__name__, error)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("believed", "outcome"), [(True, "204"), (False, "Untrusted self-signed certificate")]
)
async def test_the_authorities_that_the_environment_names_are_believed(
    tls: tuple[SSLContext, SSLContext], tmp_path: Path, believed: bool, outcome: str
) -> None:
    """OpenSSL's own variable, read when the process starts."""
    environment = dict(os.environ)
    if believed:
        environment["SSL_CERT_FILE"] = str(tmp_path / "localhost.pem")
    async with MoodyServer.running(tls[0]) as server:
        asking = await printed([sys.executable, "-c", _ASK, str(server.url)], environment)
    assert asking.splitlines()[-1] == outcome


async def printed(command: list[str], environment: dict[str, str]) -> str:
    """Return what a command prints, while this process serves it."""
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
