"""Is every net several models that know nothing of each other, and none more of a row than it may?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from unit.cascade.nets import CASES, IMAGES, NAMES, TABLES, TEXT, batch, only

from foretrain.cascade.losses import losses
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers.convolution import CONVOLUTION
from foretrain.cascade.tiers.filter import FILTER, Filter
from foretrain.cascade.tiers.mlp import MLP, Mlp
from foretrain.cascade.tiers.resonance import RESONANCE, Resonance
from foretrain.cascade.tiers.spectral import SPECTRAL, Spectral
from foretrain.cascade.tiers.tier import NetTier
from foretrain.cascade.tiers.transformer import TRANSFORMER

SEEDS = (5, 0, 5)

every = pytest.mark.parametrize(("tier", "problem"), CASES, ids=NAMES)


@every
def test_shapes(tier: NetTier, problem: Problem) -> None:
    net, rows = tier.build(problem, SEEDS), batch(problem, 3)
    places = (3, 7, *((problem.shape[0] + 1,) if problem.data == "text" else ()))
    hidden = net.hidden(rows)
    output = net(rows)
    assert net.models == 3
    assert all(weights.shape[0] == 3 for weights in net.parameters())
    assert hidden.shape[:-1] == places
    assert output.shape == (*places, problem.outputs)
    assert torch.equal(output, net.output(hidden))
    assert output.isfinite().all()
    assert losses(problem, output, rows).shape == (3, 7)


@every
def test_equal_seeds_start_equal_and_others_do_not(tier: NetTier, problem: Problem) -> None:
    net, alone = tier.build(problem, SEEDS), tier.build(problem, (0,))
    assert net.state_dict().keys() == alone.state_dict().keys() == dict(net.named_parameters()).keys()
    for name, weights in net.named_parameters():
        assert torch.equal(weights[0], weights[2]), name
        assert torch.equal(weights[1], alone.get_parameter(name)[0]), name
        constant = weights.numel() == 0 or bool((weights == weights.flatten()[0]).all())
        assert constant or not torch.isclose(weights[0], weights[1]).all(), name


@every
def test_a_stacked_model_is_the_model_alone(tier: NetTier, problem: Problem) -> None:
    net, rows = tier.build(problem, SEEDS), batch(problem, 3)
    together = net(rows)
    losses(problem, together, rows).mean(1).sum().backward()
    for k, seed in enumerate(SEEDS):
        alone, own = tier.build(problem, (seed,)), only(rows, k)
        output = alone(own)
        losses(problem, output, own).mean().backward()
        torch.testing.assert_close(together[k], output[0], rtol=1e-4, atol=1e-5)
        for name, weights in alone.named_parameters():
            stacked = net.get_parameter(name).grad
            assert stacked is not None
            assert weights.grad is not None
            torch.testing.assert_close(stacked[k], weights.grad[0], rtol=1e-3, atol=1e-5, msg=name)


@every
def test_models_do_not_reach_each_other(tier: NetTier, problem: Problem) -> None:
    net, rows = tier.build(problem, SEEDS), batch(problem, 3)
    before = net(rows)
    before[1].square().sum().backward()
    for name, weights in net.named_parameters():
        assert weights.grad is not None
        assert (weights.grad[[0, 2]] == 0).all(), name
    with torch.no_grad():
        for weights in net.parameters():
            weights[0] += 1.0
    other = batch(problem, 3, seed=1)
    mixed = {name: torch.cat([other[name][:1], values[1:]]) for name, values in rows.items()}
    after = net(mixed)
    assert torch.equal(after[1:], before[1:])
    assert not torch.isclose(after[0], before[0]).all()


@every
def test_rows_do_not_reach_each_other(tier: NetTier, problem: Problem) -> None:
    net, rows = tier.build(problem, (0,)), batch(problem, 1)
    first = {name: values[:, :3] for name, values in rows.items()}
    torch.testing.assert_close(net(rows)[:, :3], net(first), rtol=1e-4, atol=1e-5)


@every
def test_half_precision(tier: NetTier, problem: Problem) -> None:
    net, rows = tier.build(problem, (0,)), batch(problem, 1)
    exact = net(rows)
    with torch.autocast("cpu", torch.bfloat16):
        output = net(rows)
        losses(problem, output, rows).mean().backward()
    assert output.dtype == torch.float32
    assert ((output - exact).norm() / exact.norm()).item() < 0.05
    assert all(weights.grad is not None and weights.grad.isfinite().all() for weights in net.parameters())


@pytest.mark.parametrize("tier", [MLP, RESONANCE], ids=["mlp", "resonance"])
@pytest.mark.parametrize("problem", [each for each in TABLES if each.goal == "masked columns"], ids=["five", "one"])
def test_hidden_columns_do_not_leak(tier: NetTier, problem: Problem) -> None:
    net, rows, other = tier.build(problem, (0,)), batch(problem, 1), batch(problem, 1, seed=1)
    p, masked = problem.numbers, rows["masked"]
    swapped = {
        "numbers": torch.where(masked[..., :p] > 0, other["numbers"], rows["numbers"]),
        "nulls": torch.where(masked[..., :p] > 0, other["nulls"], rows["nulls"]),
        "codes": torch.where(masked[..., p:] > 0, other["codes"], rows["codes"]),
        "masked": masked,
    }
    assert any(not torch.equal(swapped[name], rows[name]) for name in ("numbers", "codes"))
    assert torch.equal(net(swapped), net(rows))
    if p + len(problem.levels) > 1:
        assert not torch.isclose(net({**other, "masked": masked}), net(rows)).all()
        assert not torch.isclose(net({**rows, "masked": 1 - masked}), net(rows)).all()


@pytest.mark.parametrize("tier", [CONVOLUTION, FILTER], ids=["convolution", "filter"])
@pytest.mark.parametrize("problem", [each for each in IMAGES if each.goal == "masked pixels"], ids=["even", "uneven"])
def test_hidden_pixels_do_not_leak(tier: NetTier, problem: Problem) -> None:
    net, rows, other = tier.build(problem, (0,)), batch(problem, 1), batch(problem, 1, seed=1)
    hidden = rows["hidden"].unsqueeze(2) > 0
    swapped = {**rows, "pixels": torch.where(hidden, other["pixels"], rows["pixels"])}
    assert not torch.equal(swapped["pixels"], rows["pixels"])
    assert torch.equal(net(swapped), net(rows))
    assert not torch.isclose(net({**rows, "pixels": other["pixels"]}), net(rows)).all()


@pytest.mark.parametrize("tier", [TRANSFORMER, SPECTRAL], ids=["transformer", "spectral"])
@pytest.mark.parametrize("at", [0, 9, 20])
def test_a_byte_moves_nothing_before_it(tier: NetTier, at: int) -> None:
    net, rows = tier.build(TEXT, (0,)), batch(TEXT, 1)
    tokens = rows["tokens"].clone()
    tokens[..., at] = 1 + (tokens[..., at] + 7) % 256
    moved = (net({"tokens": tokens}) - net(rows)).abs().amax((0, 1, 3))
    assert (moved[: at + 1] < 1e-5).all()  # place `at` says what byte `at` will be
    assert (moved[at + 1 :] > 1e-4).all()


def test_mlp_is_a_plain_mlp() -> None:
    problem = TABLES[0]
    net, rows = Mlp(problem, (2,), 6), batch(problem, 1)
    vectors = [net.codes.levels.weight[0, first:] for first in (0, 3)]
    parts = [rows["numbers"][0], rows["nulls"][0]]
    channels = net.codes.levels.weight.shape[-1]
    embedded = torch.stack([vectors[k][rows["codes"][0, :, k]] for k in (0, 1)], -1)  # (rows, channels, columns)
    x = torch.cat([*parts, embedded.flatten(1)], 1)
    plain = nn.Sequential(nn.Linear(6 + 2 * channels, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 4))
    for place, layer in ((0, net.first), (2, net.second), (4, net.last)):
        plain.get_submodule(str(place)).load_state_dict({"weight": layer.weight[0], "bias": layer.bias[0, :, 0]})
    torch.testing.assert_close(net(rows)[0], plain(x), rtol=1e-5, atol=1e-6)


def test_spectra() -> None:
    table = RESONANCE.build(TABLES[0], SEEDS)
    image = FILTER.build(IMAGES[0], SEEDS)
    text = SPECTRAL.build(TEXT, SEEDS)
    assert isinstance(table, Resonance)
    assert isinstance(image, Filter)
    assert isinstance(text, Spectral)
    assert table.spectra().shape == (3, 2, 3)
    assert image.spectra().shape == (3, 2, 40)
    assert text.spectra(16).shape == (3, 3, 17)
    for net in (table, image, text):
        found = net.spectra()
        assert (found >= 0).all()
        assert torch.equal(found[0], found[2])
        assert not torch.isclose(found[0], found[1]).any()


def test_the_memory_is_a_plain_causal_convolution() -> None:
    net, x = Spectral((1,)), torch.randn(1, 64, 2, 13, generator=torch.Generator().manual_seed(0))
    memory = net.get_submodule("blocks.1.memory")
    kernel = memory.kernel(13).detach().numpy()  # type: ignore[operator]
    wanted = [[np.convolve(x[0, c, r].numpy(), kernel[0, c])[:13] for r in range(2)] for c in range(64)]
    np.testing.assert_allclose(memory(x)[0].detach().numpy(), wanted, rtol=1e-3, atol=1e-4)
