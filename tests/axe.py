"""axe-core on a page, as Playwright has it open: everything it finds at WCAG 2.1 A and AA, one line each."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SETTLED = """() => Promise.all(
    document.getAnimations()
        .filter((a) => a.effect.getComputedTiming().endTime !== Infinity)
        .map((a) => a.finished.catch(() => null)),
)"""
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def settled(page: Page) -> None:
    """Wait until nothing fades or moves: half faded in, a colour has less contrast than it will have."""
    page.evaluate(_SETTLED)


def findings(page: Page) -> list[str]:
    """«rule: element: what is wrong», empty when there is nothing.

    It is evaluated by the debugger and not by the page, so that the page's own Content-Security-Policy stays in force.
    """
    settled(page)
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}})", _TAGS)
    assert len(found["passes"]) > 5, "axe looked at hardly anything"
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
