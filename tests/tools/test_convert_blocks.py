"""Every integer format means the same to us as to the gguf package."""

from __future__ import annotations

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import dequantize, quantize

from tests.tools.tiny_families import pack_i2_s, ternary
from tests.tools.tiny_gguf import random_k_quant
from tools.convert.block_formats import QUANTIZED, decode_blocks
from tools.convert.blocks import Blocks, round_to_blocks, stack_blocks, ternary_blocks
from tools.convert.gguf_file import BitnetKind

GGML = sorted(kind for kind in QUANTIZED if isinstance(kind, Kind))


def _stored(kind: Kind, rows: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind.name.endswith("_K"):
        return random_k_quant(rng, kind.name, (rows, 512), 1.0)
    if kind.name.startswith("TQ"):
        return quantize(ternary(rng, (rows, 512), 0.75), kind)
    return quantize(rng.normal(0, 1, (rows, 512)).astype(np.float32), kind)


def _unpacked(blocks: Blocks) -> np.ndarray:
    packed, mask = blocks.packed(), (1 << blocks.bits) - 1
    integers = np.stack([(packed >> shift) & mask for shift in range(0, 8, blocks.bits)], axis=-1)
    return integers.reshape(blocks.rows, blocks.columns)


@pytest.mark.parametrize("kind", GGML, ids=lambda kind: kind.name)
def test_blocks_hold_the_exact_weights(kind: Kind) -> None:
    rows = _stored(kind)
    blocks = decode_blocks(kind, rows)
    np.testing.assert_array_equal(blocks.dense(), dequantize(rows, kind))


GGML = sorted(kind for kind in QUANTIZED if isinstance(kind, Kind))


@pytest.mark.parametrize("kind", GGML, ids=lambda kind: kind.name)
def test_integers_fit_their_bits_and_the_first_is_in_the_low_ones(kind: Kind) -> None:
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


def test_bitnets_own_format_holds_the_exact_weights() -> None:
    weights = ternary(np.random.default_rng(2), (6, 384), 0.4375)
    rows = pack_i2_s(weights)[: weights.size // 4].reshape(6, -1)
    np.testing.assert_array_equal(decode_blocks(BitnetKind.I2_S, rows, 0.4375).dense(), weights)


def test_floats_that_are_ternary_are_two_bits() -> None:
    weights = ternary(np.random.default_rng(3), (6, 384), 0.4375)
    blocks = ternary_blocks(weights)
    assert blocks is not None
    assert blocks.bits == 2
    np.testing.assert_array_equal(blocks.dense(), weights)
    weights[0, 0] = 0.3
    assert ternary_blocks(weights) is None
