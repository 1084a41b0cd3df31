"""How much of a gradient is signal, and how much is noise between rows?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """What is kept of the rows' gradients.

    Attributes:
        norms: (rows,) of each row's gradient.
        halves: (..., 2, parameters) mean gradients of the two halves of each subset.
        subsets: (..., rows of a subset) which rows.
    """

    norms: Floats
    halves: Tensor
    subsets: npt.NDArray[np.intp]

    @property
    def means(self) -> Tensor:
        """(..., parameters) mean gradient of each subset."""
        return self.halves.mean(-2)


def sums(chunks: Iterable[Sequence[Tensor]], subsets: npt.NDArray[np.intp]) -> tuple[Sums, ...]:
    """Norms and mean gradients, of gradients that are never all in memory.

    Args:
        chunks: gradients of some rows after the other, (rows, parameters), of several kinds.
        subsets: (..., rows) of an even number of rows each.

    Returns:
        one a kind.
    """
    halves = subsets.reshape(-1, subsets.shape[-1] // 2)
    norms: list[list[Tensor]] = []
    totals: list[Tensor] = []
    start = 0
    for chunk in chunks:
        rows = len(chunk[0])
        weight = torch.zeros(len(halves), rows)
        which, place = np.nonzero((halves >= start) & (halves < start + rows))
        weight[which, halves[which, place] - start] = 1.0 / halves.shape[-1]
        totals = totals or [torch.zeros(len(halves), each.shape[1]) for each in chunk]
        for total, each in zip(totals, chunk, strict=True):
            total.addmm_(weight, each)
        norms.append([each.norm(dim=1) for each in chunk])
        start += rows
    return tuple(
        Sums(torch.cat(norm).numpy().astype(np.float64), total.reshape(*subsets.shape[:-1], 2, -1), subsets)
        for norm, total in zip(zip(*norms, strict=True), totals, strict=True)
    )


def health(found: Sums) -> Mapping[str, Floats]:
    """What each subset's gradients say, by name, an array of the leading axes each.

    The noise scale is tr(Sigma) / |G|^2 by the unbiased pair of estimates from batches of one row and of all; where the
    signal |G|^2 is lost in the noise, it is taken for a tenth of what these rows could have resolved.

    References:
        McCandlish et al. (2018), An empirical model of large-batch training, appendix A.
    """
    n = found.subsets.shape[-1]
    norms = found.norms[found.subsets]
    square = (norms**2).mean(-1)
    whole = found.means.double().square().sum(-1).numpy()
    signal = (n * whole - square) / (n - 1)
    noise = np.maximum((square - whole) * n / (n - 1), np.finfo(float).tiny)
    log = np.log(np.where(norms > 0, norms, np.nan))
    middle, high = np.nanquantile(log, [0.5, 0.99], axis=-1)
    return {
        "noise_scale": np.log10(noise / np.maximum(signal, noise / (10 * n))),
        "norm_spread": np.nanstd(log, axis=-1),
        "norm_tail": (high - middle) / np.log(10),
        "alignment": cosine(found.halves[..., 0, :], found.halves[..., 1, :]),
    }


def cosine(a: Tensor, b: Tensor) -> Floats:
    """Cosines along the last axis."""
    return np.asarray(torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=-1).numpy())
