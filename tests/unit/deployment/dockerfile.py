"""Reads a Dockerfile: its instructions, stage by stage. As much of the format as ours uses."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Return what each instruction of that name says, its lines joined."""
        return [text for instruction, text in self.instructions if instruction == name]

    def one(self, name: str) -> str:
        """Return what the only instruction of that name says."""
        (text,) = self.all(name)
        return text

    def environment(self) -> dict[str, str]:
        """Return the variables that the stage sets."""
        words = [word for text in self.all("ENV") for word in shlex.split(text)]
        return dict(word.split("=", 1) for word in words)

    def copies(self) -> list[tuple[str | None, list[str], str]]:
        """Return stage or None, sources and destination of each COPY."""
        found = []
        for text in self.all("COPY"):
            words = text.split()
            origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--") else None
            found.append((origin, words[:-1], words[-1]))
        return found


def stages(path: Path = DOCKERFILE) -> list[Stage]:
    """Return the stages in their order; what stands before the first is left out."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    found: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        elif found and instruction:
            found[-1].instructions.append((instruction, rest.strip()))
    return found


def words_of(text: str) -> list[str]:
    """Return the words of an instruction's exec form. ValueError for the shell form."""
    parsed = json.loads(text)
    return [str(word) for word in parsed]
