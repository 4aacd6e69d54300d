"""The compiled load generator, where there is a compiler."""

import shutil
from pathlib import Path

import pytest

from bench.build import load_generator


@pytest.fixture(scope="session")
def generator() -> Path:
    """Return the load generator, up to date. Nothing but the benchmark needs a compiler."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed: the benchmark is not tested")
    return load_generator()
