"""How are the pictures in the README taken? `make demo`, then ``python tests/unit/docs/screenshot.py [REPORT]``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "docs/images"
REPORT = ROOT / "foretrain-out/demo/collapsed/report.html"
LAST = "#entropy_stability"
"""The last thing on the picture of the report."""
MODELS = ("#cascade", "#cascade .cards")
"""The first and the last thing on the picture of what models learn."""


def take(report: Path, images: Path) -> None:
    """The report's first screens down to `LAST`, and what models learn, in light, 1440 pixels wide."""
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, ("chromium", "google-chrome-stable", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        top, bottom = (_box(page, selector) for selector in MODELS)
        clip = {
            "x": top["x"] - 24,
            "y": top["y"],
            "width": top["width"] + 48,
            "height": bottom["bottom"] - top["y"] + 24,
        }
        page.screenshot(path=images / "models.png", clip=clip, full_page=True)  # type: ignore[arg-type]
        page.set_viewport_size({"width": 1440, "height": int(_box(page, LAST)["bottom"])})
        page.screenshot(path=images / "report.png")
        browser.close()


def _box(page: Page, selector: str) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(f"document.querySelector('{selector}').getBoundingClientRect().toJSON()")
    return found


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT, IMAGES)
