"""Rotations must be orthogonal, flat, and the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.convert.int8_storage import round_rows
from tools.convert.rotation import block_rotation, random_signs, residual_rotation, rotate_columns, spreading


@settings(max_examples=30)
@given(st.integers(1, 400))
def test_rotations_of_any_size_are_orthogonal(size: int) -> None:
    for matrix in (spreading(size), residual_rotation(size)):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(size), atol=1e-12)


@pytest.mark.parametrize("size", [576, 2048, 96, 100])
def test_no_entry_is_much_larger_than_the_others(size: int) -> None:
    assert np.abs(residual_rotation(size)).max() <= np.sqrt(2 / size) + 1e-12


@pytest.mark.parametrize(("columns", "size"), [(1536, 64), (5632, 64), (96, 32), (7, 1)])
def test_the_block_rotation_divides_the_columns(columns: int, size: int) -> None:
    assert block_rotation(columns).shape == (size, size)


def test_rotating_columns_is_a_block_diagonal_product() -> None:
    weights = np.random.default_rng(0).normal(size=(3, 8))
    rotation = spreading(4)
    np.testing.assert_allclose(rotate_columns(weights, rotation), weights @ np.kron(np.eye(2), rotation))


def test_signs_are_pinned() -> None:
    assert random_signs(8, "residual").tolist() == [-1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0]


def test_rows_are_rounded_to_127_steps() -> None:
    weights = np.array([[1.0, -0.5, 0.25], [0.0, 0.0, 0.0]])
    integers, scale = round_rows(weights)
    assert integers.tolist() == [[127, -64, 32], [0, 0, 0]]
    np.testing.assert_allclose(scale, [1 / 127, 0], rtol=1e-6)
