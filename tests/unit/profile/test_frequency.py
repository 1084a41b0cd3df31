"""Are values counted exactly up to the limit, and within the stated error beyond?"""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretrain.profile.frequency import Frequencies

WORDS = st.lists(st.sampled_from([f"v{i}" for i in range(24)]), max_size=100)


def of(values: list[str], limit: int = 16) -> Frequencies:
    counted = Frequencies(limit)
    for start in range(0, len(values), 30):
        part = Counter(values[start : start + 30])
        counted.update(list(part), list(part.values()))
    return counted


@given(WORDS, WORDS)
def test_merge_equals_counting_all(a: list[str], b: list[str]) -> None:
    truth = Counter([*a, *b])
    for merged in (of(a).merge(of(b)), of(b).merge(of(a)), Frequencies(16).merge(of([*a, *b]))):
        found = merged.counts()
        assert found.exact == (len(truth) <= 16)
        if found.exact:
            assert found.values == dict(truth)
        for value, count in found.values.items():
            assert truth[value] <= count <= truth[value] + found.error


def test_frequent_items_beyond_the_limit() -> None:
    rng = np.random.default_rng(0)
    values = [f"v{x}" for x in rng.zipf(1.3, 30_000)]
    found, truth = of(values, limit=64).counts(), Counter(values)
    assert not found.exact
    assert 0 < found.error < 1500
    missed = {value for value, count in truth.items() if count > found.error} - found.values.keys()
    assert not missed
    restored = Frequencies.restore(of(values, limit=64).state()).counts()
    assert restored == found
