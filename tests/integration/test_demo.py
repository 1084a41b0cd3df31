"""Does the demo approve the healthy candidate, reject the collapsed one, and show why?"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pandas as pd

from foretrain import demo
from foretrain.validation import Validation


def test_the_real_data_is_no_toy_and_of_mixed_types() -> None:
    table = demo.real()
    assert table.shape == (20_190, 8)
    assert {dtype.kind for dtype in table.dtypes} == set("ifbO")
    assert set(table.health) == {"excellent", "good", "fair", "poor"}
    assert set(table.coinsurance) == {"0 %", "25 %", "50 %", "95 %", "100 %"}


def test_each_generation_loses_values_and_the_seed_decides_them_all() -> None:
    original = demo.real().iloc[::20].reset_index(drop=True)
    first, second = (list(demo.consume(original, 8, seed=3)) for _ in range(2))
    kept = [made.deductible.nunique() for made in (original, *first)]
    assert all(later <= earlier for earlier, later in pairwise(kept))
    assert kept[-1] < 0.6 * kept[0]
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)
        assert list(one.dtypes) == list(original.dtypes)


def test_the_demo(tmp_path: Path, prefect_server: str) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "foretrain_flows.demo", "--out", str(tmp_path)],
        env=os.environ | {"PREFECT_API_URL": prefect_server, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    for name, verdict in (("healthy", "approve"), ("collapsed", "reject")):
        found = Validation.from_json((tmp_path / name / "validation.json").read_bytes())
        assert found.verdict == verdict
        assert all(dimension.measured for dimension in found.dimensions.values())
        assert (tmp_path / name / "report.html").exists()
        assert all(child.stdout.count(dimension.title) >= 2 for dimension in found.dimensions.values())
    assert "restored" in child.stderr  # the original is loaded and profiled once
