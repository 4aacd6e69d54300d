"""From the environment to settings, and from settings to what may be shown of them."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Meta

from allibe_services.settings.fields import FROM_FILES, SECRETS, Settings

PREFIX = "ALLIBE_"

_PASSWORD = re.compile(r"^([a-z][a-z0-9+.-]*://[^:/@]*:).*@", re.ASCII | re.IGNORECASE | re.DOTALL)
"""The password in a URL, up to the last `@`: rather too much than too little."""

_QUERIED = re.compile(r"([?&][a-z_]*password=)[^&]*", re.ASCII | re.IGNORECASE)

_USUAL = re.compile(
    r"sqlite:///.*|[a-z][a-z0-9+.-]*:"
    r"(//([^:/?#@]*(:\*\*\*)?@)?(\[[^]@]*\]|[^:/?#@]*)(:[0-9]*)?([/?#][^@]*)?)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
"""A URL in which nothing but what was hidden can be a password: `inprocess:`, a file, a host."""


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that the environment gives, defaults for the rest.

    Raises `ValueError` that names each variable that is wrong: unknown `ALLIBE_…` ones too, since
    a typo in a limit should not go unnoticed.
    """
    environment = os.environ if environment is None else environment
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value != ""
    }
    wrong = []
    for secret in sorted(FROM_FILES):
        path = values.pop(f"{secret}_file", None)
        if path is not None and secret not in values:
            try:
                values[secret] = _read_secret(path, f"{PREFIX}{secret.upper()}_FILE")
            except ValueError as error:
                wrong.append(str(error))
    return _converted(values, wrong)


def shown(settings: Settings) -> dict[str, str]:
    """Return each variable with its value as text, secrets and passwords in URLs hidden."""
    return {
        PREFIX + name.upper(): _shown(name, value)
        for name, value in msgspec.structs.asdict(settings).items()
    }


def table() -> list[tuple[str, str, str]]:
    """Return variable, default and description of each setting, for the documentation."""
    rows = []
    for field in msgspec.json.schema(Settings)["$defs"]["Settings"]["properties"].items():
        name, schema = field
        default = schema.get("default")
        shown_default = "" if default is None else str(default)
        rows.append((PREFIX + name.upper(), shown_default, schema.get("description", "")))
    return rows


def _shown(name: str, value: object) -> str:
    if value is None:
        return ""
    if name in SECRETS:
        return "(set, hidden)"
    text = _QUERIED.sub(r"\1***", _PASSWORD.sub(r"\1***@", str(value)))
    return text if name not in FROM_FILES or _USUAL.fullmatch(text) else "(not a URL, hidden)"


def _read_secret(path: str, variable: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{variable}: cannot read {path}: {type(error).__name__}") from None


def _converted(values: dict[str, str], wrong: list[str]) -> Settings:
    """Return the settings. Raises `ValueError` for what is wrong, besides what is known to be."""
    # One at a time, so that errors can name the variables.
    converted: dict[str, object] = {}
    types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    for name, value in values.items():
        if name not in types:
            wrong.append(f"{PREFIX}{name.upper()}: there is no such setting")
            continue
        try:
            converted[name] = msgspec.convert(value, types[name], strict=False)
        except msgspec.ValidationError as error:
            hint = "" if name in SECRETS else f": {_expected(types[name]) or error}"
            wrong.append(f"{PREFIX}{name.upper()}{hint}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Settings(**converted)  # type: ignore[arg-type]


def _expected(kind: object) -> str:
    """Return what a value of a type with a pattern looks like; "" for other types."""
    metas = [one for one in get_args(kind) if isinstance(one, Meta)]
    examples = [str(text) for meta in metas if meta.pattern for text in meta.examples or ()]
    return "Expected something like " + ", or ".join(examples) if examples else ""
