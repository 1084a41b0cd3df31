"""Would a step of training on a row make the cascade's nets worse on the original's held-out rows?

A net's last layer is linear: the gradient of a row's loss by its weights is the outer product of the row's error and
of what the layer reads. So the dot product of two rows' gradients takes no backward pass, and that with the mean
gradient of many rows is one product of matrices.

References:
    Pruthi, Liu, Kale, Sundararajan (2020), Estimating training data influence by tracing gradient descent (TracIn),
    NeurIPS 33: by the last layer; the checkpoints are the weights that the cascade kept of each net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from safetensors.numpy import load
from torch import Tensor
from torch.nn import functional

from foretrain.cascade.problem import Problem, Rows, length, take
from foretrain.cascade.record import Cascade
from foretrain.cascade.rows.reader import Reader
from foretrain.cascade.tiers import tiers
from foretrain.cascade.tiers.tier import Net, NetTier
from foretrain.collapse.table import Floats
from foretrain.profile import ProfileRef
from foretrain.settings import Settings
from foretrain.storage import read

BATCH = 4096
"""Rows that nets read at once."""

STEPS = 32
"""Points on the way from which a gradient is integrated."""


@dataclass(frozen=True)
class Checkpoint:
    """Nets of one tier that learned from the candidate.

    Attributes:
        pull: mean gradient of the held-out rows' loss by the last layer, (models, outputs, features + 1).
        unit: mean size of what those rows' scores are, (models, 1).
    """

    net: Net
    pull: Tensor
    unit: Tensor

    @staticmethod
    def of(
        tier: NetTier, problem: Problem, states: Sequence[Mapping[str, npt.NDArray[np.float32]]], held_out: Rows
    ) -> Checkpoint:
        """Of nets with these weights, by name and without the leading axis."""
        net = tier.build(problem, [0] * len(states)).requires_grad_(requires_grad=False)
        for name, parameter in net.named_parameters():
            parameter.copy_(torch.stack([torch.from_numpy(state[name]) for state in states]))
        errors, features = (torch.cat(each, 1) for each in zip(*_batches(problem, net, held_out), strict=True))
        pull = torch.einsum("mro,mrf->mof", errors, features) / length(held_out)
        unit = _product(errors, pull, features).abs().mean(1, keepdim=True)
        return Checkpoint(net, pull, unit.clamp(min=1e-30))

    def score(self, problem: Problem, rows: Mapping[str, Tensor]) -> Tensor:
        """How much a step on each row raises the held-out rows' loss, mean over the nets, (rows,)."""
        errors, features = gradients(problem, self.net, rows)
        return (-_product(errors, self.pull, features) / self.unit).mean(0)


def _product(errors: Tensor, pull: Tensor, features: Tensor) -> Tensor:
    """Dot product of each row's gradient with the mean one, (models, rows)."""
    return ((errors @ pull) * features).sum(-1)


def gradients(problem: Problem, net: Net, rows: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Whose outer product is the gradient of a row's loss by the last layer.

    Returns:
        errors, (models, rows, outputs), and what the layer reads with a 1 for its bias, (models, rows, features + 1).
    """
    batch = {name: each.expand(net.models, *each.shape) for name, each in rows.items()}
    hidden = net.hidden(batch)
    output = net.output(hidden)
    if problem.goal == "classification":
        errors = output.softmax(-1) - functional.one_hot(batch["goal"], problem.classes)
    else:
        errors = 2 * (output - batch["goal"].unsqueeze(-1))
    return errors, torch.cat([hidden, torch.ones_like(hidden[..., :1])], -1)


def _tensors(rows: Rows) -> dict[str, Tensor]:
    """In memory that torch has aligned: products round by alignment, and NumPy's differs from process to process."""
    return {name: torch.from_numpy(np.ascontiguousarray(each)).clone() for name, each in rows.items()}


def _batches(problem: Problem, net: Net, rows: Rows) -> list[tuple[Tensor, Tensor]]:
    return [
        gradients(problem, net, _tensors(take(rows, slice(start, start + BATCH))))
        for start in range(0, length(rows), BATCH)
    ]


@dataclass(frozen=True)
class Influence:
    """The cascade's nets that learned from the candidate, and how rows are read for them.

    Those that learned from the original have seen most of its rows, so that these would not say what is usual.
    """

    reader: Reader
    checkpoints: tuple[Checkpoint, ...]

    @staticmethod
    def of(cascade: Cascade, candidate: ProfileRef, original: ProfileRef, settings: Settings) -> Influence | None:
        """From what the cascade of these two kept; None where it has no net of a table with a target.

        Args:
            cascade: its record.
            candidate: its profile.
            original: the original's.
            settings: those of the cascade.

        Raises:
            DataError: what was learned from is gone.
            ResourceError: the weights cannot be read.
        """
        if cascade.data != "table" or cascade.target is None or not cascade.weights:
            return None
        reader = Reader.of(candidate, original, settings)
        if reader is None:
            return None
        found = []
        for tier in tiers(reader.problem):
            if isinstance(tier, NetTier) and tier.name in cascade.weights:
                states = _states(load(read(cascade.weights[tier.name])))
                if states:
                    found.append(Checkpoint.of(tier, reader.problem, states, reader.held_out))
        return Influence(reader, tuple(found)) if found else None

    def read(self, rows: pa.Table) -> Rows:
        """Rows as the nets read them, and whether their target is known."""
        prepared, known = self.reader.rows(rows)
        return {**prepared, "known": known}

    def score(self, rows: Rows) -> Floats:
        """How much a step of training on each row raises the held-out rows' loss, (rows,); 0 without a target."""
        out = np.zeros(length(rows))
        with torch.no_grad():
            for start in range(0, length(rows), BATCH):
                part = slice(start, start + BATCH)
                out[part] = self._score(_tensors(take(rows, part))).numpy()
        return np.where(rows["known"], out, 0.0)

    def _score(self, rows: Mapping[str, Tensor]) -> Tensor:
        inputs = {name: each for name, each in rows.items() if name != "known"}
        return torch.stack([each.score(self.reader.problem, inputs) for each in self.checkpoints]).mean(0)

    def contributions(self, rows: Rows) -> dict[str, Floats]:
        """What each column adds to the score, each (rows,).

        Numbers by integrated gradients from the median, categories by what is lost where the level is unknown.

        References:
            Sundararajan, Taly, Yan (2017), Axiomatic attribution for deep networks, ICML: the numbers' parts add to
            the score's difference from that of the row with all numbers at their median.
        """
        given = _tensors(rows)
        numbers, codes = self.reader.inputs
        out: dict[str, Floats] = {}
        if numbers:
            from captum.attr import IntegratedGradients

            def score(values: Tensor, *others: Tensor) -> Tensor:
                return self._score(dict(zip(names, others, strict=True)) | {"numbers": values})

            names = [name for name in given if name not in ("numbers", "known")]
            parts = IntegratedGradients(score).attribute(
                given["numbers"], additional_forward_args=tuple(given[name] for name in names), n_steps=STEPS
            )
            out |= dict(zip(numbers, parts.detach().double().numpy().T, strict=True))
        with torch.no_grad():
            whole = self._score(given)
            for k, name in enumerate(codes):
                unknown = given["codes"].clone()
                unknown[:, k] = 0
                out[name] = (whole - self._score(given | {"codes": unknown})).double().numpy()
        return out


def _states(weights: Mapping[str, npt.NDArray[np.float32]]) -> list[dict[str, npt.NDArray[np.float32]]]:
    """Of each net that learned from the candidate, its weights by name."""
    states: dict[str, dict[str, npt.NDArray[np.float32]]] = {}
    for name, values in sorted(weights.items()):
        arm, seed, parameter = name.split("/", 2)
        if arm == "candidate":
            states.setdefault(seed, {})[parameter] = values
    return list(states.values())
