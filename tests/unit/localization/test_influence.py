"""Are rows read as the cascade's nets read theirs, and is their influence that of a step of training?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from unit.collapse.tables import profiled

from foretrain.cascade import train
from foretrain.cascade.losses import losses
from foretrain.cascade.problem import length, take
from foretrain.cascade.record import Cascade
from foretrain.cascade.rows import arms
from foretrain.cascade.rows.reader import Reader
from foretrain.checkpoint import LocalFolder
from foretrain.localization import localize
from foretrain.localization.influence import Influence, gradients
from foretrain.profile import ProfileRef, read_sample
from foretrain.settings import Effort, Settings

ROWS = 260
SETTINGS = Settings(target="owner", effort=Effort.QUICK)


def frame(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, spent = rng.normal(50, 15, ROWS), rng.gamma(2, 100, ROWS)
    city = rng.choice(["Bern", "Genf", "Chur"], ROWS)
    owner = np.where(age + 8 * (city == "Bern") + rng.normal(0, 6, ROWS) > 52, "yes", "no")
    spent[rng.random(ROWS) < 0.05] = np.nan
    return pd.DataFrame({"age": age, "spent": spent, "city": city, "owner": owner})


def flipped() -> pd.DataFrame:
    rows = frame(1)
    rows.loc[:14, "owner"] = np.where(rows.owner[:15] == "yes", "no", "yes")
    return rows


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProfileRef, ProfileRef, Cascade, Path]:
    root = tmp_path_factory.mktemp("influence")
    candidate, original = profiled(root, flipped(), frame(0), SETTINGS)
    assert original is not None
    (root / "cascade" / "weights").mkdir(parents=True)
    return candidate, original, train(candidate, original, SETTINGS, LocalFolder(root / "cascade")), root


@pytest.mark.parametrize("target", ["owner", "age"])
def test_further_rows_are_read_as_the_arms_were(target: str, tmp_path: Path) -> None:
    settings = Settings(target=target, effort=Effort.QUICK)
    candidate, original = profiled(tmp_path, flipped(), frame(0), settings)
    assert original is not None
    study, reader = arms.study(candidate, original, settings), Reader.of(candidate, original, settings)
    assert reader is not None
    assert reader.problem == study.problem
    for name, values in reader.held_out.items():
        assert np.array_equal(values, study.held_out[name]), name
    read, known = reader.rows(read_sample(candidate))
    arm = study.arms["candidate"]
    together = [np.concatenate([arm.train[name], arm.validation[name]]) for name in read]
    seen = {tuple(row) for row in np.column_stack([each.reshape(len(each), -1) for each in together]).tolist()}
    mine = [tuple(row) for row in np.column_stack([each.reshape(len(each), -1) for each in read.values()]).tolist()]
    assert known.all()
    assert seen <= set(mine)


def test_levels_and_targets_that_the_nets_do_not_know_are_told(
    case: tuple[ProfileRef, ProfileRef, Cascade, Path],
) -> None:
    candidate, original, *_ = case
    reader = Reader.of(candidate, original, SETTINGS)
    assert reader is not None
    rows = pa.table(
        {
            "age": [50.0, None, 20.0],
            "spent": [1.0, float("inf"), 2.0],
            "city": pa.array(["Basel", "Bern", None]).dictionary_encode(),
            "owner": ["yes", "perhaps", None],
        }
    )
    read, known = reader.rows(rows)
    assert known.tolist() == [True, False, False]
    assert read["codes"][[0, 2], 0].tolist() == [0, 0]
    assert read["codes"][1, 0] > 0
    assert read["nulls"].sum() == 2
    influence = Influence.of(case[2], candidate, original, SETTINGS)
    assert influence is not None
    assert influence.score(influence.read(rows))[1:].tolist() == [0, 0]


def test_the_last_layers_gradient_is_error_times_feature(case: tuple[ProfileRef, ProfileRef, Cascade, Path]) -> None:
    candidate, original, cascade, _ = case
    influence = Influence.of(cascade, candidate, original, SETTINGS)
    assert influence is not None
    assert len(influence.checkpoints) == 2
    problem, held_out = influence.reader.problem, influence.reader.held_out
    rows = take(held_out, slice(0, 3))
    for checkpoint in influence.checkpoints:
        net = checkpoint.net
        batch = {name: torch.from_numpy(each).expand(net.models, *each.shape) for name, each in rows.items()}
        last: torch.nn.Module = net.last  # type: ignore[assignment]
        weight = last.weight.requires_grad_()
        by_autograd = [torch.autograd.grad(losses(problem, net(batch), batch)[:, k].sum(), weight)[0] for k in range(3)]
        weight.requires_grad_(requires_grad=False)
        errors, features = gradients(problem, net, {name: torch.from_numpy(each) for name, each in rows.items()})
        for k, wanted in enumerate(by_autograd):
            mine = torch.einsum("mo,mf->mof", errors[:, k], features[:, k])[..., :-1]
            assert torch.allclose(mine, wanted, atol=1e-5)


def test_a_step_on_a_row_moves_the_held_out_loss_as_foretold(
    case: tuple[ProfileRef, ProfileRef, Cascade, Path],
) -> None:
    candidate, original, cascade, _ = case
    influence = Influence.of(cascade, candidate, original, SETTINGS)
    assert influence is not None
    problem, held_out = influence.reader.problem, influence.reader.held_out
    checkpoint, rate = influence.checkpoints[0], 1e-3
    net = checkpoint.net
    judge = {name: torch.from_numpy(each).expand(net.models, *each.shape) for name, each in held_out.items()}
    rows = {name: torch.from_numpy(each) for name, each in take(held_out, slice(0, 12)).items()}
    errors, features = gradients(problem, net, rows)
    foretold = checkpoint.score(problem, rows).numpy()
    before = losses(problem, net(judge), judge).mean(1, keepdim=True)
    moved = []
    for k in range(12):
        step = rate * torch.einsum("mo,mf->mof", errors[:, k], features[:, k])
        net.last.weight.sub_(step[..., :-1])  # type: ignore[union-attr, operator]
        net.last.bias.sub_(step[..., -1:])  # type: ignore[union-attr, operator]
        after = losses(problem, net(judge), judge).mean(1, keepdim=True)
        moved.append(float(((after - before) / rate / checkpoint.unit).mean()))
        net.last.weight.add_(step[..., :-1])  # type: ignore[union-attr, operator]
        net.last.bias.add_(step[..., -1:])  # type: ignore[union-attr, operator]
    assert np.corrcoef(moved, foretold)[0, 1] > 0.99


def test_what_numbers_add_is_what_they_change(case: tuple[ProfileRef, ProfileRef, Cascade, Path]) -> None:
    candidate, original, cascade, _ = case
    influence = Influence.of(cascade, candidate, original, SETTINGS)
    assert influence is not None
    rows = take(influence.read(read_sample(candidate)), slice(0, 20))
    parts = influence.contributions(rows)
    assert list(parts) == ["age", "spent", "city"]
    at_median = influence.score({**rows, "numbers": np.zeros_like(rows["numbers"])})
    assert parts["age"] + parts["spent"] == pytest.approx(influence.score(rows) - at_median, abs=0.05)


def test_flipped_labels_pull_hardest_and_the_record_says_that_nets_were_asked(
    case: tuple[ProfileRef, ProfileRef, Cascade, Path],
) -> None:
    candidate, original, cascade, root = case
    influence = Influence.of(cascade, candidate, original, SETTINGS)
    assert influence is not None
    sample = read_sample(candidate)
    bad = np.isin(sample["age"].to_numpy(), flipped().age[:15])
    pull = np.abs(influence.score(influence.read(sample)))  # for better or worse: nets that have converged stand still
    assert length(influence.reader.held_out) == cascade.held_out
    assert np.median(pull[bad]) > np.quantile(pull[~bad], 0.75)
    asked = localize(candidate, original, SETTINGS, LocalFolder(root / "with"), cascade)
    alone = localize(candidate, original, SETTINGS, LocalFolder(root / "without"))
    assert (asked.nets, alone.nets) == (True, False)
    assert not any("nets were not asked" in note for note in asked.notes)
    assert any("no models were trained" in note for note in alone.notes)


def test_weights_that_are_gone_are_told_and_the_rest_stands(case: tuple[ProfileRef, ProfileRef, Cascade, Path]) -> None:
    candidate, original, cascade, root = case
    gone = cascade.model_copy(update={"weights": {"mlp": str(root / "gone.safetensors")}})
    found = localize(candidate, original, SETTINGS, LocalFolder(root / "gone"), gone)
    assert not found.nets
    assert any("nets were not asked" in note for note in found.notes)
