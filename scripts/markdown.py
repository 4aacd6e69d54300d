"""What generated tables are made of."""

from collections.abc import Iterable

from allibe_services import settings
from allibe_services.settings import Settings


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def variable(name: str) -> str:
    """Return a setting's variable, nothing for none. Raises `ValueError` for an unknown one."""
    if name and name not in Settings.__struct_fields__:
        raise ValueError(f"{name}: there is no such setting")
    return f"`{settings.PREFIX}{name.upper()}`" if name else ""
