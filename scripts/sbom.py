"""What was built, as CycloneDX 1.6: `python -m scripts.sbom FOLDER > allibe.cdx.json`.

FOLDER holds the installed packages (`…/site-packages`) of an environment that `allibe` is in;
without one it is that of the Python that runs this. Listed is what `allibe` needs to run, as
installed, and what Vite wrote down that it had packed into the page. The same packages give the
same bytes: there is no time and no random number in it. `make sbom` and the image's build call it.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scripts.licences import Package, python_packages

SPECIFICATION = "1.6"
PAGE_LIST = Path("allibe_rooms_api", "page", "licences.json")
"""Where Vite says what is in the page (`build.license`), from the packages' folder on."""

_CHECKOUT = Path(__file__).resolve().parents[1] / "rooms-api"


def document(python: dict[str, Package], page: list[Package]) -> dict[str, Any]:
    """Return the bill of materials of `allibe`, with the page as a part of it."""
    packages = dict(python)
    product = packages.pop("allibe")
    references = {name: f"pkg:pypi/{name}@{one.version}" for name, one in packages.items()}
    of_page = {f"pkg:npm/{quote(one.name)}@{one.version}": one for one in page}
    components = [
        *(_component(references[name], one) for name, one in packages.items()),
        *(_component(reference, one) for reference, one in of_page.items()),
    ]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPECIFICATION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {"component": _described("allibe", "application", product)},
        "components": components,
        "dependencies": [
            _depends("allibe", [*(references[name] for name in product.needs), *of_page]),
            *(
                _depends(references[name], (references[need] for need in one.needs))
                for name, one in packages.items()
            ),
        ],
    }


def page_list(text: str) -> list[Package]:
    """Return the packages of Vite's list."""
    return [
        Package(one["name"], one["version"], one["identifier"] or "NOASSERTION")
        for one in sorted(json.loads(text), key=lambda one: str(one["name"]))
    ]


def _component(reference: str, package: Package) -> dict[str, Any]:
    return {**_described(reference, "library", package), "purl": reference}


def _described(reference: str, kind: str, package: Package) -> dict[str, Any]:
    return {
        "type": kind,
        "bom-ref": reference,
        "name": package.name,
        "version": package.version,
        "licenses": [{"expression": package.licence}],
    }


def _depends(reference: str, on: Iterable[str]) -> dict[str, Any]:
    return {"ref": reference, "dependsOn": list(on)}


def main(folders: list[str]) -> None:
    """Print the document. Raises `LookupError` and `OSError` when something is missing."""
    # In the checkout the code is not copied into the environment.
    homes = [Path(folder) for folder in folders] or [_CHECKOUT]
    page = page_list((homes[0] / PAGE_LIST).read_text())
    bill = document(python_packages(folders or None), page)
    sys.stdout.write(json.dumps(bill, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
