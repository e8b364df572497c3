"""Brotli beside every file that gains from it: <name>.br, chosen by the server when the browser takes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import brotli

from tools.build.cache import Cache

TYPES = frozenset(".html .js .mjs .css .json .webmanifest .svg .wasm .zip".split())  # noqa: SIM905
WINDOW = 24  # log2 of the window; browsers take up to 24
LARGE_BYTES = 12_000_000  # engines: quality 11 would take minutes for 4 % less
SAVING = 0.95  # not worth a second file when the first is nearly as small


def is_compressible(name: str) -> bool:
    """Weights are not: they are noise to brotli, and ranges are of the bytes as they are."""
    return Path(name).suffix in TYPES and not name.startswith("models/")


def compressed(cache: Cache, files: Mapping[str, Path], hashes: Mapping[str, str]) -> dict[str, Path]:
    """{name + ".br": file} for those of `files` that get smaller; as many at a time as there are cores."""
    names = sorted(filter(is_compressible, files), key=lambda n: -files[n].stat().st_size)
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        made = list(pool.map(variant, [cache] * len(names), [files[n] for n in names], [hashes[n] for n in names]))
    pairs = zip(names, made, strict=True)
    return {f"{n}.br": p for n, p in pairs if p.stat().st_size < SAVING * files[n].stat().st_size}


def variant(cache: Cache, path: Path, sha256: str) -> Path:
    quality = 9 if path.stat().st_size > LARGE_BYTES else 11
    return cache.file(f"q{quality}.br", sha256, lambda out: compress(path, out, quality))


def compress(path: Path, out: Path, quality: int) -> None:
    out.write_bytes(brotli.compress(path.read_bytes(), quality=quality, lgwin=WINDOW))
