"""Does the bottom-k structure count different values, repeats and overlap as a full count does?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretrain.profile.distinct import Smallest
from foretrain.profile.hashing import mix


def hashed(values: np.ndarray) -> np.ndarray:
    return mix(np.asarray(values).astype(np.uint64))


def of(values: np.ndarray, k: int = 256) -> Smallest:
    smallest = Smallest(k)
    for part in np.array_split(hashed(values), 7):
        smallest.update(part)
    return smallest


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(0, 50)))
def test_exact_below_k(left: list[int], right: list[int]) -> None:
    both = of(np.array(left, int)).merge(of(np.array(right, int)))
    assert both.complete
    assert both.distinct == len({*left, *right})
    values, counts = np.unique(left + right, return_counts=True)
    expected = dict(zip(hashed(values).tolist(), counts.tolist(), strict=True))
    assert dict(zip(both.hashes.tolist(), both.counts.tolist(), strict=True)) == expected


@given(st.lists(st.integers(0, 1000), max_size=300), st.integers(0, 300))
def test_merging_parts_equals_the_whole(values: list[int], cut: int) -> None:
    whole = of(np.array(values, int), k=20)
    parts = of(np.array(values[:cut], int), k=20).merge(of(np.array(values[cut:], int), k=20))
    assert (whole.hashes.tolist(), whole.counts.tolist(), whole.complete) == (
        parts.hashes.tolist(),
        parts.counts.tolist(),
        parts.complete,
    )


def test_estimates_stay_within_four_standard_errors() -> None:
    smallest = of(np.arange(200_000), k=1024)
    assert not smallest.complete
    assert smallest.distinct == pytest.approx(200_000, rel=4 * smallest.relative_error)


@pytest.mark.parametrize("values", [np.arange(50_000), np.arange(50_000) // 2, np.arange(50_000) % 40_000])
def test_repeats_of_light_tailed_counts_are_precise(values: np.ndarray) -> None:
    truth = 1 - np.unique(values).size / values.size
    assert of(values, k=4096).repeated(values.size) == pytest.approx(truth, abs=0.015)


def test_no_repeats_is_exactly_zero() -> None:
    assert of(np.arange(100_000)).repeated(100_000) == 0.0


def test_a_single_row_that_fills_half_the_table_is_seen() -> None:
    values = np.where(np.arange(100_000) % 2 == 0, 0, np.arange(100_000))
    assert of(values, k=1024).repeated(100_000) == pytest.approx(0.5, abs=0.06)


def test_overlap_counts_copies() -> None:
    left, right = np.array([1, 1, 1, 2]), np.array([1, 3])
    assert of(left).overlap(of(right)) == 0.75
    assert of(right).overlap(of(left)) == 0.5
    assert of(left).overlap(of(np.array([], int))) == 0.0


def test_overlap_of_large_tables_is_estimated() -> None:
    assert of(np.arange(100_000), k=4096).overlap(of(np.arange(30_000, 200_000), k=4096)) == pytest.approx(
        0.7, abs=0.05
    )


@pytest.mark.parametrize("share", [1.0, 0.0])
def test_overlap_of_all_and_nothing_is_exact(share: float) -> None:
    other = np.arange(100_000) if share else np.arange(100_000, 200_000)
    assert of(np.arange(100_000)).overlap(of(other)) == share
