"""How many threads WebAssembly gets."""

from __future__ import annotations


def threads(*, isolated: bool, cores: int) -> int:
    """WebAssembly threads to use. `isolated`: cross-origin isolated, without which there is one.

    One core is left to the page, for a thread that waits for its core stalls all others (they spin);
    but two cores are both used: decoding is worth more than the page's few milliseconds there.
    Beyond four, memory is what limits decoding.
    """
    return min(cores, max(2, cores - 1), 4) if isolated else 1
