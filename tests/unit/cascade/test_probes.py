"""Are gradients, their noise and their curvature those of closed forms, and alike for two samples of one population?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from foretrain.cascade import catalogue
from foretrain.cascade.losses import Batch, corrupt, losses
from foretrain.cascade.probes import contrasts, fisher, measure, noise, trained
from foretrain.cascade.probes.ended import converged, gates
from foretrain.cascade.probes.gradients import Pull, Replicas, of_loss, of_output
from foretrain.cascade.problem import BYTES, Arm, Problem, Rows, length
from foretrain.cascade.record import ArmName, Point, Probe
from foretrain.cascade.tiers.tier import Net, NetTier, Run, Trained
from foretrain.errors import InternalError

Floats = npt.NDArray[np.float64]

CLASSES = Problem("table", "classification", "y", numbers=3, classes=3)
NUMBER = Problem("table", "regression", "y", numbers=3)
COLUMNS = Problem("table", "masked columns", None, numbers=2, levels=(3, 2))
TEXT = Problem("text", "next byte", None, shape=(6,))
IMAGE = Problem("image", "masked pixels", None, shape=(2, 4, 4))
PROBLEMS = (CLASSES, NUMBER, COLUMNS, TEXT, IMAGE)


class Plain(Net):
    """One linear layer on the flattened inputs; on a byte and its place for texts."""

    def __init__(self, problem: Problem, seeds: Sequence[int]) -> None:
        super().__init__()
        self.problem, self.models = problem, len(seeds)
        inputs = {"table": problem.numbers + len(problem.levels), "text": 2, "image": int(np.prod(problem.shape))}
        start = [torch.Generator().manual_seed(seed) for seed in seeds]
        shape = (inputs[problem.data], problem.outputs)
        self.weight = nn.Parameter(torch.stack([0.3 * torch.randn(shape, generator=each) for each in start]))

    def hidden(self, batch: Batch) -> Tensor:
        match self.problem.data:
            case "table":
                x = torch.cat([batch["numbers"], batch["codes"].float()], -1)
                return x * (1 - batch["masked"]) if "masked" in batch else x
            case "text":
                before = nn.functional.pad(batch["tokens"], (1, 0)).float() / BYTES
                return torch.stack([before, torch.ones_like(before)], -1)
            case "image":
                return (batch["pixels"] * (1 - batch["hidden"].unsqueeze(2))).flatten(2)

    def output(self, hidden: Tensor) -> Tensor:
        return torch.einsum("m...i,mio->m...o", hidden, self.weight)

    def spectra(self) -> Tensor:
        return self.weight.detach().abs()


PLAIN = NetTier("plain", Plain, lambda problem: "one linear layer")


def rows(problem: Problem, count: int, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    match problem.data:
        case "table":
            made: dict[str, npt.NDArray[np.generic]] = {
                "numbers": rng.standard_normal((count, problem.numbers)).astype(np.float32),
                "nulls": (rng.random((count, problem.numbers)) < 0.1).astype(np.float32),
                "codes": np.stack([rng.integers(0, k + 1, count) for k in problem.levels], 1)
                if problem.levels
                else np.empty((count, 0), np.int64),
            }
            if problem.goal == "classification":
                made["goal"] = rng.integers(0, problem.classes, count)
            if problem.goal == "regression":
                made["goal"] = rng.standard_normal(count).astype(np.float32)
            return made
        case "text":
            tokens = rng.integers(1, BYTES, (count, *problem.shape))
            return {"tokens": np.where(np.arange(problem.shape[0]) < rng.integers(1, 7, (count, 1)), tokens, 0)}
        case "image":
            return {"pixels": rng.standard_normal((count, *problem.shape)).astype(np.float32)}


def gradients(problem: Problem, some: Rows, pull: Pull | None = None, replicas: Replicas | None = None) -> Tensor:
    chunks = (replicas or Replicas(problem, PLAIN, 5)).gradients(
        some, torch.Generator().manual_seed(1), pull or of_loss(problem)
    )
    return torch.cat([each for (each,) in chunks])


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.goal)
def test_row_gradients_are_those_of_one_row_at_a_time(problem: Problem) -> None:
    chunk = Replicas(problem, PLAIN, 5).chunk
    count = chunk + 6
    some = rows(problem, count)
    own = gradients(problem, some)
    assert len(own) == count
    net, chance = Plain(problem, (5,)), torch.Generator().manual_seed(1)
    for start, inside in ((0, (0, 1, chunk - 1)), (chunk, (0, 5))):
        at = np.minimum(np.arange(start, start + chunk), count - 1)
        drawn = corrupt(problem, {name: torch.from_numpy(v[at]).unsqueeze(0) for name, v in some.items()}, chance)
        for k in inside:
            batch = {name: values[:, k : k + 1] for name, values in drawn.items()}
            (wanted,) = torch.autograd.grad(losses(problem, net(batch), batch).sum(), net.weight)
            assert own[start + k].numpy() == pytest.approx(wanted.flatten().numpy(), abs=1e-5)


def test_row_gradients_of_linear_regression_are_residual_times_input() -> None:
    some = rows(NUMBER, 40)
    own = gradients(NUMBER, some)
    weight = Plain(NUMBER, (5,)).weight.detach().numpy()[0]
    wanted = 2 * (some["numbers"] @ weight - some["goal"][:, None]) * some["numbers"]
    assert own.numpy() == pytest.approx(wanted, abs=1e-5)


def test_weights_that_were_trained_are_looked_at_where_given() -> None:
    some, weight = rows(NUMBER, 8), np.ones((3, 1), np.float32)
    replicas = Replicas(NUMBER, PLAIN, 0, {"weight": weight})
    own = gradients(NUMBER, some, replicas=replicas)
    wanted = 2 * (some["numbers"].sum(1) - some["goal"])[:, None] * some["numbers"]
    assert own.numpy() == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.goal)
def test_centred_outputs_are_off_by_nothing_on_average(problem: Problem) -> None:
    """A linear layer whose input holds a 1 has a gradient of 0 there."""
    some = rows(problem, 100)
    replicas = Replicas(problem, PLAIN, 5)
    replicas.centre(some, torch.Generator().manual_seed(0))
    pulled = []
    for batch, inside in replicas._batches(some, torch.Generator().manual_seed(0)):
        with torch.no_grad():
            output = replicas.net(batch) + replicas.offset
        pulled.append(of_loss(problem)(output, batch)[:inside].flatten(0, -2))
    pull = torch.cat(pulled).double()
    # but for the ridge
    assert pull.mean(0).abs().max() < 0.02 * max(1.0, float(replicas.offset.abs().max()))
    assert replicas.offset.isfinite().all()


def test_tangents_of_a_linear_layer_are_the_inputs() -> None:
    some = rows(NUMBER, 40)
    found = gradients(NUMBER, some, of_output(NUMBER, 3))
    ratio = (found.numpy() / some["numbers"]).flatten()
    assert ratio == pytest.approx(np.full(120, ratio[0]), rel=1e-4)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.goal)
def test_the_outer_product_of_drawn_pulls_is_the_hessian_by_the_output(problem: Problem) -> None:
    """So that the Fisher information is the Gauss-Newton matrix, whatever is learned."""
    draws, one = 4000, rows(problem, 1, seed=3)
    batch: Batch = {name: torch.from_numpy(values).unsqueeze(0) for name, values in one.items()}
    batch = corrupt(problem, batch, torch.Generator().manual_seed(0))
    # a few likely bytes of 257, or it would take too many draws
    output = Plain(problem, (0,))(batch).detach() * (20 if problem.data == "text" else 1)
    hessian = torch.autograd.functional.hessian(lambda o: losses(problem, o, batch).sum(), output)
    wanted = hessian.reshape(output.numel(), output.numel())
    many = {name: values.expand(draws, *values.shape[1:]) for name, values in batch.items()}
    pull = fisher.drawn(problem, output.expand(draws, *output.shape[1:]), many, torch.Generator().manual_seed(0))
    pull = pull.reshape(draws, -1)
    found = pull.T @ pull / draws
    assert (found - wanted).norm() < 0.15 * wanted.norm()
    assert pull.mean(0).norm() < 5 * (wanted.trace() / draws) ** 0.5


def test_the_fisher_information_of_a_logistic_regression() -> None:
    """Eigenvalues of the mean of x x' over rows, Kronecker diag(p) - p p', p the model's chances."""
    count = 6000
    x = np.random.default_rng(0).standard_normal((count, 3)).astype(np.float32) * [1.0, 2.0, 4.0]
    some = {**rows(CLASSES, count), "numbers": x.astype(np.float32)}
    replicas = Replicas(CLASSES, PLAIN, 0, {"weight": np.zeros((3, 3), np.float32)})
    draws = torch.Generator().manual_seed(0)
    other = gradients(CLASSES, some, partial(fisher.drawn, CLASSES, chance=draws), replicas)
    found = np.linalg.eigvalsh((other.T @ other / count).numpy())[::-1]
    wanted = np.linalg.eigvalsh(np.kron(x.T @ x / count, np.eye(3) / 3 - 1 / 9))[::-1]
    assert found == pytest.approx(wanted, rel=0.1, abs=0.01)
    few = other[:200]
    of_gram = fisher.spectrum(few, np.arange(200))
    assert of_gram.shape == (9,)
    assert of_gram == pytest.approx(np.linalg.eigvalsh((few.T @ few / 200).numpy())[::-1], abs=1e-4)


def test_the_shape_of_known_spectra() -> None:
    flat = fisher.shape(np.ones((1, 8)), damping=1.0)
    assert {name: float(value[0]) for name, value in flat.items()} == pytest.approx(
        {"curvature": np.log10(8), "effective_dimension": np.log10(4), "participation": np.log10(8), "condition": 0.0}
    )
    steep = fisher.shape(np.asarray([100.0, 1.0, 1.0]), damping=1e-9)
    assert steep["condition"] == pytest.approx(2.0)
    assert steep["effective_dimension"] == pytest.approx(np.log10(3))
    assert steep["participation"] == pytest.approx(np.log10(102**2 / 10002))
    assert np.isfinite([*fisher.shape(np.zeros(4), damping=1.0).values()]).all()


@pytest.mark.parametrize("scale", [0.5, 4.0, 64.0])
def test_the_noise_scale_of_gaussian_gradients(scale: float) -> None:
    """tr(Sigma) / |G|^2 of gradients around a mean, and unbiased: halves and wholes say the same."""
    rng = np.random.default_rng(0)
    mean = rng.standard_normal(50)
    mean *= (50 / scale) ** 0.5 / np.linalg.norm(mean)
    rows_ = torch.from_numpy((mean + rng.standard_normal((6000, 50))).astype(np.float32))
    chunks = list(rows_.split(700))
    for size in (100, 2000):
        (sums,) = noise.sums([(each,) for each in chunks], np.arange(6000).reshape(-1, size))
        found = noise.health(sums)["noise_scale"]
        assert np.median(found) == pytest.approx(np.log10(scale), abs=0.08)


def test_the_noise_scale_is_bounded_where_no_signal_is_left() -> None:
    rows_ = torch.from_numpy(np.random.default_rng(0).standard_normal((4000, 20)).astype(np.float32))
    (sums,) = noise.sums([(rows_,)], np.arange(4000).reshape(40, 100))
    found = noise.health(sums)["noise_scale"]
    assert np.isfinite(found).all()
    assert found.max() == pytest.approx(3.0)


def test_sums_are_means_and_norms_whatever_the_chunks() -> None:
    rows_ = torch.randn(60, 7, generator=torch.Generator().manual_seed(0))
    subsets = np.random.default_rng(0).permutation(60).reshape(5, 12)
    found, double = noise.sums([(each, 2 * each) for each in rows_.split(17)], subsets)
    assert torch.equal(double.halves, 2 * found.halves)
    assert found.norms == pytest.approx(rows_.norm(dim=1).numpy(), rel=1e-6)
    assert found.means.numpy() == pytest.approx(rows_.numpy()[subsets].mean(1), abs=1e-6)
    assert found.halves[2, 1].numpy() == pytest.approx(rows_.numpy()[subsets[2, 6:]].mean(0), abs=1e-6)


def test_norms_that_scatter_by_a_factor() -> None:
    rng = np.random.default_rng(0)
    size = np.exp(0.7 * rng.standard_normal(20_000))
    way = rng.standard_normal((20_000, 5))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    (sums,) = noise.sums([(torch.from_numpy((size[:, None] * way).astype(np.float32)),)], np.arange(20_000))
    found = noise.health(sums)
    assert found["norm_spread"] == pytest.approx(0.7, abs=0.02)
    assert found["norm_tail"] == pytest.approx(0.7 * 2.326 / np.log(10), abs=0.03)
    assert abs(found["alignment"]) < 1


@dataclass(frozen=True)
class Two:
    """A candidate whose inputs are so many times as wide as the original's."""

    width: float = 1.0
    seed: int = 0
    count: int = 400

    def arms(self) -> dict[ArmName, Arm]:
        def made(seed: int, width: float) -> Arm:
            some = dict(rows(NUMBER, self.count, seed))
            some["goal"] = (some["numbers"].sum(1) + np.random.default_rng(seed).standard_normal(self.count)).astype(
                np.float32
            )
            some["numbers"] = (width * some["numbers"]).astype(np.float32)
            return Arm(some, some)

        return {
            "original": made(2 * self.seed, 1.0),
            "candidate": made(2 * self.seed + 1, self.width),
            "child": made(2 * self.seed + 1, self.width),
        }


def test_two_samples_of_one_population_differ_by_the_noise() -> None:
    """The noise is that of the difference as it is measured: its size is about one deviation."""
    z: dict[str, list[float]] = {}
    for seed in range(30):
        found, _ = measure(NUMBER, PLAIN, Two(seed=seed).arms(), 0)
        for contrast in found:
            z.setdefault(contrast.name, []).append(contrast.difference / contrast.noise)
    for name, of in z.items():
        # a cosine of halves depends on the halves more than on the rows, which the noise cannot tell apart
        assert (0.3 if name == "alignment" else 0.6) < float(np.sqrt(np.mean(np.square(of)))) < 1.6, name
        assert abs(np.mean(of)) < 0.6, name


def test_other_rows_differ_by_more_than_the_noise() -> None:
    found, probes = measure(NUMBER, PLAIN, Two(width=0.5).arms(), 0)
    z = {contrast.name: contrast.difference / contrast.noise for contrast in found}
    assert z["curvature"] < -4
    shown = {probe.name: probe.value for probe in probes["candidate"]}
    assert {contrast.name: contrast.candidate for contrast in found} == shown
    # half as wide: a quarter of the curvature
    curvature = next(contrast for contrast in found if contrast.name == "curvature")
    assert curvature.difference == pytest.approx(np.log10(0.25), abs=0.1)


def test_the_same_rows_are_the_same_to_the_bit_and_a_seed_repeats() -> None:
    arm = Two().arms()["original"]
    found, probes = measure(NUMBER, PLAIN, {"original": arm, "candidate": arm, "child": arm}, 3)
    assert {contrast.difference for contrast in found} == {0.0}
    assert probes["original"] == probes["candidate"]
    shown = ({probe.name: probe.value for probe in probes[name]} for name in ("original", "child"))
    assert next(shown) == pytest.approx(next(shown), abs=0.5)
    assert measure(NUMBER, PLAIN, Two().arms(), 3) == measure(NUMBER, PLAIN, Two().arms(), 3)
    assert measure(NUMBER, PLAIN, Two().arms(), 3) != measure(NUMBER, PLAIN, Two().arms(), 4)


def test_a_repeated_row_leaves_fewer_directions() -> None:
    arms = Two(count=300).arms()
    few = {
        name: np.tile(values[:3], (100, *[1] * (values.ndim - 1))) for name, values in arms["candidate"].train.items()
    }
    found, _ = measure(NUMBER, PLAIN, {**arms, "candidate": Arm(few, few)}, 0)
    condition = next(contrast for contrast in found if contrast.name == "condition")
    assert condition.difference > 4 * condition.noise


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.goal)
def test_every_goal_can_be_measured(problem: Problem) -> None:
    arms: dict[ArmName, Arm] = {
        name: Arm(some, some) for k, name in enumerate(("candidate", "child")) if (some := rows(problem, 50, k))
    }
    found, probes = measure(problem, PLAIN, arms, 0)
    assert found == []
    assert probes.keys() == {"candidate", "child"}
    assert {probe.name for probe in probes["child"]} < catalogue.BY_NAME.keys()
    assert np.isfinite([probe.value for probe in probes["child"]]).all()


def test_too_few_rows_are_not_measured() -> None:
    assert measure(NUMBER, PLAIN, Two(count=23).arms(), 0) == ([], {})


def point(step: int, validation: float, train: float = 0.0) -> Point:
    return Point(step=step, seconds=0.0, train=train, validation=validation)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.sampled_from([0.25, 2.0, 64.0]))
def test_convergence_does_not_depend_on_the_unit_of_the_loss(values: list[int], unit: float) -> None:
    curve, other = ([point(10 * k, u * value) for k, value in enumerate(values)] for u in (1.0, unit))
    assert converged(curve) == converged(other)
    assert 0 <= converged(curve) <= 10 * int(np.argmin(values))


def test_convergence_is_when_nearly_all_of_the_fall_is_done() -> None:
    curve = [point(0, 3.0), point(10, 2.0), point(20, 1.11), point(30, 1.09), point(40, 1.0), point(50, 1.5)]
    assert converged(curve) == 30


def test_gates_of_known_shape() -> None:
    flat = gates(np.ones((2, 5)))
    assert flat == pytest.approx({"gate_centroid": 0.5, "gate_entropy": 1.0, "gate_low": 0.2})
    low = gates(np.asarray([[1.0, 0.0, 0.0, 0.0, 0.0]]))
    assert low == pytest.approx({"gate_centroid": 0.0, "gate_entropy": 0.0, "gate_low": 1.0})
    assert gates(np.ones((2, 1))) == {}


def ended(run: Run, loss: Floats | None, weight: float) -> Trained:
    curve = (point(0, 2.0, 2.0), point(10, 1.0, 0.8), point(20, 1.2, 0.5))
    state = {"weight": np.full((3, 1), weight, np.float32)}
    return Trained(run, loss, None, "converged", None, 20, 1.0, curve, 3, state)


def test_a_trained_model_shows_its_curve_its_gap_and_its_curvature() -> None:
    held_out = rows(NUMBER, 60)
    found = trained(NUMBER, PLAIN, ended(Run(0, "original"), np.full(60, 1.5), 1.0), held_out, 40, 0)
    shown = {probe.name: probe.value for probe in found}
    assert shown["convergence"] == pytest.approx(10 / 40)
    assert shown["gap"] == pytest.approx(1.5 - 0.8)
    hessian = 2 * (held_out["numbers"].T @ held_out["numbers"]) / length(held_out)
    assert shown["trained_curvature"] == pytest.approx(np.log10(np.trace(hessian)), abs=0.15)
    assert shown["sharpness"] == pytest.approx(np.log10(np.linalg.eigvalsh(hessian)[-1]), abs=0.2)
    assert shown.keys() < catalogue.BY_NAME.keys()
    assert trained(NUMBER, PLAIN, ended(Run(0, "original"), None, 1.0), held_out, 40, 0) == []


def test_trained_models_are_paired_by_seed() -> None:
    values = {
        Run(0, "original"): 1.0,
        Run(1, "original"): 2.0,
        Run(0, "candidate"): 4.0,
        Run(1, "candidate"): 5.5,
        Run(0, "child"): 0.0,
    }
    found = {run: [Probe(name="gap", value=value)] for run, value in values.items()}
    (contrast,) = contrasts("mlp", found)
    assert (contrast.name, contrast.tier, contrast.scored) == ("gap", "mlp", False)
    assert (contrast.candidate, contrast.original, contrast.difference) == (4.75, 1.5, 3.25)
    assert contrast.noise == pytest.approx(np.sqrt((0.5 + 1.125) / 2))
    one = {run: probes for run, probes in found.items() if run != Run(1, "candidate")}
    assert contrasts("mlp", one) == []


def test_every_property_has_words_for_people() -> None:
    assert len(catalogue.BY_NAME) == len(catalogue.PROBES)
    for known in catalogue.PROBES:
        said = known.sentence(1.5, 0.25)
        assert "{" not in said
        assert ("31.6" in said) == known.log
        assert said.endswith(".")


def test_a_calibration_is_read_and_a_damaged_one_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(catalogue, "files", lambda package: tmp_path)
    catalogue.load.cache_clear()
    assert catalogue.load() == {}
    file = tmp_path / "fitted.json"
    fitted = catalogue.Fitted(curve=((0.0, 0.0), (1.0, 0.5)), power=0.8, scored=True)
    whole = catalogue.Calibrated(version="1", command="none", probes={"gap": {"mlp": fitted}})
    file.write_text(whole.model_dump_json())
    catalogue.load.cache_clear()
    assert catalogue.load() == {("gap", "mlp"): fitted}
    for damaged in ("{", whole.model_dump_json().replace("0.5", "-0.5"), whole.model_dump_json().replace("1.0", "-1")):
        file.write_text(damaged)
        catalogue.load.cache_clear()
        with pytest.raises(InternalError, match="calibration of the probes"):
            catalogue.load()
    catalogue.load.cache_clear()
