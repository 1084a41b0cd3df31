"""Are lost and invented values found, and only those that chance does not explain?"""

import numpy as np
import pytest

from foretrain.diversity.rare import lost, seen


def test_lost_mass_and_rare_recall_by_hand() -> None:
    reference, counts = np.array([900, 90, 6, 4]), np.array([5, 0, 1, 0])
    assert lost(reference, counts) == pytest.approx(0.094)
    assert seen(reference, counts) == 0.5
    assert seen(np.array([50, 50]), np.array([1, 0])) == 1.0


def test_lost_mass_of_a_resample_is_its_closed_form() -> None:
    # Of a resample of size M, the source's mass lost is expected to be the sum of p (1 - p)^M.
    rng = np.random.default_rng(0)
    reference = np.rint(1e6 / np.arange(1, 501)).astype(np.int64)
    shares = reference / reference.sum()
    found = np.mean([lost(reference, rng.multinomial(300, shares)) for _ in range(300)])
    assert found == pytest.approx((shares * (1 - shares) ** 300).sum(), rel=0.03)
