"""Where tables are written: looked at before anything is measured, for it is written at the end."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

from bench.errors import BenchError

IMAGES = "images"
"""The folder of the plots, beside the document."""


def check(path: Path, *, with_images: bool) -> None:
    """Raises BenchError, in a line, where the document or its plots could not be written.

    Leaves everything as it was; makes no folder.
    """
    _check(path, _check_file)
    if with_images:
        _check(path.parent / IMAGES, _check_folder)


def _check(path: Path, look: Callable[[Path], None]) -> None:
    try:
        look(path)
    except OSError as error:
        raise BenchError(f"cannot write {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BenchError(f"cannot write {path}: what is there is not text") from error


def _check_folder(path: Path) -> None:
    """It is made later, where it is not there."""
    if path.exists():
        with TemporaryFile(dir=path):
            pass


def _check_file(path: Path) -> None:
    if not path.exists():
        path.touch(exist_ok=False)
        path.unlink()
    elif not path.is_file():
        raise BenchError(f"cannot write {path}: it is not a file")
    else:
        with path.open("r+") as file:
            file.read()
