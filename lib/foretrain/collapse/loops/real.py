"""Which real tables, shipped inside scikit-learn and statsmodels, is the calibration made from?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pandas as pd

from foretrain.collapse.table import Floats, Schema, Table, Target

CALIBRATION = (
    "iris",
    "breast_cancer",
    "digits",
    "fair",
    "anes96",
    "star98",
    "engel",
    "fertility",
    "elnino",
    "autos",
    "medicare",
)
"""The tables that fits may see. The other tables of both libraries are kept for tests that no fit has seen."""


def frame(name: str) -> tuple[pd.DataFrame, str]:
    """One of the `CALIBRATION` tables and the name of its target column."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _MAKERS[name]()


def table(name: str) -> Table:
    """One of the `CALIBRATION` tables as arrays."""
    rows, target = frame(name)
    return from_frame(rows, target)


def from_frame(rows: pd.DataFrame, target: str | None) -> Table:
    """A frame as arrays: number columns to numbers, all others to codes; a target of few integers to codes."""
    numbers: list[str] = []
    whole: list[bool] = []
    codes: list[str] = []
    levels: list[int] = []
    number_columns: list[Floats] = []
    code_columns: list[np.ndarray] = []
    goal: Target | None = None
    for column in rows.columns:
        values = rows[column]
        integer = pd.api.types.is_integer_dtype(values)
        if pd.api.types.is_numeric_dtype(values) and not (column == target and integer and values.nunique() <= 20):
            if column == target:
                goal = Target("regression", len(numbers))
            numbers.append(str(column))
            whole.append(bool(integer))
            number_columns.append(values.to_numpy(np.float64))
        else:
            if column == target:
                goal = Target("classification", len(codes))
            found, names = pd.factorize(values.astype(str), sort=True)
            codes.append(str(column))
            levels.append(len(names))
            code_columns.append(found.astype(np.int64))
    return Table(
        np.column_stack(number_columns) if numbers else np.empty((len(rows), 0)),
        np.column_stack(code_columns) if codes else np.empty((len(rows), 0), np.int64),
        Schema(tuple(numbers), tuple(whole), tuple(codes), tuple(levels), goal),
    )


def _sklearn(loader: str, target: str) -> Callable[[], tuple[pd.DataFrame, str]]:
    def make() -> tuple[pd.DataFrame, str]:
        from sklearn import datasets

        bunch = getattr(datasets, loader)(as_frame=True)
        rows = bunch.data.copy()
        rows = rows.loc[:, rows.nunique() > 1]
        if loader == "load_digits":
            rows = rows.astype(np.int64)
        rows[target] = pd.Series(bunch.target_names)[bunch.target].astype(str).to_numpy()
        return rows, target

    return make


def _fair() -> tuple[pd.DataFrame, str]:
    from statsmodels.datasets import fair

    rows = fair.load_pandas().data.copy()
    for name in ("rate_marriage", "religious", "educ"):
        rows[name] = rows[name].astype(np.int64)
    for name in ("occupation", "occupation_husb"):
        rows[name] = "job" + rows[name].astype(int).astype(str)
    rows["affair"] = np.where(rows.pop("affairs") > 0, "yes", "no")
    return rows, "affair"


def _anes96() -> tuple[pd.DataFrame, str]:
    from statsmodels.datasets import anes96

    rows = anes96.load_pandas().data.drop(columns=["logpopul"], errors="ignore").astype(np.int64)
    rows["vote"] = np.where(rows["vote"] > 0, "dole", "clinton")
    return rows, "vote"


def _star98() -> tuple[pd.DataFrame, str]:
    from statsmodels.datasets import star98

    rows = star98.load_pandas().data
    rows = rows[[c for c in rows.columns if "_" not in c or c in ("PERASIAN",)]].astype(np.float64)
    above = rows.pop("NABOVE")
    rows["PASSRATE"] = 100 * above / (above + rows.pop("NBELOW"))
    return rows, "PASSRATE"


def _engel() -> tuple[pd.DataFrame, str]:
    from statsmodels.datasets import engel

    return engel.load_pandas().data.copy(), "foodexp"


def _fertility() -> tuple[pd.DataFrame, str]:
    from statsmodels.datasets import fertility

    rows = fertility.load_pandas().data[[str(year) for year in range(1960, 2011, 5)]].dropna()
    return rows.rename(columns=lambda year: f"y{year}"), "y2010"


def _elnino() -> tuple[pd.DataFrame, str]:
    from statsmodels.datasets import elnino

    wide = elnino.load_pandas().data.set_index("YEAR")
    series = wide.stack()
    rows = pd.DataFrame({f"lag{k}": series.shift(k).to_numpy() for k in (12, 6, 3, 2, 1)})
    rows["month"] = series.index.get_level_values(1)
    rows["sst"] = series.to_numpy()
    return rows.dropna().reset_index(drop=True), "sst"


def _autos() -> tuple[pd.DataFrame, str]:
    rows = pd.read_csv(str(files("statsmodels") / "gam/tests/results/autos.csv"))
    rare = ["symbol", "loss", "make", "doors", "eng_loc", "eng_type"]
    return rows.drop(columns=rare).dropna().reset_index(drop=True), "price"


def _medicare() -> tuple[pd.DataFrame, str]:
    rows = pd.read_csv(str(files("statsmodels") / "sandbox/regression/tests/racd10data_with_transformed.csv"))
    flags = ["medicaid", "female", "phylim", "actlim", "private"]
    numbers = ["ssiratio", "age", "educyr", "nonphysician", "docvis", "income", "totchr"]
    rows = rows[numbers + flags].dropna()
    for name in flags:
        rows[name] = np.where(rows[name] > 0, "yes", "no")
    return rows.reset_index(drop=True), "private"


_MAKERS: dict[str, Callable[[], tuple[pd.DataFrame, str]]] = {
    "iris": _sklearn("load_iris", "species"),
    "breast_cancer": _sklearn("load_breast_cancer", "diagnosis"),
    "digits": _sklearn("load_digits", "digit"),
    "fair": _fair,
    "anes96": _anes96,
    "star98": _star98,
    "engel": _engel,
    "fertility": _fertility,
    "elnino": _elnino,
    "autos": _autos,
    "medicare": _medicare,
}
