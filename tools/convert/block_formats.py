"""The bit layouts of GGUF's quantized types: ggml-common.h and ggml-quants.c of llama.cpp, ggml-bitnet-mad.cpp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from gguf import GGMLQuantizationType as Kind

from tools.convert.blocks import F32, Blocks, Bytes, Factors, Integers
from tools.convert.gguf_file import BitnetKind

_SUPER = 256  # weights in a super-block of the K-quants


def _halves(raw: Bytes, start: int) -> F32:
    """The float16 at byte `start` of each block: (rows, blocks, bytes) -> (rows, blocks)."""
    return np.ascontiguousarray(raw[..., start : start + 2]).view("<f2")[..., 0].astype(np.float32)


def _nibbles(raw: Bytes) -> Bytes:
    """Low nibbles of a run of bytes, then the high ones: (..., n) -> (..., 2n)."""
    return np.concatenate([raw & 15, raw >> 4], axis=-1)


def _bytes(integers: Integers) -> Bytes:
    return integers.astype(np.uint8, copy=False)


def _fifth_bits(raw: Bytes) -> Bytes:
    """32 bits from 4 little-endian bytes: (..., 4) -> (..., 32)."""
    return np.unpackbits(raw, axis=-1, bitorder="little")


def _flat(parts: Integers) -> Bytes:
    """(rows, blocks, ...) -> (rows, columns)."""
    return _bytes(parts.reshape(len(parts), -1))


def _q4_0(raw: Bytes) -> Blocks:
    return Blocks(_flat(_nibbles(raw[..., 2:])), 4, 32, Factors(_halves(raw, 0)))


def _q4_1(raw: Bytes) -> Blocks:
    return Blocks(_flat(_nibbles(raw[..., 4:])), 4, 32, Factors(_halves(raw, 0)), Factors(_halves(raw, 2)), 8)


def _q5_0(raw: Bytes) -> Blocks:
    quants = _nibbles(raw[..., 6:]) | (_fifth_bits(raw[..., 2:6]) << 4)
    return Blocks(_flat(quants + 112), 8, 32, Factors(_halves(raw, 0)))


def _q5_1(raw: Bytes) -> Blocks:
    quants = _nibbles(raw[..., 8:]) | (_fifth_bits(raw[..., 4:8]) << 4)
    return Blocks(_flat(quants + 112), 8, 32, Factors(_halves(raw, 0)), Factors(_halves(raw, 2)), 16)


def _q8_0(raw: Bytes) -> Blocks:
    return Blocks(_flat(raw[..., 2:] ^ 128), 8, 32, Factors(_halves(raw, 0)))


def _pairs_of_bits(raw: Bytes) -> Bytes:
    """K-quants' 2-bit planes: 64 bytes -> 256 values; each half of 32 bytes holds four planes of 32."""
    halves = raw.reshape(*raw.shape[:-1], 2, 1, 32)
    planes = np.array([0, 2, 4, 6], np.uint8)[:, None]
    return _bytes(((halves >> planes) & 3).reshape(*raw.shape[:-1], _SUPER))


def _q2_k(raw: Bytes) -> Blocks:
    scales = raw[..., :16]
    scale = Factors(_halves(raw, 80), _flat(scales & 15))
    minimum = Factors(_halves(raw, 82), _flat(scales >> 4), -1)
    return Blocks(_flat(_pairs_of_bits(raw[..., 16:80]) + 6), 4, 16, scale, minimum, 2)


def _q3_k(raw: Bytes) -> Blocks:
    planes = np.arange(8, dtype=np.uint8)[:, None]
    third = ((raw[..., None, :32] >> planes) & 1).reshape(*raw.shape[:2], _SUPER)
    quants = _pairs_of_bits(raw[..., 32:96]) | (third << 2)
    low = _nibbles(raw[..., 96:104])
    shifts = np.array([0, 2, 4, 6], np.uint8)[:, None]
    high = ((raw[..., None, 104:108] >> shifts) & 3).reshape(*raw.shape[:2], 16)
    scale = (low | (high << 4)).astype(np.int8) - np.int8(32)
    return Blocks(_flat(quants + 4), 4, 16, Factors(_halves(raw, 108), scale.reshape(len(raw), -1)))


def _six_bit_scales(raw: Bytes) -> tuple[Bytes, Bytes]:
    """Scales and minima of Q4_K and Q5_K: 12 bytes -> 8 and 8 values of six bits."""
    first, second, third = raw[..., :4], raw[..., 4:8], raw[..., 8:]
    scale = np.concatenate([first & 63, (third & 15) | ((first >> 6) << 4)], axis=-1)
    minimum = np.concatenate([second & 63, (third >> 4) | ((second >> 6) << 4)], axis=-1)
    return scale, minimum


def _four_bit_planes(raw: Bytes) -> Bytes:
    """Q4_K's nibbles: 128 bytes -> 256 values, in four runs of 32 low and 32 high nibbles."""
    return _nibbles(raw.reshape(*raw.shape[:-1], 4, 32)).reshape(*raw.shape[:-1], _SUPER)


def _q4_k(raw: Bytes) -> Blocks:
    scale, minimum = _six_bit_scales(raw[..., 4:16])
    factors = Factors(_halves(raw, 0), _flat(scale)), Factors(_halves(raw, 2), _flat(minimum), -1)
    return Blocks(_flat(_four_bit_planes(raw[..., 16:])), 4, 32, *factors, 8)


def _q5_k(raw: Bytes) -> Blocks:
    scale, minimum = _six_bit_scales(raw[..., 4:16])
    factors = Factors(_halves(raw, 0), _flat(scale)), Factors(_halves(raw, 2), _flat(minimum), -1)
    planes = np.arange(8, dtype=np.uint8)[:, None]
    fifth = ((raw[..., None, 16:48] >> planes) & 1).reshape(*raw.shape[:2], _SUPER)
    quants = _four_bit_planes(raw[..., 48:]) | (fifth << 4)
    return Blocks(_flat(quants + 112), 8, 32, *factors, 16)


def _q6_k(raw: Bytes) -> Blocks:
    low = _nibbles(raw[..., :128].reshape(*raw.shape[:2], 2, 64)).reshape(*raw.shape[:2], _SUPER)
    quants = low | (_pairs_of_bits(raw[..., 128:192]) << 4)
    scale = np.ascontiguousarray(raw[..., 192:208]).view(np.int8)
    return Blocks(_flat(quants + 96), 8, 16, Factors(_halves(raw, 208), scale.reshape(len(raw), -1)))


def _tq1_0(raw: Bytes) -> Blocks:
    """Five base-3 digits a byte, most significant first, as a fraction of 256; the last four bytes hold four."""
    powers = np.array([1, 3, 9, 27, 81], np.uint8)[:, None]

    def digits(part: Bytes, count: int) -> Bytes:
        shifted = part[..., None, :] * powers[:count]  # wraps: what was before the digit falls out
        return _bytes((shifted.astype(np.uint16) * 3) >> 8).reshape(*part.shape[:-1], -1)

    trits = [digits(raw[..., :32], 5), digits(raw[..., 32:48], 5), digits(raw[..., 48:52], 4)]
    return _ternary(np.concatenate(trits, axis=-1), _halves(raw, 52))


def _tq2_0(raw: Bytes) -> Blocks:
    return _ternary(_pairs_of_bits(raw[..., :64]), _halves(raw, 64))


def _i2_s(raw: Bytes) -> Blocks:
    """bitnet.cpp's: the high bits of 32 bytes hold weights 0-31, the next bits 32-63, and so on."""
    planes = np.array([6, 4, 2, 0], np.uint8)[:, None]
    return _ternary(_bytes((raw[..., None, :] >> planes) & 3), np.ones(raw.shape[:2], np.float32))


def _ternary(trits: Bytes, scale: F32) -> Blocks:
    """0, 1, 2 for -1, 0, 1."""
    return Blocks(_flat(trits + 1), 2, trits[0, 0].size, Factors(scale))


_DECODERS: dict[Kind | BitnetKind, tuple[int, Callable[[Bytes], Blocks]]] = {  # bytes of one block, and how to read it
    Kind.Q4_0: (18, _q4_0),
    Kind.Q4_1: (20, _q4_1),
    Kind.Q5_0: (22, _q5_0),
    Kind.Q5_1: (24, _q5_1),
    Kind.Q8_0: (34, _q8_0),
    Kind.Q2_K: (84, _q2_k),
    Kind.Q3_K: (110, _q3_k),
    Kind.Q4_K: (144, _q4_k),
    Kind.Q5_K: (176, _q5_k),
    Kind.Q6_K: (210, _q6_k),
    Kind.TQ1_0: (54, _tq1_0),
    Kind.TQ2_0: (66, _tq2_0),
    BitnetKind.I2_S: (32, _i2_s),
}
QUANTIZED = frozenset(_DECODERS)


def decode_blocks(kind: Kind | BitnetKind, rows: Bytes, scale: float = 1.0) -> Blocks:
    """The blocks of a tensor stored as `kind`, times `scale`; `rows` are its bytes, (rows, bytes per row). Exact."""
    block_bytes, decoder = _DECODERS[kind]
    blocks = decoder(rows.reshape(len(rows), -1, block_bytes))
    return blocks if scale == 1.0 else replace(blocks, scale=Factors(blocks.scale.values * np.float32(scale)))
