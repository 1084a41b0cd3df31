"""Do the mixers do what their bases say?"""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import dft, hadamard

from foretrain.cascade.tiers import mixing
from foretrain.cascade.tiers.mixing import Fourier, mixer
from foretrain.cascade.tiers.stacked import Start

SEEDS = (4, 9)


def apart(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("columns", [1, 2, 3, 20, 64, 65, 97])
def test_fourier_is_the_gate_between_explicit_transforms(columns: int) -> None:
    layer, x = Fourier(Start(SEEDS, "a"), (columns,), 3), apart((2, 3, columns, 4))
    there = dft(columns)  # complex, (frequencies, columns)
    gate = torch.view_as_complex(layer.gate.detach()).numpy().astype(complex)
    gate[..., 0] = gate[..., 0].real
    if columns % 2 == 0:
        gate[..., -1] = gate[..., -1].real
    whole = np.concatenate([gate, gate[..., 1 : (columns + 1) // 2][..., ::-1].conj()], -1)
    wanted = there.conj().T / columns @ (whole[..., None] * (there @ x.numpy()))
    assert np.abs(wanted.imag).max() < 1e-6
    np.testing.assert_allclose(layer(x).detach().numpy(), wanted.real, rtol=1e-4, atol=1e-5)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=2).map(tuple))
def test_the_short_way_is_the_long_way(places: tuple[int, ...]) -> None:
    layer, x = Fourier(Start(SEEDS, "a"), places, 3), apart((2, 3, *places, 4))
    assert (layer.lags is None) == (prod(places) > mixing.SHORT)
    short = layer(x)
    layer.lags = None
    torch.testing.assert_close(short, layer(x), rtol=1e-4, atol=1e-5)


def test_two_dimensions_are_one_after_the_other() -> None:
    layer, x = Fourier(Start(SEEDS, "a"), (5, 6), 3), apart((2, 3, 5, 6, 4))
    gate = torch.view_as_complex(layer.gate.detach()).unsqueeze(-1)
    found = torch.fft.fft(torch.fft.rfft(x, dim=3), dim=2) * gate
    wanted = torch.fft.irfft(torch.fft.ifft(found, dim=2), n=6, dim=3)
    torch.testing.assert_close(layer(x), wanted, rtol=1e-4, atol=1e-5)


def test_magnitudes_come_slowest_first() -> None:
    layer = Fourier(Start(SEEDS, "a"), (4, 4), 2)
    with torch.no_grad():
        layer.gate.zero_()
        layer.gate[:, :, 0, 0] = torch.tensor([3.0, 4.0])
        layer.gate[:, :, 2, 2] = 1.0
    found = layer.magnitude()
    assert found.shape == (2, 12)
    assert found[0, 0].item() == pytest.approx(5.0)
    assert found[0, -1].item() == pytest.approx(2.0**0.5)
    assert (found[0, 1:-1] == 0).all()


@pytest.mark.parametrize("name", ["hadamard", "orthogonal", "none"])
@pytest.mark.parametrize("columns", [1, 6, 8])
def test_controls_are_gates_in_an_orthonormal_basis(name: mixing.Mixing, columns: int) -> None:
    layer, x = mixer(name, Start(SEEDS, "a"), columns, 3), apart((2, 3, columns, 4))
    assert isinstance(layer, mixing.Fixed)
    basis = layer.basis.double().numpy()
    np.testing.assert_allclose(basis.T @ basis, np.eye(columns), atol=1e-5)
    if name == "hadamard":
        np.testing.assert_allclose(basis, hadamard(len(basis))[:, :columns] / len(basis) ** 0.5, atol=1e-6)
    wanted = np.einsum("fi,mcf,fj,mcjr->mcir", basis, layer.gate.detach().numpy(), basis, x.numpy())
    np.testing.assert_allclose(layer(x).detach().numpy(), wanted, rtol=1e-4, atol=1e-5)
    again = mixer(name, Start((1,), "b"), columns, 3)
    assert isinstance(again, mixing.Fixed)
    assert torch.equal(layer.basis, again.basis)


@pytest.mark.parametrize("name", ["fft", "hadamard", "orthogonal", "none"])
def test_all_but_none_mix(name: mixing.Mixing) -> None:
    layer, x = mixer(name, Start(SEEDS, "a"), 7, 3), apart((2, 3, 7, 4))
    other = x.clone()
    other[:, :, 2] += 1.0
    moved = (layer(other) - layer(x)).abs().amax((0, 1, 3)) > 1e-6
    assert moved.tolist() == [name != "none" or column == 2 for column in range(7)]
