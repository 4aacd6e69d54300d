"""Plots as SVG: bars on a linear scale, and spans of latencies on a logarithmic one.

Both group what they show: a heading for each work, below it a row for each system, in the colour
that the system has everywhere. They stand on white, whatever page they are put into.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, NAMES, NUMBERS = 860, 210, 150
"""Pixels: of all, of the column with names, of the space that numbers need behind a bar."""
ROW, HEADING, TOP, BOTTOM = 20, 30, 44, 34
COLOURS = ("#0b6e4f", "#6bbf8e", "#c2571a", "#3566b0", "#8aaee0", "#8a8a8a")
FONT = "font-family='system-ui, sans-serif'"

Groups = Mapping[str, Sequence[tuple[str, Sequence[float]]]]
"""Heading to rows: a name, and the row's values; none where there is nothing to show."""


@dataclass
class _Page:
    """Elements, and how far down they have come."""

    elements: list[str] = field(default_factory=list)
    y: float = TOP

    def text(self, x: float, y: float, text: str, **style: object) -> None:
        given = "".join(f" {name.replace('_', '-')}='{value}'" for name, value in style.items())
        self.elements.append(f"<text x='{x:.1f}' y='{y:.1f}'{given}>{escape(text)}</text>")

    def add(self, element: str) -> None:
        self.elements.append(element)

    def done(self, title: str) -> str:
        height = self.y + BOTTOM
        return "\n".join(
            [
                f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' "
                f"width='{WIDTH}' height='{height:.0f}' {FONT} font-size='12' role='img' "
                f"aria-label='{escape(title, quote=True)}'>",
                f"<rect width='{WIDTH}' height='{height:.0f}' fill='#ffffff'/>",
                f"<text x='12' y='24' font-size='15' font-weight='600'>{escape(title)}</text>",
                *self.elements,
                "</svg>\n",
            ]
        )


def bars(title: str, groups: Groups, number: str = ",.0f") -> str:
    """Return a plot in which the length of a bar is the row's first value."""
    page = _Page()
    most = max((values[0] for rows in groups.values() for _, values in rows if values), default=1)
    scale = (WIDTH - NAMES - NUMBERS) / (most or 1)
    for place, values, colour in _rows(page, groups):
        length = max(values[0] * scale, 1)
        page.add(
            f"<rect x='{NAMES}' y='{place - 13:.1f}' width='{length:.1f}' height='14' "
            f"fill='{colour}'/>"
        )
        page.text(NAMES + length + 6, place - 2, format(values[0], number), fill="#333333")
    return page.done(title)


def spans(title: str, groups: Groups, unit: str) -> str:
    """Return a plot with a dot at each row's first value, and a line through the others.

    On a logarithmic scale, whose whole powers of ten are marked.
    """
    page = _Page()
    values = [value for rows in groups.values() for _, row in rows for value in row if value > 0]
    low = math.floor(math.log10(min(values, default=1)))
    high = max(math.ceil(math.log10(max(values, default=10))), low + 1)

    def x(value: float) -> float:
        share = (math.log10(max(value, 10**low)) - low) / (high - low)
        return NAMES + share * (WIDTH - NAMES - NUMBERS)

    for place, row, colour in _rows(page, groups):
        middle = place - 6
        page.add(
            f"<line x1='{x(row[0]):.1f}' x2='{x(row[-1]):.1f}' y1='{middle:.1f}' "
            f"y2='{middle:.1f}' stroke='{colour}' stroke-width='3'/>"
        )
        page.add(f"<circle cx='{x(row[0]):.1f}' cy='{middle:.1f}' r='5' fill='{colour}'/>")
        for value in row[1:]:
            page.add(
                f"<rect x='{x(value) - 1.5:.1f}' y='{middle - 6:.1f}' width='3' height='12' "
                f"fill='{colour}'/>"
            )
        told = " / ".join(f"{value:.3g}" for value in row)
        page.text(x(row[-1]) + 8, place - 2, told, fill="#333333")
    for power in range(low, high + 1):
        at = x(10.0**power)
        grid = f"<line x1='{at:.1f}' x2='{at:.1f}' y1='{TOP}' y2='{page.y:.1f}' stroke='#ddd'/>"
        page.elements.insert(0, grid)  # behind all else
        page.text(at, page.y + 16, f"{10.0**power:g} {unit}", text_anchor="middle", fill="#555555")
    return page.done(title)


def _rows(page: _Page, groups: Groups) -> list[tuple[float, Sequence[float], str]]:
    """Write headings and names; return where the rows that have values are, and their colours."""
    names = list(dict.fromkeys(name for rows in groups.values() for name, _ in rows))
    found = []
    for heading, rows in groups.items():
        page.y += HEADING
        page.text(12, page.y - 8, heading, font_weight="600")
        for name, values in rows:
            page.y += ROW
            page.text(NAMES - 8, page.y - 2, name, text_anchor="end", fill="#333333")
            if values:
                found.append((page.y, values, COLOURS[names.index(name) % len(COLOURS)]))
    return found
