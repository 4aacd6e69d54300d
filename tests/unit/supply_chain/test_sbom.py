"""The bill of materials: valid CycloneDX, complete, and the same each time.

`bom-1.6.schema.json.gz` and `spdx.schema.json.gz` are CycloneDX's own JSON schemas (Apache-2.0) as
they come with the PyPI package cyclonedx-python-lib 11.12.0.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT7

from allibe_services import __version__
from scripts import licences

ROOT = Path(__file__).resolve().parents[3]


def schema(name: str) -> Any:
    """Return one of the schemas beside this file."""
    with gzip.open(Path(__file__).with_name(f"{name}.schema.json.gz")) as file:
        return json.load(file)


def validator() -> Draft7Validator:
    """Return what judges a document, but for signatures: ours has none."""
    bom = schema("bom-1.6")
    home = bom["$id"].rpartition("/")[0]
    others = {"spdx": schema("spdx"), "jsf-0.82": {"definitions": {"signature": False}}}
    resources = [
        (f"{home}/{name}.SNAPSHOT.schema.json", DRAFT7.create_resource(text))
        for name, text in others.items()
    ]
    return Draft7Validator(bom, registry=Registry().with_resources(resources))


def printed() -> str:
    """Return what `make sbom` writes."""
    command = [sys.executable, "-W", "error", "-m", "scripts.sbom"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout


@pytest.fixture(name="bill", scope="module")
def the_bill(built_page: None) -> Any:
    return json.loads(printed())


def test_it_is_valid_cyclonedx(bill: Any) -> None:
    assert [error.message for error in validator().iter_errors(bill)] == []


def test_the_schema_would_notice_a_fault(bill: Any) -> None:
    assert not validator().is_valid({**bill, "components": [{"type": "chat", "name": "x"}]})


def test_it_names_what_is_shipped(bill: Any) -> None:
    """With the versions that are installed, and the licences of docs/licences.md."""
    product = bill["metadata"]["component"]
    assert (product["name"], product["version"]) == ("allibe", __version__)
    installed = licences.python_packages()
    del installed["allibe"]
    listed = {
        one["purl"]: (one["name"], one["version"], one["licenses"][0]["expression"])
        for one in bill["components"]
    }
    wanted = [
        *((f"pkg:pypi/{one.name}@{one.version}", one) for one in installed.values()),
        *(
            (f"pkg:npm/{one.name.replace('@', '%40')}@{one.version}", one)
            for one in licences.page_packages().values()
        ),
    ]
    assert listed == {purl: (one.name, one.version, one.licence) for purl, one in wanted}
    assert len(listed) > 40


def test_it_says_who_needs_whom(bill: Any) -> None:
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    names = {one["bom-ref"]: one["name"] for one in bill["components"]}
    named = {names.get(ref, ref): {names[each] for each in on} for ref, on in needs.items()}
    assert {"aiohttp", "react", "virtua"} <= named["allibe"]
    assert "aiormq" not in named["allibe"]
    assert "aiormq" in named["aio-pika"]


def test_it_is_the_same_each_time(bill: Any) -> None:
    assert json.loads(printed()) == bill


def test_licences_that_may_be_shipped_are_known_to_spdx() -> None:
    assert set(schema("spdx")["enum"]) >= licences.ALLOWED
