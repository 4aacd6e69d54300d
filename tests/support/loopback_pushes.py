"""`python loopback_pushes.py allibe fanout-worker`: the real command, whose pushes may go to here.

The product asks nobody on this machine. Here the file that `LOOPBACK_TRUST` names holds the
certificate of a push service on loopback, which is believed and may be asked.
"""

import os
import runpy
import ssl
import sys
from functools import partial

from allibe_fanout_worker.push.ways import ways_of
from allibe_services.outbound import LoopbackForTests
from allibe_standalone import processes

TRUST = "LOOPBACK_TRUST"


def main() -> None:
    """Run the command that the arguments are."""
    trust = ssl.create_default_context(cafile=os.environ[TRUST])
    vars(processes)["ways_of"] = partial(ways_of, loopback=LoopbackForTests(trust))
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
