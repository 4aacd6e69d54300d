"""What the Dockerfile's stages do, done: their very commands, in folders in place of an image.

What this cannot show: the base images, their Python and Node, users, and the read-only root.
"""

import json
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from allibe_services import __version__
from scripts.licences import normal, page_packages
from tests.unit.deployment.dockerfile import ROOT, Stage, stages


class Folders:
    """A file system of a stage's own: `/src` and `/opt` are below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._at = Path("/")
        for name in ("src", "opt"):
            (folder / name).mkdir(parents=True)

    def inside(self, path: str) -> Path:
        """Return where a path of the image, absolute or from its WORKDIR, is."""
        return self.folder / (self._at / path).relative_to("/")

    def do(self, stage: Stage, earlier: dict[str, "Folders"]) -> None:
        """Carry out the stage's WORKDIR, COPY and RUN in their order."""
        copies = iter(stage.copies())
        for name, text in stage.instructions:
            if name == "WORKDIR":
                self._at = Path(text)
                self.inside(".").mkdir(parents=True, exist_ok=True)
            elif name == "COPY":
                origin, sources, destination = next(copies)
                for source in sources:
                    path = ROOT / source if origin is None else earlier[origin].inside(source)
                    self._copy(path, destination)
            elif name == "RUN":
                self._run(text)

    def _copy(self, source: Path, destination: str) -> None:
        target = self.inside(destination)
        if not source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
            return
        ignore = shutil.ignore_patterns(
            "node_modules",
            "dist",
            "*.tsbuildinfo",
            "__pycache__",
            *(["page"] if ROOT in source.parents else []),
        )
        shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)

    def _run(self, command: str) -> None:
        for name in ("/src", "/opt"):
            command = command.replace(f"{name}/", f"{self.folder}{name}/")
            command = command.replace(f"{name} ", f"{self.folder}{name} ")
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.inside("."),
            env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_every_stage_of_the_image_does_what_the_next_one_needs(tmp_path: Path) -> None:
    *making, last = stages()
    made: dict[str, Folders] = {}
    for stage in making:
        made[stage.name] = Folders(tmp_path / stage.name)
        made[stage.name].do(stage, made)
    ((origin, sources, _),) = last.copies()
    assert origin is not None
    environment = made[origin].inside(sources[0])
    allibe = environment / "bin" / "allibe"
    said = subprocess.run([allibe, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.endswith(f"version {__version__}\n")
    (packages,) = environment.glob("lib/python*/site-packages")
    assert (packages / "allibe_rooms_api" / "page" / "index.html").is_file()
    listed = json.loads((environment / "sbom.cdx.json").read_text())["components"]
    installed = {one.metadata["Name"] for one in metadata.distributions(path=[str(packages)])}
    assert {one["name"] for one in listed if one["purl"].startswith("pkg:pypi/")} == {
        normal(name) for name in installed - {"allibe"}
    }
    assert {one["name"] for one in listed if one["purl"].startswith("pkg:npm/")} == set(
        page_packages()
    )
    there = {path.name for path in packages.iterdir()}
    assert not there & {"pip", "setuptools", "hatchling", "pytest"}
