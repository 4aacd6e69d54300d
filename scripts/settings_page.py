"""docs/settings.md: a table of all settings, and of those that may stand in files."""

from allibe_services import settings
from scripts.markdown import table

_HEAD = """\
# Settings

Every setting is an environment variable; `scripts/docs.py` makes this table from
`services/allibe_services/settings/fields.py`. An empty variable counts as not set. A name that
starts with `ALLIBE_` and is not listed here ends the start: a typo in a limit should not go
unnoticed.
Times are in seconds, sizes in bytes. `allibe check` prints what is in force, secrets hidden.

"""

_SECRETS = """
## Secrets from files

A secret, or a URL with a password, may stand in a file, as Kubernetes and Docker mount them. The
file's text is taken without the blanks around it. Where both variables are set, the value itself
counts.

"""


def render() -> str:
    """Return docs/settings.md."""
    rows = [(f"`{name}`", _code(default), text) for name, default, text in settings.table()]
    files = [
        (f"`{settings.PREFIX}{name.upper()}_FILE`", f"`{settings.PREFIX}{name.upper()}`")
        for name in sorted(settings.FROM_FILES)
    ]
    return (
        _HEAD
        + table(("variable", "default", "meaning"), rows)
        + _SECRETS
        + table(("variable", "names the file that holds"), files)
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"
