"""A browser, servers that know the page, and what happens behind it."""

from tests.support.browser import (
    backstage,
    browser,
    complaints,
    installed_chromium,
    shared_backstage,
    shared_demo,
    shared_private,
    start_demo,
    visit,
)

__all__ = [
    "backstage",
    "browser",
    "complaints",
    "installed_chromium",
    "shared_backstage",
    "shared_demo",
    "shared_private",
    "start_demo",
    "visit",
]
