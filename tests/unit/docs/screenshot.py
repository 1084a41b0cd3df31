"""How is the picture in the README taken? `make demo`, then ``python tests/unit/docs/screenshot.py [REPORT]``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "docs/images/report.png"
REPORT = ROOT / "foretrain-out/demo/collapsed/report.html"
LAST = "#entropy_stability"
"""The last thing on the picture."""


def take(report: Path, image: Path) -> None:
    """The report's first screens in light, 1440 pixels wide, down to `LAST`."""
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, ("chromium", "google-chrome-stable", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        bottom = page.evaluate(f"document.querySelector('{LAST}').getBoundingClientRect().bottom")
        page.set_viewport_size({"width": 1440, "height": int(bottom)})
        page.screenshot(path=image)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT, IMAGE)
