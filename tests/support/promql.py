"""What an expression of PromQL names, as far as tests ask; Prometheus itself says if it parses."""

import re

_NO_NAMES = (
    r'"(?:\\.|[^"\\])*"',  # strings
    r"\{[^}]*\}",  # labels
    r"\[[^\]]*\]",  # ranges
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",
)
_NAME = re.compile(r"(?<![\w.:])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset"}

RULES_OWN = {"ALERTS", "up"}
"""What Prometheus makes itself."""


def metrics_in(expression: str) -> set[str]:
    """Return the names of metrics in an expression."""
    for pattern in _NO_NAMES:
        expression = re.sub(pattern, " ", expression)
    return {name for name in _NAME.findall(expression) if name not in _WORDS}


def exported(scrape: str) -> set[str]:
    """Return the names of all series that a scrape may have, also of labels not yet met."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", scrape, re.MULTILINE):
        if kind == "histogram":
            names |= {f"{name}{suffix}" for suffix in ("_bucket", "_sum", "_count")}
        else:
            names.add(name)
    return names


def with_samples(scrape: str) -> set[str]:
    """Return the names of the series that a scrape has."""
    return set(re.findall(r"^([a-zA-Z_:][\w:]*)", scrape, re.MULTILINE))
