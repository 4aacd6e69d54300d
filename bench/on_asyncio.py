"""`python on_asyncio.py allibe serve`: the real command, on asyncio's event loop, not uvloop's.

The product always runs on uvloop; this is for the benchmark that says what that is worth.
"""

import asyncio
import sys

import uvloop

from allibe_standalone import cli

if __name__ == "__main__":
    uvloop.run = asyncio.run  # type: ignore[assignment]
    del sys.argv[0]
    cli.main()
