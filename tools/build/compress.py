"""Smaller variants beside every file that gains from it: <name>.br, .zst and .gz, of which the server picks one."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import brotli
import zstandard

from tools.build.cache import Cache

TYPES = frozenset(".html .js .mjs .css .json .webmanifest .svg .wasm .zip".split())  # noqa: SIM905
WINDOW = 24  # log2 of the window; browsers take up to 24
LARGE_BYTES = 12_000_000  # engines: quality 11 would take minutes for 4 % less
SAVING = 0.95  # not worth a second file when the first is nearly as small


def is_compressible(name: str) -> bool:
    """Weights are not: they are noise to brotli, and ranges are of the bytes as they are."""
    return Path(name).suffix in TYPES and not name.startswith("models/")


def compressed(cache: Cache, files: Mapping[str, Path], hashes: Mapping[str, str]) -> dict[str, Path]:
    """{name + suffix: file} for those of `files` that get smaller; as many at a time as there are cores."""
    names = sorted(filter(is_compressible, files), key=lambda n: -files[n].stat().st_size)
    jobs = [(name, suffix) for name in names for suffix in PACKERS]
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        made = list(pool.map(partial(variant, cache), *zip(*((files[n], hashes[n], s) for n, s in jobs), strict=True)))
    pairs = zip(jobs, made, strict=True)
    return {name + suffix: p for (name, suffix), p in pairs if p.stat().st_size < SAVING * files[name].stat().st_size}


def variant(cache: Cache, path: Path, sha256: str, suffix: str) -> Path:
    quality, pack = PACKERS[suffix]
    if suffix == ".br" and path.stat().st_size > LARGE_BYTES:
        quality = 9
    return cache.file(f"q{quality}{suffix}", sha256, lambda out: pack_file(path, out, pack, quality))


def pack_file(path: Path, out: Path, pack: Pack, quality: int) -> None:
    out.write_bytes(pack(path.read_bytes(), quality))


def pack_brotli(content: bytes, quality: int) -> bytes:
    return brotli.compress(content, quality=quality, lgwin=WINDOW)


def pack_zstandard(content: bytes, quality: int) -> bytes:
    return zstandard.compress(content, quality)


def pack_gzip(content: bytes, quality: int) -> bytes:
    return gzip.compress(content, quality, mtime=0)


Pack = Callable[[bytes, int], bytes]
PACKERS: dict[str, tuple[int, Pack]] = {".br": (11, pack_brotli), ".zst": (19, pack_zstandard), ".gz": (9, pack_gzip)}
