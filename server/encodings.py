"""Which of a file's compressed variants a browser gets (RFC 9110, 12.5.3)."""

from __future__ import annotations

import re
from collections.abc import Container

CODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}  # Content-Encoding -> the variant's suffix; the best first
SUFFIXES = tuple(CODINGS.values())


def preferred(accept_encoding: str, available: Container[str]) -> str:
    """The most welcome of the available codings, "" for the file as it is; the smaller one among equals."""
    weights = dict(weighted(item) for item in accept_encoding.lower().split(",") if item.strip())
    others = weights.get("*", 0.0)
    offered = {coding: weights.get(coding, others) for coding in CODINGS if coding in available}
    best = max(offered, key=offered.__getitem__, default="")
    return best if best and offered[best] > 0 and offered[best] >= weights.get("identity", 0.0) else ""


def weighted(item: str) -> tuple[str, float]:
    """A coding and its q; what is malformed is not welcome."""
    coding, _, parameters = item.partition(";")
    match = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", parameters)
    return coding.strip(), float(match[1]) if match else float(not parameters.strip())
