"""`python on_uvloop.py allibe serve`: the real command, on uvloop's event loop, not asyncio's.

The product runs on asyncio's; this is for the benchmark that says what uvloop would be worth.
"""

import asyncio
import sys

import uvloop

from allibe_standalone import start

if __name__ == "__main__":
    asyncio.run = uvloop.run
    del sys.argv[0]
    start.main()
