"""What would one more generation be: a generator fitted on a dataset's rows, and drawn from?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foretrain.cascade.generation.backoff import LONGEST, Backoff
from foretrain.cascade.generation.components import Components
from foretrain.cascade.record import Data
from foretrain.collapse.loops.copula import Copula
from foretrain.collapse.loops.gaussian import Gaussian, GaussianMixture
from foretrain.collapse.loops.generator import Generator
from foretrain.collapse.loops.kernel import Kernel
from foretrain.collapse.loops.tree import Trees
from foretrain.collapse.table import Ints, Table
from foretrain.errors import SettingsError

CELLS = 500_000
"""In larger tables, trees are split at random places, so that a child takes seconds."""

TITLES = {
    "trees": "sequential CART",
    "copula": "Gaussian copula",
    "gaussian": "one Gaussian",
    "mixture": "mixture of Gaussians",
    "kernel": "smooth bootstrap",
    "components": "principal components, a Gaussian a class",
    "bytes": f"byte {LONGEST + 1}-grams with back-off",
}
"""For people."""

_OF_TABLES: dict[str, Callable[[], Generator]] = {
    "trees": Trees,
    "copula": Copula,
    "gaussian": Gaussian,
    "mixture": GaussianMixture,
    "kernel": Kernel,
    "components": Components,
}
_BY_DATA: dict[Data, str] = {"table": "trees", "text": "bytes", "image": "components"}


def choose(data: Data, wanted: str) -> str:
    """Name of the generator: the one that the setting names, or the usual one of such data.

    Raises:
        SettingsError: it cannot make such data.
    """
    if wanted == "auto":
        return _BY_DATA[data]
    if (wanted == "bytes") != (data == "text"):
        able = "bytes" if data == "text" else ", ".join(_OF_TABLES)
        raise SettingsError(f"the generator {wanted} makes no {data}s", hint=f"Set cascade.generator to {able} or auto")
    return wanted


def draw(rows: Table, generator: str, n: int, chance: np.random.Generator) -> Table:
    """As many new rows of a table (or of images, a number a pixel) like these.

    Args:
        rows: what the generator is fitted on.
        generator: by name, see `TITLES`.
        n: rows drawn.
        chance: of the fit and the draw.
    """
    quick = generator == "trees" and len(rows) * _width(rows) > CELLS
    model = Trees(quick=True) if quick else _OF_TABLES[generator]()
    model.fit(rows, chance)
    return model.draw(n, chance)


def draw_texts(tokens: Ints, n: int, chance: np.random.Generator) -> Ints:
    """As many new texts like these, (n, t) tokens, by the bytes that follow each other."""
    return Backoff.of(tokens, LONGEST).draw(n, tokens.shape[1], chance)


def _width(rows: Table) -> float:
    """Columns, categories of many levels counted by the time their trees take."""
    return float(rows.numbers.shape[1]) + sum(max(1.0, levels / 8) for levels in rows.schema.levels)
