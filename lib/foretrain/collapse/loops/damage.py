"""Which damages are done to a table directly, without a generator?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.loops.generator import Axes, complete
from foretrain.collapse.table import Table


def duplicates(table: Table, share: float, chance: np.random.Generator, of_rows: float = 0.05) -> Table:
    """Replace a share of the rows by copies of a few (`of_rows`) of them."""
    n = len(table)
    few = chance.permutation(n)[: max(1, round(of_rows * n))]
    rows = np.arange(n)
    gone = chance.permutation(n)[: round(share * n)]
    rows[gone] = few[chance.integers(len(few), size=len(gone))]
    return table.take(rows)


def near_copies(table: Table, share: float, chance: np.random.Generator, noise: float = 0.002) -> Table:
    """Like `duplicates`, the copies' numbers moved by noise, in standard deviations of their column."""
    made = duplicates(table, share, chance)
    spread = np.nan_to_num(np.nanstd(table.numbers, axis=0))
    return made.with_columns(made.numbers + noise * spread * chance.standard_normal(made.numbers.shape), made.codes)


def mode_drop(table: Table, share: float, chance: np.random.Generator) -> Table:
    """Drop the share of rows nearest to a random row."""
    full = complete(table)
    matrix = Axes(full).forward(full)
    distance = ((matrix - matrix[chance.integers(len(matrix))]) ** 2).sum(axis=1)
    return table.take(np.sort(np.argsort(distance)[round(share * len(table)) :]))


def tail_cut(table: Table, share: float) -> Table:
    """Drop the share of rows whose numbers lie farthest out in any column."""
    full = complete(table)
    if not full.numbers.shape[1]:
        return table
    scale = full.numbers.std(axis=0)
    z = np.abs(full.numbers - np.median(full.numbers, axis=0)) / np.where(scale > 0, scale, 1)
    return table.take(np.sort(np.argsort(z.max(axis=1))[: max(2, round((1 - share) * len(table)))]))


def temperature(table: Table, scale: float, chance: np.random.Generator) -> Table:
    """Pull numbers towards their mean and categories towards the commonest level."""
    full = complete(table)
    centre = full.numbers.mean(axis=0)
    numbers = centre + scale * (table.numbers - centre)
    whole = np.asarray(table.schema.whole, dtype=bool)
    numbers[:, whole] = np.rint(numbers[:, whole])
    common = np.asarray([np.bincount(c).argmax() for c in full.codes.T], dtype=np.int64)
    pulled = chance.random(table.codes.shape) < (1 - scale) / 2
    return table.with_columns(numbers, np.where(pulled & (table.codes >= 0), common, table.codes))


def correlation_break(table: Table, share: float, chance: np.random.Generator) -> Table:
    """In a share of the rows, permute every column on its own."""
    rows = chance.permutation(len(table))[: round(share * len(table))]
    numbers, codes = table.numbers.copy(), table.codes.copy()
    for block in (numbers, codes):
        for j in range(block.shape[1]):
            block[rows, j] = block[chance.permutation(rows), j]
    return table.with_columns(numbers, codes)


def label_noise(table: Table, share: float, chance: np.random.Generator) -> Table:
    """In a share of the rows, permute the target (or, without one, a random column)."""
    rows = chance.permutation(len(table))[: round(share * len(table))]
    numbers, codes = table.numbers.copy(), table.codes.copy()
    target = table.schema.target
    if target is None:
        wide = numbers.shape[1] + codes.shape[1]
        j = int(chance.integers(wide))
        block, j = (numbers, j) if j < numbers.shape[1] else (codes, j - numbers.shape[1])
    else:
        block, j = (numbers if target.task == "regression" else codes), target.position
    block[rows, j] = block[chance.permutation(rows), j]
    return table.with_columns(numbers, codes)


def rare_loss(table: Table, share: float, chance: np.random.Generator) -> Table:
    """Drop the share of rows that hold the rarest categories (without categories: the outermost rows)."""
    if not table.codes.shape[1]:
        return tail_cut(table, share)
    frequency = np.column_stack([np.bincount(c + 1)[c + 1] for c in table.codes.T]).min(axis=1)
    order = np.lexsort((chance.random(len(table)), -frequency))
    return table.take(np.sort(order[: max(2, round((1 - share) * len(table)))]))
