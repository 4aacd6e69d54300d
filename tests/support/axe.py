"""axe-core: what a machine can find of what keeps people out."""

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests.support.chat_page import STILL

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

GRAVE = ("serious", "critical")

_RUN = """
async (grave) => {
  const { violations, passes } = await axe.run(document, { resultTypes: ['violations'] });
  return {
    passed: passes.length,
    found: violations
      .filter(({ impact }) => grave.includes(impact))
      .map(({ id, impact, help, nodes }) => `${impact} ${id}: ${help}\\n    ` + nodes
        .map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`)
        .join('\\n    ')),
  };
}
"""


def grave_violations(page: Page) -> list[str]:
    """Return what axe finds on the page as it is now, of impact serious or critical."""
    # Evaluated, since the page's policy lets no script in.
    page.evaluate(_source())
    page.evaluate(STILL)
    result = page.evaluate(_RUN, GRAVE)
    assert result["passed"] > 5, "axe looked at nothing"
    found: list[str] = result["found"]
    return found


@cache
def _source() -> str:
    return f"{AXE.read_text()};0"
