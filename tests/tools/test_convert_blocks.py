"""Every integer format means the same to us as to the gguf package."""

from __future__ import annotations

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import dequantize, quantize

from tests.tools.tiny_gguf import random_k_quant
from tools.convert.blocks import QUANTIZED, Blocks, decode_blocks, round_to_blocks, stack_blocks


def _stored(kind: Kind, rows: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind.name.endswith("_K"):
        return random_k_quant(rng, kind.name, (rows, 512), 1.0)
    return quantize(rng.normal(0, 1, (rows, 512)).astype(np.float32), kind)


def _unpacked(blocks: Blocks) -> np.ndarray:
    packed = blocks.packed()
    pairs = packed if blocks.bits == 8 else np.stack([packed & 15, packed >> 4], axis=-1)
    return pairs.reshape(blocks.rows, blocks.columns)


@pytest.mark.parametrize("kind", sorted(QUANTIZED), ids=lambda kind: kind.name)
def test_blocks_hold_the_exact_weights(kind: Kind) -> None:
    rows = _stored(kind)
    blocks = decode_blocks(kind, rows)
    np.testing.assert_array_equal(blocks.dense(), dequantize(rows, kind))


@pytest.mark.parametrize("kind", sorted(QUANTIZED), ids=lambda kind: kind.name)
def test_integers_fit_their_bits_and_pack_low_nibble_first(kind: Kind) -> None:
    blocks = decode_blocks(kind, _stored(kind))
    assert blocks.quants.max() < 1 << blocks.bits
    np.testing.assert_array_equal(_unpacked(blocks), blocks.quants)


@pytest.mark.parametrize("kind", [Kind.Q4_1, Kind.Q4_K, Kind.Q8_0], ids=lambda kind: kind.name)
def test_stacked_matrices_keep_their_weights(kind: Kind) -> None:
    parts = [decode_blocks(kind, _stored(kind, rows, seed=rows)) for rows in (2, 3)]
    np.testing.assert_array_equal(stack_blocks(parts).dense(), np.concatenate([part.dense() for part in parts]))


def test_rounding_stays_within_half_a_step() -> None:
    weights = np.random.default_rng(1).normal(0, 0.05, (16, 96)).astype(np.float32)
    blocks = round_to_blocks(weights)
    assert blocks is not None
    step = np.repeat(blocks.scale.values, blocks.size, axis=1)
    assert np.all(np.abs(blocks.dense() - weights) <= step * 0.54)  # a little more: the scale itself is rounded


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e30])
def test_rounding_survives_extreme_weights(size: float) -> None:
    weights = np.full((2, 32), size, np.float32)
    blocks = round_to_blocks(weights)
    assert blocks is not None
    np.testing.assert_allclose(blocks.dense(), weights, rtol=0.01)


def test_columns_that_are_no_whole_blocks_are_not_rounded() -> None:
    assert round_to_blocks(np.ones((2, 40), np.float32)) is None
