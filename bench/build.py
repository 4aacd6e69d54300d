"""Compiles the load generator when its sources have changed."""

import os
import shutil
import subprocess
from pathlib import Path

from bench.errors import BenchError

SOURCES = Path(__file__).parent / "load"
BINARY = Path(__file__).parent / "bin" / "load"
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra"]


def load_generator() -> Path:
    """The path of the compiled generator, which is up to date."""
    newest = max(path.stat().st_mtime for path in SOURCES.glob("*.[ch]"))
    if BINARY.exists() and BINARY.stat().st_mtime > newest:
        return BINARY
    gcc = shutil.which("gcc")
    if gcc is None:
        raise BenchError("gcc is needed to build the load generator: apt-get install gcc libc6-dev")
    BINARY.parent.mkdir(exist_ok=True)
    partial = BINARY.with_suffix(f".{os.getpid()}")
    command = [gcc, *FLAGS, "-o", str(partial), *map(str, sorted(SOURCES.glob("*.c")))]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise BenchError(f"the load generator does not compile:\n{built.stderr.rstrip()}")
    partial.replace(BINARY)
    return BINARY
