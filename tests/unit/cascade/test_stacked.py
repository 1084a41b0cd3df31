"""Is each stacked layer what as many plain ones would be, one a model?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from foretrain.cascade.tiers.stacked import Attention, Convolution, Embedding, Linear, Start, normal

SEEDS = (3, 3, 8)


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def same(stacked: Tensor, plain: list[Tensor]) -> None:
    torch.testing.assert_close(stacked, torch.stack(plain), rtol=1e-4, atol=1e-5)


def test_linear() -> None:
    layer, x = Linear(Start(SEEDS, "a"), 5, 4), torch.randn(3, 5, 2, 6, generator=chance())
    nn.init.normal_(layer.bias)
    plain = [nn.functional.linear(x[k].movedim(0, -1), layer.weight[k], layer.bias[k, :, 0]) for k in range(3)]
    same(layer(x), [each.movedim(-1, 0) for each in plain])


def test_normal() -> None:
    x = torch.randn(3, 5, 2, 6, generator=chance())
    torch.testing.assert_close(normal(x), nn.functional.rms_norm(x.movedim(1, -1), (5,), eps=1e-6).movedim(-1, 1))
    assert normal(x.bfloat16()).dtype == torch.float32


def test_embedding() -> None:
    layer, at = Embedding(Start(SEEDS, "a"), 7, 4), torch.randint(7, (3, 2, 6), generator=chance())
    same(layer(at), [nn.functional.embedding(at[k], layer.weight[k]).movedim(-1, 0) for k in range(3)])
    layer(at).square().sum().backward()
    used = torch.zeros(3, 7)
    used.scatter_(1, at.flatten(1), 1.0)
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad.abs().sum(-1) > 0, used > 0)


@pytest.mark.parametrize("stride", [1, 2])
def test_convolution(stride: int) -> None:
    layer, x = Convolution(Start(SEEDS, "a"), 2, 4, stride), torch.randn(5, 3, 2, 6, 7, generator=chance())
    nn.init.normal_(layer.bias)
    plain = [
        nn.functional.conv2d(x[:, k], layer.weight[k], layer.bias[k], stride=stride, padding=1) for k in range(3)
    ]  # fmt: skip
    same(layer(x.flatten(1, 2)).unflatten(1, (3, 4)).transpose(0, 1), plain)


def test_attention() -> None:
    layer, x = Attention(Start(SEEDS, "a"), 8, 2), torch.randn(3, 8, 4, 5, generator=chance())
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    plain = []
    for k in range(3):
        peer = nn.MultiheadAttention(8, 2, batch_first=True)
        peer.load_state_dict(
            {
                "in_proj_weight": layer.mix.weight[k],
                "in_proj_bias": layer.mix.bias[k, :, 0],
                "out_proj.weight": layer.out.weight[k],
                "out_proj.bias": layer.out.bias[k, :, 0],
            }
        )
        rows = x[k].permute(1, 2, 0)
        plain.append(peer(rows, rows, rows, attn_mask=later, need_weights=False)[0].permute(2, 0, 1))
    same(layer(x), plain)


def test_equal_seeds_start_equal() -> None:
    drawn = Start(SEEDS, "a").normal(4, 5, deviation=2.0)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.isclose(drawn[0], drawn[2]).any()
    assert torch.equal(drawn[2], Start((8,), "a").normal(4, 5, deviation=2.0)[0])
    assert not torch.isclose(drawn[0], Start((3,), "b").normal(4, 5, deviation=2.0)[0]).any()


def test_the_start_has_the_deviation_asked_for() -> None:
    start = Start((0,), "a")
    assert start.normal(100, 100, deviation=2.0).std().item() == pytest.approx(2.0, rel=0.03)
    assert not torch.isclose(start.normal(9, deviation=1.0), start.normal(9, deviation=1.0)).any()
    assert Linear(start, 400, 100, gain=1.5)(torch.randn(1, 400, 50)).std().item() == pytest.approx(1.5, rel=0.05)
