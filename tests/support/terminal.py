"""`allibe chat` as a process, for tests: what is typed, and what it prints."""

import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.places import Place
from tests.support.server import ALLIBE, WAIT_SECONDS, clean_environment, eventually


class Terminal:
    """`allibe chat` in a process. `lines` is all that it printed; errors are among it."""

    def __init__(
        self, place: Place, room: str, user: str, *options: str, **environment: str
    ) -> None:
        self._process = subprocess.Popen(
            [ALLIBE, "chat", "--room", room, "--user", user, "--url", place.url, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment({"TZ": "UTC"} | environment),
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def type(self, *lines: str) -> None:
        """Write lines, as a person or a pipe does."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self._process.stdin.flush()

    def end(self) -> int:
        """Close its input; return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.wait()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Return its exit code once it has ended and all of its output was read."""
        code = self._process.wait(WAIT_SECONDS)
        self._reading.join(WAIT_SECONDS)
        assert not [line for line in self.lines if "Traceback" in line], self.text
        return code

    def until(self, text: str, times: int = 1) -> None:
        """Wait until so many lines hold the text."""
        eventually(
            lambda: len([line for line in self.lines if text in line]) >= times,
            f"the terminal shows {text!r}",
            log=lambda: self.text,
        )

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def messages(self) -> list[str]:
        """What was said, without who and when."""
        said = [line.partition(": ")[2] for line in self.lines if not line.startswith("--")]
        return [line for line in said if line]

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(WAIT_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.decode().rstrip("\n"))


Open = Callable[..., Terminal]


@pytest.fixture
def chat() -> Iterator[Open]:
    """Start `allibe chat`; gone at the test's end."""
    made: list[Terminal] = []

    def start(place: Place, room: str, user: str, *options: str, **env: str) -> Terminal:
        made.append(Terminal(place, room, user, *options, **env))
        return made[-1]

    yield start
    for terminal in made:
        terminal.close()
