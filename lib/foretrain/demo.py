"""How are a healthy and a collapsed candidate made of one real dataset?

The data is the RAND Health Insurance Experiment's outpatient visits, as statsmodels ships it: 20,190 person-years.
Half of the rows are the original. The healthy candidate is the other half: fresh real rows. The collapsed one comes
from a self-consuming loop: decision trees are fitted on the original and draw as many rows, the next ones are fitted on
what was drawn, and so on; nothing else is done to it.

References:
    Reiter (2005), Using CART to generate partially synthetic public use microdata. Journal of Official Statistics 21.
    Shumailov et al. (2024), AI models collapse when trained on recursively generated data. Nature 631.
    Manning et al. (1987), Health insurance and the demand for medical care: evidence from a randomized experiment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foretrain import seeds

if TYPE_CHECKING:
    import pandas as pd

GENERATIONS = 30
TARGET = "visits"


@dataclass(frozen=True)
class Files:
    """Where the tables were written."""

    original: Path
    healthy: Path
    collapsed: Path


def real() -> pd.DataFrame:
    """20,190 rows of numbers, whole numbers, truths and categories; coded columns in their plain units."""
    import numpy as np
    import pandas as pd
    from statsmodels.datasets import randhie

    coded: pd.DataFrame = randhie.load_pandas().data
    health = np.select([coded.hlthp == 1, coded.hlthf == 1, coded.hlthg == 1], ["poor", "fair", "good"], "excellent")
    made = {
        "visits": coded.mdvis.astype("int64"),
        "coinsurance": coded.lncoins.map(lambda logarithm: f"{np.expm1(logarithm):.0f} %"),
        "individual_deductible": coded.idp == 1,
        "incentive": np.exp(coded.lpi).round(2),
        "deductible": coded.fmde,
        "limitation": coded.physlm,
        "diseases": coded.disea,
        "health": health,
    }
    return pd.DataFrame(made)


def write(folder: Path, seed: int = 0) -> Files:
    """Write original, healthy and collapsed candidate as Parquet into the folder, made where missing."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(*(folder / f"{name}.parquet" for name in ("original", "healthy", "collapsed")))
    table = real()
    order = seeds.stream(seed, "demo", "halves").permutation(len(table))
    original, healthy = (table.iloc[part].reset_index(drop=True) for part in (order[::2], order[1::2]))
    *_, collapsed = consume(original, GENERATIONS, seed)
    for made, file in zip(
        (original, healthy, collapsed), (files.original, files.healthy, files.collapsed), strict=True
    ):
        made.to_parquet(file, index=False)
    return files


def consume(original: pd.DataFrame, generations: int, seed: int) -> Iterator[pd.DataFrame]:
    """Each generation of a loop in which a generator learns from its own output only."""
    import numpy as np
    import pandas as pd

    from foretrain.collapse.loops.recipes import consume
    from foretrain.collapse.loops.tree import Trees
    from foretrain.collapse.table import Schema, Table

    names = [str(name) for name in original]
    numbers = [name for name in names if original[name].dtype.kind in "if"]
    factors = {name: original[name].factorize(sort=True) for name in names if name not in numbers}
    schema = Schema(
        numbers=tuple(numbers),
        whole=tuple(original[name].dtype.kind == "i" for name in numbers),
        codes=tuple(factors),
        levels=tuple(len(levels) for _, levels in factors.values()),
    )
    codes = np.column_stack([code for code, _ in factors.values()]).astype(np.int64)
    start = Table(original[numbers].to_numpy(np.float64), codes, schema)
    for made in consume(start, Trees, generations, seeds.stream(seed, "demo", "loop")):
        columns = dict(zip(numbers, made.numbers.T, strict=True))
        columns |= {name: levels[code] for (name, (_, levels)), code in zip(factors.items(), made.codes.T, strict=True)}
        yield pd.DataFrame(columns)[names].astype(original.dtypes)
