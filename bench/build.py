"""Compiles the C programs when their sources have changed."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError

HERE = Path(__file__).parent
BINARIES = HERE / "bin"
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra"]


def load_generator() -> Path:
    """The path of the compiled generator, which is up to date."""
    return compiled("load", sorted((HERE / "load").glob("*.[ch]")))


def compiled(name: str, files: Sequence[Path]) -> Path:
    """The path of a program of these sources and headers, which is up to date."""
    binary = BINARIES / name
    newest = max(path.stat().st_mtime for path in files)
    if binary.exists() and binary.stat().st_mtime > newest:
        return binary
    gcc = shutil.which("gcc")
    if gcc is None:
        raise BenchError(f"gcc is needed to build {name}: apt-get install gcc libc6-dev")
    BINARIES.mkdir(exist_ok=True)
    partial = binary.with_suffix(f".{os.getpid()}")
    sources = [str(path) for path in files if path.suffix == ".c"]
    command = [gcc, *FLAGS, "-o", str(partial), *sources]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise BenchError(f"{name} does not compile:\n{built.stderr.rstrip()}")
    partial.replace(binary)
    return binary
