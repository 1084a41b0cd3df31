"""A real browser for the report: headless Chromium, watched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page, Playwright, Request, sync_playwright
from unit.report import cascades, cases

from foretrain.report import render
from foretrain.validation import Validation

Theme = Literal["light", "dark"]
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium(playwright: Playwright) -> str:
    """Where Chromium is: the system's, else the one that Playwright installed."""
    own = playwright.chromium.executable_path
    found = next(filter(None, map(shutil.which, NAMES)), own if Path(own).exists() else None)
    if found is None:
        pytest.fail(
            "no Chromium found: `apt-get install chromium`, or `python -m playwright install chromium`", pytrace=False
        )
    return found


@pytest.fixture(scope="module")  # not longer: Playwright holds the event loop that other tests need
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(playwright), args=[*QUIET])
        yield browser
        browser.close()


@dataclass
class Opened:
    """A report on screen, with all that the browser complained of or asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def width_needed(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def bottom(self, selector: str) -> float:
        box = self.page.locator(selector).bounding_box()
        assert box is not None
        return box["y"] + box["height"]


@dataclass
class Screen:
    """Opens reports in windows of any size, in light and in dark."""

    browser: Browser
    folder: Path
    opened: list[Page] = field(default_factory=list)

    def show(
        self, what: Validation, *, width: int = 1440, height: int = 900, theme: Theme = "light", **options: Any
    ) -> Opened:
        file = self.folder / "report.html"
        file.write_text(render(what), encoding="utf-8")
        page = self.browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme, **options)
        self.opened.append(page)
        seen = Opened(page)

        def asked(request: Request) -> None:
            seen.requests.append(request.url)

        def said(message: ConsoleMessage) -> None:
            seen.complaints.append(message.text)

        def failed(error: Error) -> None:
            seen.complaints.append(str(error))

        def popped(dialog: Dialog) -> None:
            seen.complaints.append(dialog.message)
            dialog.dismiss()

        page.on("request", asked)
        page.on("console", said)
        page.on("pageerror", failed)
        page.on("dialog", popped)
        page.goto(file.as_uri())
        return seen


@pytest.fixture
def screen(browser: Browser, tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(browser, tmp_path)
    yield screen
    for page in screen.opened:
        page.close()


@pytest.fixture(scope="session")
def kinds() -> dict[str, Validation]:
    """One validation of every kind that the report must show well."""
    return {
        "approve": cases.validation("approve"),
        "review": cases.validation("review"),
        "reject": cases.validation("reject"),
        "underpowered": cases.validation("underpowered", columns=3, rows=180),
        "alone": cases.validation("review", original=False),
        "hostile": cases.validation("reject", names=cases.HOSTILE),
        "trained": cases.validation("reject", cascade=cascades.cascade()),
        "trained alone": cases.validation("review", original=False, cascade=cascades.cascade(original=False)),
        "badly trained": cases.validation("review", cascade=cascades.badly(target=cases.HOSTILE[2])),
        "1,000 columns": cases.validation("reject", columns=1_000),
    }
