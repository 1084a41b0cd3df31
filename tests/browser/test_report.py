"""Does the report work in a browser: on a phone, in the dark, with hostile names, with scripts off?"""

from __future__ import annotations

from typing import Any

import pytest
from browser.conftest import Screen, Theme
from unit.report import cases

from foretrain.report.wording import TIMES
from foretrain.validation import Validation

UNTRAINED = ("approve", "review", "reject", "underpowered", "alone", "hostile")
KINDS = (*UNTRAINED, "trained", "trained alone", "badly trained", "1,000 columns")
ABSENT = "\N{EN DASH}"
PHONE, DESK = (390, 844), (1440, 900)

CONTRASTS = """() => {
  const channel = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) =>
    0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const found = rgba(getComputedStyle(node).backgroundColor);
      if (found[3] === 255) return found;
    }
    return rgba(matchMedia("(prefers-color-scheme: dark)").matches ? "black" : "white");
  };
  const worst = {};
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || ["title", "desc", "STYLE", "SCRIPT"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const colour = rgba(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [a, b] = [light(colour), light(ground(node))].sort();
    const key = node.tagName + "." + (node.getAttribute("class") || "");
    worst[key] = Math.min(worst[key] ?? 99, (b + 0.05) / (a + 0.05));
  }
  return worst;
}"""

OVERLAPS = """() => [...document.querySelectorAll("#cascade svg")].flatMap(picture => {
  const boxes = [...picture.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], i) => boxes.slice(i + 1)
    .filter(([_, b]) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
    .map(([other]) => [one, other]));
})"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_it_fits_asks_for_nothing_and_complains_of_nothing(
    screen: Screen, kinds: dict[str, Validation], kind: str, theme: Theme, size: tuple[int, int]
) -> None:
    seen = screen.show(kinds[kind], width=size[0], height=size[1], theme=theme)
    assert seen.width_needed() <= size[0]
    seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert seen.width_needed() <= size[0]
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
    assert sum(url.startswith("file:") for url in seen.requests) == 1


@pytest.mark.parametrize("kind", UNTRAINED)
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_the_first_screen_answers_the_question(
    screen: Screen, kinds: dict[str, Validation], kind: str, size: tuple[int, int]
) -> None:
    seen = screen.show(kinds[kind], width=size[0], height=size[1])
    for part in ("h1", ".sentence", ".gauges", ".tables", ".run"):
        assert seen.bottom(part) <= size[1]
    assert seen.page.locator("h1").inner_text() == kinds[kind].verdict.capitalize()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["approve", "review", "reject", "underpowered", "trained", "trained alone"])
def test_all_text_stands_out_from_its_ground(
    screen: Screen, kinds: dict[str, Validation], kind: str, theme: Theme
) -> None:
    worst: dict[str, float] = screen.show(kinds[kind], theme=theme).page.evaluate(CONTRASTS)
    assert len(worst) > 10
    assert {where: ratio for where, ratio in worst.items() if ratio < 4.5} == {}


def test_the_two_themes_differ(screen: Screen, kinds: dict[str, Validation]) -> None:
    grounds = {
        theme: screen.show(kinds["reject"], theme=theme).page.evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for theme in ("light", "dark")
    }
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 22, 26)"}


def test_columns_can_be_sorted(screen: Screen, kinds: dict[str, Validation]) -> None:
    page = screen.show(kinds["reject"]).page
    table = page.locator("table.sortable")

    def shown(column: int) -> list[str]:
        cells: list[str] = table.locator(f"tbody tr > :nth-child({column})").all_inner_texts()
        return [cell.strip() for cell in cells]

    names = [column.name for column in kinds["reject"].columns]
    assert shown(1) == names
    table.get_by_role("button", name="Column").click()
    assert shown(1) == sorted(names)
    table.get_by_role("button", name="Column").click()
    assert shown(1) == sorted(names, reverse=True)
    assert table.locator("[aria-sort]").all_inner_texts() == ["Column"]

    table.get_by_role("button", name="Distance").click()
    distances = [float(value) for value in shown(3)]
    assert distances == sorted(distances, reverse=True)
    # values that are absent stay at the end in both directions
    for direction in ("descending", "ascending"):
        table.get_by_role("button", name="Tail width").click()
        assert table.locator(f"[aria-sort={direction}]").count() == 1
        widths = shown(6)
        absent = widths.count(ABSENT)
        assert widths[-absent:] == [ABSENT] * absent
        numbers = [float(width.removeprefix(TIMES.strip())) for width in widths[:-absent]]
        assert numbers == sorted(numbers, reverse=direction == "descending")


def test_with_scripts_off_everything_but_sorting_is_there(screen: Screen, kinds: dict[str, Validation]) -> None:
    page = screen.show(kinds["reject"], java_script_enabled=False).page
    assert page.locator("thead button").count() == 0
    assert page.locator("table.sortable tbody tr").count() == 12
    assert page.locator("figure > svg").count() == 12
    page.locator("#distribution_fidelity summary").click()
    assert page.locator("#distribution_fidelity table").is_visible()


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_pictures_of_training_stand_beside_each_other_where_there_is_room(
    screen: Screen, kinds: dict[str, Validation], size: tuple[int, int]
) -> None:
    seen = screen.show(kinds["trained"], width=size[0], height=size[1])
    for pictures, count in ((".beside figure", 2), ("#cascade .cards figure", 3)):
        boxes = [figure.bounding_box() for figure in seen.page.locator(pictures).all()]
        assert len(boxes) == count
        tops = {round(box["y"]) for box in boxes if box}
        assert len(tops) == (1 if size == DESK else count)


def test_no_label_in_a_picture_of_training_covers_another(screen: Screen, kinds: dict[str, Validation]) -> None:
    for kind in ("trained", "trained alone", "badly trained"):
        for size in (PHONE, DESK):
            page = screen.show(kinds[kind], width=size[0], height=size[1]).page
            assert page.evaluate(OVERLAPS) == []


def test_tables_of_training_open_without_scripts(screen: Screen, kinds: dict[str, Validation]) -> None:
    page = screen.show(kinds["trained"], java_script_enabled=False).page
    for summary in page.locator("#cascade summary").all():
        summary.click()
    assert page.locator("#cascade table").count() == 3
    assert all(table.is_visible() for table in page.locator("#cascade table").all())


def test_a_reasons_link_leads_to_its_picture(screen: Screen, kinds: dict[str, Validation]) -> None:
    page = screen.show(kinds["reject"]).page
    page.locator(".reasons a").first.click()
    page.wait_for_function("location.hash === '#column-1'")
    top: float = page.evaluate("document.querySelector('#column-1').getBoundingClientRect().top")
    assert 0 <= top < 900


def test_hostile_names_are_shown_and_do_nothing(screen: Screen, kinds: dict[str, Validation]) -> None:
    seen = screen.show(kinds["hostile"])
    shown = seen.page.locator("table.sortable tbody th").all_text_contents()
    assert {name for name in cases.HOSTILE if name.strip() and "\u202e" not in name} <= set(shown)
    assert seen.page.locator("script").count() == 1
    assert seen.complaints == []


def test_the_command_is_selected_whole_by_one_click(screen: Screen, kinds: dict[str, Validation]) -> None:
    page = screen.show(kinds["reject"]).page
    page.locator("#run pre.copy").first.click()
    chosen: Any = page.evaluate("getSelection().toString()")
    assert chosen.strip() == (
        "foretrain validate data/customers_gen5.csv.gz --original data/customers.csv.gz --target weight_kg --seed 42"
    )


def test_everything_can_be_reached_from_the_keyboard(screen: Screen, kinds: dict[str, Validation]) -> None:
    page = screen.show(kinds["reject"]).page
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.textContent || '').trim().slice(0, 40)"))
    assert {"Eight dimensions", "See the column", "Distance"} <= reached


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_flagged_rows_can_be_read_whole(screen: Screen, kinds: dict[str, Validation], size: tuple[int, int]) -> None:
    for kind in ("reject", "hostile"):
        seen = screen.show(kinds[kind], width=size[0], height=size[1])
        table = seen.page.get_by_role("region", name="Flagged rows")
        assert table.locator("tbody tr").count() == 100
        assert table.evaluate("each => each.scrollWidth <= each.clientWidth + 1")
        assert seen.width_needed() <= size[0]
