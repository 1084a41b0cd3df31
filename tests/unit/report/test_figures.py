"""Do the pictures show the numbers they are given?"""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from foretrain.collapse.record import ColumnComparison, Dimension, Histogram, Matrices, Spectrum
from foretrain.diversity.record import Measure
from foretrain.report import figures
from foretrain.report.figures import correlations
from foretrain.report.figures.spectrum import outside
from foretrain.report.figures.svg import element


def parsed(picture: Markup) -> ElementTree.Element:
    root = ElementTree.fromstring(picture)
    if root.get("role") == "img":
        assert root.findtext("title")
        assert root.findtext("desc")
    return root


def having(root: ElementTree.Element, class_: str) -> list[ElementTree.Element]:
    return [node for node in root.iter() if class_ in (node.get("class") or "").split()]


def percent(node: ElementTree.Element, key: str) -> float:
    return float((node.get(key) or "0").removesuffix("%"))


def points(node: ElementTree.Element) -> np.ndarray:
    return np.array([pair.split() for pair in (node.get("d") or "").strip("MZ").split("L")], dtype=float)


def dimension(**changes: object) -> Dimension:
    given = {
        "title": "Distribution Fidelity", "question": "?", "measured": True, "score": 40.0, "interval": (30.0, 55.0),
        "fresh": (92.0, 100.0), "smallest_effect": None,
    }  # fmt: skip
    return Dimension.model_validate(given | changes)


def column(drawn: Histogram, kind: str = "numeric") -> ColumnComparison:
    return ColumnComparison(
        name="a<b>&\u202e", kind=kind, distance=0.1, fresh_distance=0.02, lost_mass=0, tail_ratio=None, nulls=(0, 0),
        distinct=(1, 1), histogram=drawn,
    )  # fmt: skip


def test_elements_escape_everything_they_are_given() -> None:
    written = element("text", "</text><script>", data_name='"><b>', class_=None)
    assert ElementTree.fromstring(written).attrib == {"data-name": '"><b>'}
    assert "<script>" not in written


def test_a_score_stands_where_it_belongs() -> None:
    root = parsed(figures.dimension_bar(dimension()))
    assert percent(having(root, "candidate")[0], "width") == 40
    band = having(root, "fresh")[0]
    assert (percent(band, "x"), percent(band, "width")) == (92, 8)
    line = having(root, "whisker")[0]
    assert (percent(line, "x1"), percent(line, "x2")) == (30, 55)
    assert root.findtext("desc") == "Score 40 of 100; fresh real samples score 92 to 100; 90 % interval 30 to 55."


def test_without_interval_and_band_there_is_only_the_bar() -> None:
    root = parsed(figures.dimension_bar(dimension(interval=None, fresh=None)))
    assert having(root, "candidate")
    assert not having(root, "whisker")
    assert not having(root, "fresh")


def test_what_was_not_measured_is_an_outline_and_no_bar() -> None:
    root = parsed(figures.dimension_bar(dimension(measured=False, score=None, interval=None, reason="No cascade.")))
    assert having(root, "unmeasured")
    assert not having(root, "candidate")
    assert root.findtext("desc") == "No cascade."


def test_a_gauge_shows_value_interval_and_thresholds() -> None:
    root = parsed(figures.gauge("P", "said", 0.3, (0.2, 0.45), ticks=(0.25, 0.5)))
    assert percent(having(root, "tone")[0], "width") == 30
    assert [percent(tick, "x1") for tick in having(root, "tick")] == [25, 50]
    assert [percent(having(root, "whisker")[0], end) for end in ("x1", "x2")] == [20, 45]


@pytest.mark.parametrize("values", [(280.0, 412.0, (396.0, 425.0)), (0.0, 0.0, (0.0, 0.0)), (-3.0, None, None)])
def test_a_measure_keeps_its_order_on_the_strip(values: tuple[float, float | None, tuple[float, float] | None]) -> None:
    candidate, original, fresh = values
    root = parsed(
        figures.measure_strip(
            Measure(
                name="m",
                title="M",
                unit="count",
                better="higher",
                candidate=candidate,
                original=original,
                fresh=fresh,
                sentence="M is.",
            )
        )
    )
    dot = percent(having(root, "ringed")[0], "cx")
    assert 0 <= dot <= 100
    for thick in having(root, "thick"):
        assert (dot < percent(thick, "x1")) == (original is not None and candidate < original)


def test_areas_of_a_histogram_are_shares_also_with_unequal_bins() -> None:
    draw = np.random.default_rng(1)
    values, edges = draw.lognormal(0, 1, 5_000), np.array([0, 0.2, 0.5, 1, 2, 4, 40])
    original = np.histogram(values, edges)[0] / len(values)
    candidate = np.histogram(values * 0.8, edges)[0] / len(values)
    root = parsed(
        figures.histogram(
            column(Histogram(edges=tuple(edges), original=tuple(original), candidate=tuple(candidate))),
            Histogram(edges=tuple(edges), original=tuple(original), candidate=tuple(candidate)),
        )
    )
    areas = []
    for name in ("original", "candidate"):
        path = points(next(node for node in having(root, name) if node.tag == "path"))
        areas.append(float(np.trapezoid(100 - path[:, 1], path[:, 0])))
    assert areas[0] / areas[1] == pytest.approx(original.sum() / candidate.sum(), rel=1e-3)


@pytest.mark.parametrize(
    "drawn",
    [
        Histogram(edges=(5.0, 5.0), original=(1.0,), candidate=(1.0,)),
        Histogram(edges=(0.0, 1.0, 2.0), original=(0.0, 0.0), candidate=(0.0, 0.0)),
        Histogram(edges=(0.0, 1.0, 1.0, 2.0), original=(0.2, 0.5, 0.3), candidate=(0.0, 1.0, 0.0)),
        Histogram(original=(), candidate=()),
        Histogram(labels=("only",), original=(0.0,), candidate=(0.0,)),
        Histogram(labels=tuple("abcdef"), original=(0.0,) * 6, candidate=(0.0,) * 6),
    ],
)
def test_degenerate_histograms_are_drawn(drawn: Histogram) -> None:
    for kind in ("numeric", "datetime", "duration", "categorical"):
        picture = figures.histogram(column(drawn, kind), drawn)
        parsed(picture)
        assert "nan" not in picture
        assert "\u202e" not in picture


def test_categories_that_differ_most_are_shown_in_their_order() -> None:
    drawn = Histogram(
        labels=tuple("abcdefg"), original=(0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05), candidate=(0.7, 0.2, 0.0, 0.1, 0, 0, 0)
    )
    root = parsed(figures.histogram(column(drawn, "categorical"), drawn))
    labels = [(node.text or "").strip("\u2068\u2069") for node in having(root, "label")][::2]
    assert labels == list("acefg")
    assert root.findtext("desc") == "Share of rows of the 5 categories that differ most, of 7."


def test_values_of_a_discrete_column_stand_in_their_order_side_by_side() -> None:
    drawn = Histogram(
        labels=tuple("0123456789"), original=(0.1,) * 10, candidate=(0.0, 0.2, 0.05, 0.15, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    )
    root = parsed(figures.histogram(column(drawn, "integer"), drawn))
    bars = {name: having(root, name) for name in ("original", "candidate")}
    heights = [float(bar.get("height") or 0) for bar in bars["candidate"]]
    assert heights == pytest.approx([96 * share / 0.2 for share in drawn.candidate], abs=0.006)
    for real, made in zip(bars["original"], bars["candidate"], strict=True):
        assert float(real.get("x") or 0) < float(made.get("x") or 0) < float(real.get("x") or 0) + 100
    assert [node.text for node in having(root, "label")] == list("0123456789")


def test_labels_below_an_axis_leave_each_other_room() -> None:
    drawn = Histogram(
        labels=tuple(f"2.95{index}86" for index in range(10)), original=(0.1,) * 10, candidate=(0.1,) * 10
    )
    root = parsed(figures.histogram(column(drawn, "numeric"), drawn))
    labels = [node.text or "" for node in having(root, "label")]
    assert labels[0] == "2.95"
    assert len(labels) == 5


def test_the_heat_map_shows_each_pair_once_and_nothing_where_nothing_changed() -> None:
    matrices = Matrices(
        columns=("a", "b", "c"),
        original=((1.0, 0.5, 0.1), (0.5, 1.0, -0.4), (0.1, -0.4, 1.0)),
        candidate=((1.0, 0.1, 0.1), (0.1, 1.0, -0.1), (0.1, -0.1, 1.0)),
    )
    root = parsed(figures.heatmap(matrices))
    cells = [node for node in root.iter() if node.tag == "rect"]
    assert len(cells) == 3
    assert sorted(float(cell.get("fill-opacity") or 0) for cell in cells) == pytest.approx(
        [0, math.sqrt(0.3 / 0.5), math.sqrt(0.4 / 0.5)], abs=0.006
    )
    assert [(pair.first, pair.second) for pair in correlations.pairs(matrices)] == [("a", "b"), ("b", "c"), ("a", "c")]
    assert correlations.scale(matrices) == 0.5
    assert [cell.get("class") for cell in cells if cell.get("fill-opacity") != "0"] == ["lower", "higher"]


@pytest.mark.parametrize("size", [0, 1])
def test_a_heat_map_of_no_pair_is_drawn(size: int) -> None:
    row = ((1.0,),) * size
    matrices = Matrices(columns=("a",) * size, original=row, candidate=row)
    parsed(figures.heatmap(matrices))
    assert correlations.pairs(matrices) == []


def test_the_spectrum_is_logarithmic_and_vanished_axes_stand_at_the_foot() -> None:
    spectrum = Spectrum(
        original=(0.9, 0.09, 0.01), candidate=(0.9, 0.009, 0.0), fresh=((0.8, 1.0), (0.08, 0.1), (0.009, 0.011))
    )
    root = parsed(figures.spectrum_lines(spectrum))
    line = points(next(node for node in having(root, "line") if "candidate" in (node.get("class") or "")))
    original = points(next(node for node in having(root, "line") if "original" in (node.get("class") or "")))
    assert line[2, 1] == 100
    # both fell by a factor of ten: the same distance on paper
    assert line[1, 1] - original[1, 1] == pytest.approx(original[1, 1] - original[0, 1], abs=0.02)
    assert outside(spectrum) == (2, 0)


@pytest.mark.parametrize("values", [(), (0.0,), (1.0,), (1e-12, 0.0), (3.0, 1e-30)])
def test_degenerate_spectra_are_drawn(values: tuple[float, ...]) -> None:
    picture = figures.spectrum_lines(Spectrum(original=values, candidate=values, fresh=()))
    parsed(picture)
    assert "nan" not in picture
