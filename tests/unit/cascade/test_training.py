"""Are models that are trained together trained as each would be alone, and do they end as they should?"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from unit.cascade import kinds
from unit.cascade.learnable import HELD_OUT, HIDDEN, NUMBERS, PROBLEM, RUNS, TINY, arms, rows

from foretrain.cascade.problem import Arm, take
from foretrain.cascade.tiers.mlp import MLP
from foretrain.cascade.tiers.tier import NetTier, Run, Trained
from foretrain.cascade.training import devices, engine, graphs
from foretrain.cascade.training.course import Course
from foretrain.cascade.training.deck import Deck, Order
from foretrain.cascade.training.engine import Engine
from foretrain.cascade.training.joint import hide
from foretrain.cascade.training.stack import Stack
from foretrain.cascade.training.team import Alone
from foretrain.cascade.training.together import Plan, train
from foretrain.errors import InternalError, ResourceError, SettingsError
from foretrain.progress import Advance
from foretrain.seeds import stream

CPU = torch.device("cpu")
PLAN = Plan(steps=60, batch=64, interval=15, learning_rate=1e-2, device="cpu", threads=1)


def trained(
    plan: Plan = PLAN, tier: NetTier = TINY, runs: list[Run] = RUNS, seed: int = 3, **given: Any
) -> list[Trained]:
    about: dict[str, Any] = {
        "arms": arms(),
        "held_out": HELD_OUT,
        "advance": lambda _: None,
        "problem": PROBLEM,
    } | given
    return train(
        about["problem"], tier, runs, about["arms"], about["held_out"], plan,
        seed=seed, snapshots=None, advance=about["advance"],
    )  # fmt: skip


def same(one: Trained, other: Trained) -> bool:
    """To the bit, seconds aside."""
    assert (one.loss is None) == (other.loss is None)
    curves = [[(p.step, p.train, p.validation) for p in each.curve] for each in (one, other)]
    return (
        (one.run, one.ending, one.reason, one.steps, one.parameters)
        == (other.run, other.ending, other.reason, other.steps, other.parameters)
        and curves[0] == curves[1]
        and (one.loss is None or np.array_equal(one.loss, other.loss))
        and all(np.array_equal(one.state[name], other.state[name], equal_nan=True) for name in one.state)
    )


def test_each_model_is_trained_as_plain_torch_trains_it_alone() -> None:
    plan = replace(PLAN, patience=99, weight_decay=0.1, clip=0.3)
    for run, found in zip(RUNS, trained(plan), strict=True):
        start = int(stream(3, "cascade", "tiny", "start", run.seed).integers(2**31))
        net = TINY.build(PROBLEM, [start])
        own = torch.nn.ParameterDict({n.replace(".", "_"): p.detach()[0].clone() for n, p in net.named_parameters()})
        optimiser = torch.optim.AdamW(own.parameters(), weight_decay=0.1)
        order = Order(("cascade", "tiny"), 3, [run.seed], 400, 64, CPU)
        arm = arms()[run.arm]

        def forward(x: torch.Tensor, own: Any = own) -> torch.Tensor:
            x = functional.relu(functional.relu(x @ own["a"]) @ own["b"] + own["layers_0_shift"])
            return x @ own["c"]

        def loss(rows: Any, forward: Callable[[torch.Tensor], torch.Tensor] = forward) -> torch.Tensor:
            return functional.cross_entropy(
                forward(torch.tensor(rows["numbers"])), torch.tensor(rows["goal"]), reduction="none"
            )

        seen, curve = [], [loss(arm.validation).mean().item()]
        best = (curve[0], loss(HELD_OUT).detach())
        for step in range(60):
            wrong = loss(take(arm.train, order.at(step)[0].numpy())).mean()
            optimiser.param_groups[0]["lr"] = plan.rate(step)
            optimiser.zero_grad()
            wrong.backward()
            torch.nn.utils.clip_grad_norm_(own.parameters(), 0.3)
            optimiser.step()
            seen.append(wrong.item())
            if (step + 1) % 15 == 0:
                curve.append(loss(arm.validation).mean().item())
                best = min(best, (curve[-1], loss(HELD_OUT).detach()), key=lambda each: each[0])
        assert [point.validation for point in found.curve] == pytest.approx(curve, rel=1e-4)
        assert [point.train for point in found.curve[1:]] == pytest.approx(
            [np.mean(seen[at : at + 15]) for at in range(0, 60, 15)], rel=1e-4
        )
        np.testing.assert_allclose(found.loss, best[1].numpy(), rtol=2e-3, atol=2e-4)
        assert found.parameters == NUMBERS * HIDDEN + HIDDEN * HIDDEN + HIDDEN * 3 + HIDDEN
        assert {name: value.shape for name, value in found.state.items()}["layers.0.shift"] == (HIDDEN,)


def test_it_learns_and_says_what_it_learned() -> None:
    found = trained(replace(PLAN, steps=400, interval=50))
    for each in found[:1] + found[3:4]:
        assert each.right is not None
        assert each.loss is not None
        assert each.right.mean() > 0.8
        assert each.loss.mean() < 0.6
        net = TINY.build(PROBLEM, [0])
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                parameter[0] = torch.from_numpy(each.state[name])
        batch = {name: torch.from_numpy(values)[None] for name, values in HELD_OUT.items()}
        output = net(batch)[0]
        np.testing.assert_allclose(
            each.loss, functional.cross_entropy(output, batch["goal"][0], reduction="none").detach(), atol=1e-5
        )
        assert (each.right == (output.argmax(-1) == batch["goal"][0]).numpy()).all()
    assert sum(each.seconds for each in found) > 0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_seeded_run_repeats_to_the_bit(threads: int) -> None:
    plan = replace(PLAN, threads=threads, steps=8, interval=4)
    first, second, other = trained(plan), trained(plan), trained(plan, seed=4)
    assert all(map(same, first, second))
    assert not any(map(same, first, other))


@pytest.mark.parametrize(("kind", "tier"), kinds.NETS, ids=lambda each: getattr(each, "name", each))
def test_the_company_changes_no_bit(kind: str, tier: NetTier) -> None:
    """Also not where some stop early and the stack shrinks under the others."""
    about = {"problem": kinds.KINDS[kind][0], "arms": kinds.arms(kind), "held_out": kinds.held_out(kind)}
    plan = replace(PLAN, steps=12, interval=4, patience=1, batch=50)
    together = trained(plan, tier, **about)
    for some in ([4, 1], [5, 1, 0]):
        alone = trained(plan, tier, [RUNS[at] for at in some], **about)
        assert all(same(together[at], each) for at, each in zip(some, alone, strict=True))


def test_the_stack_shrinks_and_changes_no_bit() -> None:
    plan = replace(PLAN, steps=60, interval=10, patience=1, batch=50, learning_rate=0.03)
    together = trained(plan)
    assert len({each.steps for each in together}) > 2
    for some in ([4, 1], [5, 1, 0]):
        alone = trained(plan, TINY, [RUNS[at] for at in some])
        assert all(same(together[at], each) for at, each in zip(some, alone, strict=True))


@pytest.mark.parametrize(("kind", "tier"), kinds.NETS, ids=lambda each: getattr(each, "name", each))
def test_every_net_learns_with_half_the_bits(kind: str, tier: NetTier, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"problem": kinds.KINDS[kind][0], "arms": kinds.arms(kind), "held_out": kinds.held_out(kind)}
    plan = replace(PLAN, steps=10, interval=10, learning_rate=3e-3)
    whole = trained(plan, tier, RUNS[:2], **about)
    monkeypatch.setattr(devices, "bfloat16", lambda device: True)
    for each, other in zip(trained(plan, tier, RUNS[:2], **about), whole, strict=True):
        first, last = each.curve
        assert last.validation < first.validation
        assert last.validation == pytest.approx(other.curve[-1].validation, rel=0.05)
        assert last.validation != other.curve[-1].validation
        assert all(values.dtype == np.float32 for values in each.state.values())


@pytest.mark.parametrize("value", [1e30, 1e7])
def test_a_model_that_goes_astray_ends_with_a_reason_and_moves_no_other(value: float) -> None:
    sick = dict(arms())
    whole = sick["candidate"]
    sick["candidate"] = Arm(*({**part, "numbers": part["numbers"] * value} for part in (whole.train, whole.validation)))
    plan = replace(PLAN, patience=99, learning_rate=0.1)
    for before, after in zip(trained(plan), trained(plan, arms=sick), strict=True):
        if before.run.arm == "candidate":
            assert (after.ending, after.loss, after.right) == ("diverged", None, None)
            assert after.reason is not None
            assert after.reason.startswith("by step 15 the ")
            assert all(math.isfinite(point.train + point.validation) for point in after.curve)
        else:
            assert before.ending == "ran out of steps"
            assert same(before, after)


def test_a_model_that_learns_nothing_stalls_and_is_judged_as_it_began() -> None:
    for each in trained(replace(PLAN, learning_rate=0.0, patience=2)):
        assert (each.ending, each.steps) == ("stalled", 30)
        assert each.reason is not None
        assert "never fell below" in each.reason
        assert each.loss is not None
        assert each.curve[-1].validation == each.curve[0].validation


def test_arms_must_be_of_one_length() -> None:
    short = dict(arms()) | {"child": arms(300)["child"]}
    with pytest.raises(InternalError, match="differ in their number of rows"):
        trained(arms=short)


def test_progress_is_told_with_its_figures(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Advance] = []
    with caplog.at_level(logging.INFO):
        trained(advance=told.append)
    assert told[-1].done == 1.0
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert set(told[-1].fields) == {
        "tier", "models", "step", "training loss", "validation loss", "rows/s", "device", "utilisation", "memory MB",
        "seconds left",
    }  # fmt: skip
    assert told[-1].fields["step"] == 60
    assert told[-1].fields["memory MB"] > 50
    (line,) = [record for record in caplog.records if hasattr(record, "fields")]
    assert line.fields == told[-1].fields
    assert "rows/s" in line.message


# ------------------------------------------------------------------------------------------------------------- memory


class Scarce:
    """A device that runs out of memory above so many rows at once."""

    def __init__(self, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failed = 0
        plain = Engine._output

        def output(self_: Engine, forward: Any, batch: Any) -> torch.Tensor:
            if batch["numbers"].shape[1] > most:
                self.failed += 1
                raise torch.OutOfMemoryError("out of memory")
            return plain(self_, forward, batch)

        monkeypatch.setattr(Engine, "_output", output)


def test_out_of_memory_halves_the_rows_at_once_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plenty = trained()
    scarce = Scarce(24, monkeypatch)
    for before, after in zip(plenty, trained(), strict=True):
        assert before.steps == after.steps
        np.testing.assert_allclose(before.loss, after.loss, rtol=1e-3, atol=1e-4)
        assert not np.array_equal(before.loss, after.loss)  # else nothing was halved
    # first the layers are computed twice, then 64 rows are halved until 4 * 4 of them can be evaluated
    assert scarce.failed >= 4
    assert "out of memory, going on with 32 rows of a model at once" in caplog.text


def test_not_even_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    Scarce(0, monkeypatch)
    with pytest.raises(ResourceError, match=r"ran out of memory at 1 rows a model\. Free some of it"):
        trained()


def test_room_is_found_from_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU of 1,000 bytes, where a row of all takes 20, and 10 when it is computed twice."""
    made: list[Engine] = []

    def taken(device: torch.device, work: Callable[[], object]) -> int:
        work()
        return engine.FEW * (10 if made[-1].spared else 20)

    monkeypatch.setattr(devices, "free", lambda device: 1000)
    monkeypatch.setattr(devices, "taken", taken)
    batch = Deck([rows(100, 0)], CPU).batch(torch.zeros(2, dtype=torch.int64), torch.arange(100).expand(2, -1))
    for wanted, spared, at_once in ((32, False, 32), (64, True, 64), (96, True, 80)):
        made.append(Engine(PROBLEM, TINY, Alone(CPU), 0.0, wanted, None))
        made[-1]._found = False
        made[-1].assemble([1, 2])
        made[-1].gradients({name: values[:, :wanted] for name, values in batch.items()})
        assert (made[-1].spared, made[-1].at_once) == (spared, at_once)
    assert devices.fits(1e9, 1000, 64) == 1
    assert devices.fits(20, None, 64) == 64


def test_computing_layers_twice_changes_no_gradient() -> None:
    batch = Deck([rows(64, 0)], CPU).batch(torch.zeros(2, dtype=torch.int64), torch.arange(64).expand(2, -1))
    gradients, kept = [], []
    for spare in (False, True):
        work = Engine(PROBLEM, TINY, Alone(CPU), 0.0, 64, None)
        stack = work.assemble([1, 2])
        if spare:
            assert stack.spare()
        bytes_: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, b=bytes_: b.append(t.numel()) or t, lambda t: t):
            work.gradients(batch)
        kept.append(sum(bytes_))
        gradients.append([parameter.grad for parameter in stack.net.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert not Stack(MLP, PROBLEM, [1], CPU, 0.0).spare()  # has no list of layers


@pytest.mark.parametrize("replayed", ["faster", "slower", "impossible"])
def test_graphs_are_kept_where_they_are_faster(replayed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = TINY.build(PROBLEM, [1, 2])
    batch = Deck([rows(16, 0)], CPU).batch(torch.zeros(2, dtype=torch.int64), torch.arange(16).expand(2, -1))

    passed = 0.0

    def launched(batch: Any) -> torch.Tensor:
        nonlocal passed
        passed += 0.002
        return torch.zeros(1)

    def recorded(batch: Any) -> torch.Tensor:
        nonlocal passed
        passed += 0.001 if replayed == "faster" else 0.006
        return torch.ones(1)

    def record(net: Any, samples: Any) -> None:
        if replayed == "impossible":
            raise RuntimeError("operation not permitted when stream is capturing")
        net.forward = recorded

    monkeypatch.setattr(graphs, "time", SimpleNamespace(perf_counter=lambda: passed))
    net.forward = launched  # type: ignore[method-assign]
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", record)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    assert graphs.replay(net, batch, lambda: net(batch)) == (replayed == "faster")
    assert net(batch) == (1.0 if replayed == "faster" else 0.0)


# -------------------------------------------------------------------------------------------------------------- parts


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 60), share=st.integers(1, 60), seed=st.integers(0, 9))
def test_every_row_is_seen_once_an_epoch(count: int, share: int, seed: int) -> None:
    batch = min(count, share)
    order = Order(("a",), seed, [0, 1, 0], count, batch, CPU)
    seen = torch.cat([order.at(step) for step in range(2 * count)], 1)
    assert torch.equal(seen[0], seen[2])
    for model in seen:
        for epoch in model.split(count)[:-1]:
            assert sorted(epoch.tolist()) == list(range(count))
    late = Order(("a",), seed, [0, 1, 0], count, batch, CPU)
    assert torch.equal(late.at(count), order.at(count))


def test_a_batch_holds_each_models_rows_of_its_arm() -> None:
    parts = [{"x": np.arange(20).reshape(10, 2) + 100 * arm} for arm in range(3)]
    batch = Deck(parts, CPU).batch(torch.tensor([2, 0]), torch.tensor([[1, 1, 9], [3, 0, 2]]))
    assert batch["x"][..., 0].tolist() == [[202, 202, 218], [6, 0, 4]]


def test_the_learning_rate_rises_and_falls() -> None:
    plan = Plan(steps=100, warm_up=0.1, learning_rate=1.0)
    rates = [plan.rate(step) for step in range(100)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.001
    flat = replace(plan, schedule="constant")
    assert {flat.rate(step) for step in range(10, 100)} == {1.0}


def test_what_is_hidden_is_the_seeds_alone() -> None:
    problem = replace(PROBLEM, goal="masked columns", target=None, classes=0)
    plain = {name: values for name, values in rows(50, 0).items() if name != "goal"}
    hidden = hide(problem, plain, 1)
    assert hidden["masked"].shape == (50, NUMBERS + 1)
    assert (hidden["masked"].sum(1) == 2).all()
    assert np.array_equal(hidden["masked"], hide(problem, plain, 1)["masked"])
    assert not np.array_equal(hidden["masked"], hide(problem, plain, 2)["masked"])
    assert set(hide(PROBLEM, rows(50, 0), 1)) == set(rows(50, 0))


def walked(values: list[float], patience: int) -> tuple[Course, list[bool]]:
    course, better = Course(), []
    for at, value in enumerate(values):
        if course.ending is None:
            better.append(course.judge(at, value, value, 1.0, patience, last=at == len(values) - 1))
    return course, better


@given(st.lists(st.floats(0.01, 9.0), min_size=2, max_size=30), st.integers(1, 5))
def test_a_course_ends_for_one_reason_at_its_best(values: list[float], patience: int) -> None:
    course, better = walked(values, patience)
    seen = values[: len(better)]
    assert course.best == min(seen)
    assert seen[max(at for at, each in enumerate(better) if each)] == min(seen)
    assert course.ending in {"converged", "ran out of steps", "stalled"}
    assert (course.ending == "stalled") == (min(seen) == seen[0])
    if len(seen) < len(values):
        assert course.waited == patience
    again = Course.of(course.to_json())
    assert again == course


def test_a_course_waits_for_gains_that_are_worth_it() -> None:
    assert walked([1.0, 0.5, 0.4999, 0.4998, 0.4997, 0.1], 3)[0].ending == "converged"
    assert walked([1.0, 0.5, 0.49, 0.48, 0.47, 0.46], 3)[0].ending == "ran out of steps"
    for values, what in (([1.0, math.nan], "training loss"), ([0.1, 11.0], "11, from 0.1"), ([math.inf], "finite")):
        course = walked(values, 3)[0]
        assert course.ending == "diverged"
        assert course.reason is not None
        assert what in course.reason
    steep = Course()
    steep.judge(3, 1.0, 1.0, 1e7, 3, last=False)
    assert steep.reason == "by step 3 the gradient was 1e+07 long"


# ------------------------------------------------------------------------------------------------------------ devices


@pytest.mark.parametrize("setting", ["gpu", "cuda:x", "tpu:0", ""])
def test_a_device_that_is_none(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"expected auto, cpu, cuda or cuda:1, not "):
        devices.choose(setting)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there() -> None:
    assert devices.choose("auto") == devices.choose("cpu") == CPU
    with pytest.raises(ResourceError, match=r"there is no device cuda:1: this machine has 0 GPUs") as absent:
        devices.choose("cuda:1")
    assert "auto" in str(absent.value)


def test_a_processor_is_measured() -> None:
    assert devices.name(CPU)
    assert devices.free(CPU) is None
    assert not devices.bfloat16(CPU)
    before = devices.used(CPU)
    held = np.ones(30_000_000, dtype=np.uint8)
    assert devices.used(CPU) - before > 20e6
    assert devices.peak(CPU) >= devices.used(CPU) - 20e6
    busy = devices.Busy(CPU)
    with_work = sum(float(held[at::3].sum()) for at in range(3))
    share = busy.share()
    assert with_work == 30_000_000
    assert share is not None
    assert 0 < share <= 1
