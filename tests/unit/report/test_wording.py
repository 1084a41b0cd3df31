"""Do numbers and names read well, at every size?"""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretrain.report import wording

SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def plain(text: str) -> str:
    return text.replace(wording.SPACE, " ").replace(wording.MINUS, "-")


def value_of(text: str) -> float:
    text = plain(text).replace(",", "")
    if "10" in text and wording.TIMES.strip() in text:
        mantissa, power = text.split(f"{wording.TIMES}10")
        return float(mantissa) * 10.0 ** int(power.translate(SUPERSCRIPT))
    digits, _, unit = text.partition(" ")
    return float(digits) * UNITS[unit]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1, "1"), (0.5, "0.5"), (0.01234, "0.0123"), (12.345, "12.3"), (812, "812"), (999.9, "1,000"),
        (1234, "1,230"), (9_996, "10 k"), (18_240, "18.2 k"), (20_190, "20.2 k"), (1_234_567, "1.23 M"), (5e9, "5 G"),
        (-4.5, "-4.5"), (100, "100"), (2e13, "20 T"),
    ],
)  # fmt: skip
def test_number(value: float, text: str) -> None:
    assert plain(wording.number(value)) == text


@given(st.floats(1e-12, 1e20))
def test_number_keeps_three_digits_of_the_value(value: float) -> None:
    text = wording.number(value)
    assert value_of(text) == pytest.approx(value, rel=0.006 if value >= 1e-3 and value < 1e15 else 0.06)
    leading = re.sub(r"[^\d]", "", plain(text).split(wording.TIMES)[0]).strip("0")
    assert len(leading) <= 3


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.12, "12 %"),
        (0.047, "4.7 %"),
        (0.03, "3 %"),
        (0.0999, "10 %"),
        (0.0002, "<0.1 %"),
        (0.996, "100 %"),
    ],
)
def test_percent(share: float, text: str) -> None:
    assert plain(wording.percent(share)) == text


def test_percent_with_fixed_digits_lines_up() -> None:
    assert [plain(wording.percent(share, 1)) for share in (0.5, 0.051, 0.0001, 0)] == [
        "50.0 %",
        "5.1 %",
        "<0.1 %",
        "0 %",
    ]


@pytest.mark.parametrize(
    ("interval", "text"),
    [((0.083, 0.17), "8 to 17 %"), ((0.003, 0.093), "0.3 to 9.3 %"), ((0.5, 0.5), "50 %"), ((0, 0.048), "0 to 4.8 %")],
)
def test_percent_range(interval: tuple[float, float], text: str) -> None:
    assert plain(wording.percent_range(interval)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "less than one generation"), (1, "1 generation"), (1.4, "1.4 generations"), (5.2, "5 generations"),
        (20, "20 or more generations"),
    ],
)  # fmt: skip
def test_generations(value: float, text: str) -> None:
    assert wording.generations(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "no row"), (0.125, "1 row in 8"), (0.5, "1 row in 2"), (0.8, "nearly every row"), (1, "every row")],
)
def test_one_in(share: float, text: str) -> None:
    assert wording.one_in(share) == text


def test_units() -> None:
    assert [plain(wording.quantity(share, "share")) for share in (0.5, 0.9994, 0.9999)] == ["50.0 %", "99.9 %", "100 %"]
    assert plain(wording.quantity(412.3, "count")) == "412"
    assert plain(wording.quantity(3.25, "bits")) == "3.25"
    assert plain(wording.quantity_range((1.0, 2.0), "bits")) == "1 to 2"
    assert plain(wording.quantity_range((0.951, 1.0), "share")) == "95.1 to 100 %"
    assert [plain(wording.size(count)) for count in (812, 20_190, 2**40)] == ["812 B", "20.2 kB", "1.1 TB"]
    assert [plain(wording.seconds(taken)) for taken in (0.001, 0.84, 12.34, 125)] == [
        "<0.01 s", "0.84 s", "12.3 s", "2 min 5 s",
    ]  # fmt: skip
    assert [wording.rows(count) for count in (1, 20_190)] == ["1 row", "20,190 rows"]
    assert [plain(wording.signed(value)) for value in (0.314, -0.021)] == ["+0.31", "-0.02"]
    assert [wording.whole_range(interval) for interval in ((28.2, 41.4), (3.0, 3.1))] == ["28 to 41", "3"]


def test_axis_values_are_read_in_the_columns_kind() -> None:
    noon = datetime(2024, 2, 29, 12, 30, tzinfo=UTC).timestamp() * 1e6
    assert wording.axis_value(noon, "datetime") == "2024-02-29 12:30"
    assert wording.axis_value(86_400e6, "datetime") == "1970-01-02"
    assert wording.axis_value(-86_400e6, "datetime") == "1969-12-31"
    assert wording.axis_value(1e24, "datetime") == wording.number(1e24)
    assert wording.axis_value(3_661e6, "duration") == "1:01:01"
    assert wording.axis_value(1e30, "duration") == wording.number(1e30)
    assert wording.axis_value(2.5, "numeric") == "2.5"


@given(st.text(max_size=300), st.integers(5, 80))
def test_clipped_is_short_and_legible(text: str, length: int) -> None:
    short = wording.clipped(text, length)
    assert len(short) <= length
    assert short.strip()
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069]", short)


def test_names_that_cannot_be_seen_are_quoted_and_overrides_are_written_out() -> None:
    assert wording.named("  ") == '"  "'
    assert wording.named("") == '""'
    assert wording.named("a\u202eb\x00") == "a\\u202eb\\u0000"
    assert wording.named("👩🏽‍🔬 שלום") == "👩🏽‍🔬 שלום"
    assert wording.clipped("abcdefghij", 7) == "abcd…ij"
