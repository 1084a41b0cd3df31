"""Are the hashes what the docstring promises: bijective, stable, equal for equal values only?"""

import hashlib

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from foretrain.profile import hashing

WORDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20)


@given(WORDS)
def test_unmix_undoes_mix(words: list[int]) -> None:
    bits = np.array(words, np.uint64)
    assert (hashing.unmix(hashing.mix(bits)) == bits).all()


def test_mix_is_splitmix64() -> None:
    # The first outputs of the published generator (seed 0): state += golden gamma, then the finaliser.
    gamma = 0x9E3779B97F4A7C15
    states = np.array([gamma, 2 * gamma % 2**64, 3 * gamma % 2**64], np.uint64)
    assert [hex(x) for x in hashing.mix(states)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


def test_every_input_bit_moves_half_of_the_output_bits() -> None:
    words = np.random.default_rng(0).integers(0, 2**63, 500).astype(np.uint64)
    for bit in range(64):
        changed = hashing.mix(words) ^ hashing.mix(words ^ np.uint64(2**bit))
        assert abs(np.bitwise_count(changed).mean() - 32) < 1.0


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_numbers_come_back_from_their_hashes(values: list[float]) -> None:
    floats = np.array(values)
    salt = hashing.salt("a")
    assert (hashing.numbers(hashing.number_hashes(floats, salt), salt, np.float64) == floats).all()


def test_equal_values_hash_equal() -> None:
    salt = hashing.salt("a")
    zero, negative = hashing.number_hashes(np.array([0.0, -0.0]), salt)
    assert zero == negative
    one, two = hashing.vector_hashes(np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32), salt)
    assert one == two


def test_order_within_a_vector_matters() -> None:
    one, two = hashing.vector_hashes(np.array([[1.0, 2.0], [2.0, 1.0]], np.float32), hashing.salt("a"))
    assert one != two


def test_strings_are_hashed_by_xxh3() -> None:
    published = np.array([0x2D06800538D394C2], np.uint64)  # XXH3_64bits of the empty string, from its specification
    salt = np.uint64(5)
    assert (hashing.string_hashes(pa.array([""]), salt) == hashing.mix(published + salt)).all()


def test_the_salt_never_changes() -> None:
    digest = hashlib.blake2b(b"column\x1fcolour", digest_size=8).digest()
    assert int(hashing.salt("colour")) == int.from_bytes(digest, "little")
