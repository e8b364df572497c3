"""The command line: what it prints and how it fails."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.convert.architecture import Network, cache_bytes
from tools.convert.conversion import Source, open_source, whole_or_nothing, write_repository
from tools.convert.encoder import Encoder
from tools.convert.errors import ConvertError
from tools.convert.exact_model import exact_logits
from tools.convert.families import known_architectures
from tools.convert.fidelity import DEFAULT_TEXT, MAX_TOKENS, measure
from tools.convert.repository import WASM, Variant


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.convert",
        description="Convert a GGUF, or a folder with BitNet's safetensors, into a repository for transformers.js.",
        epilog=f"Architectures: {known_architectures()}.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a .gguf file, or a folder from Hugging Face")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="must not exist yet, or be empty")
    parser.add_argument("--context", type=_tokens, metavar="TOKENS", help="read at most so many, to need less memory")
    parser.add_argument("--text", type=Path, default=DEFAULT_TEXT, metavar="FILE", help="measure fidelity on this text")
    parser.add_argument("--no-fidelity", action="store_true", help="do not measure how true the variants are")
    return parser


def _tokens(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tokens")
    return int(text)


def _report_sizes(network: Network, graphs: dict[Variant, list[Path]]) -> None:
    for variant, files in graphs.items():
        size = sum(path.stat().st_size for path in files)
        print(f"{variant.name}: {variant.graph}, {size / 1e6:.1f} MB")
    tokens = network.context_tokens
    cache = cache_bytes(network, tokens) / 1e6
    print(f"memory beside the weights: {cache:.1f} MB of keys and values at {tokens} tokens")


def _report_fidelity(source: Source, graphs: dict[Variant, list[Path]], text: str) -> None:
    limit = min(MAX_TOKENS, source.network.context_tokens)
    ids = Encoder(source.vocabulary).encode(text)[:limit]
    if not ids:
        raise ConvertError("The text to measure with is empty.")
    (exact,) = exact_logits(source.network, source.weights, [ids])
    for variant, files in graphs.items():
        stepped = variant.device == WASM.device
        for how, fidelity in measure(files[0], source.network, ids, exact, stepped=stepped):
            print(f"{variant.name}, read {how}: {fidelity}", flush=True)


def _convert(arguments: argparse.Namespace) -> None:
    source = open_source(arguments.model, arguments.context)
    text = "" if arguments.no_fidelity else arguments.text.read_text(encoding="utf-8")
    with whole_or_nothing(arguments.out) as folder:
        graphs = write_repository(folder, source)
        _report_sizes(source.network, graphs)
        if not arguments.no_fidelity:
            _report_fidelity(source, graphs, text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 1 after one sentence on standard error."""
    # A terminated conversion leaves nothing behind either: the exception runs the clean-up.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        _convert(_parser().parse_args(arguments))
    except ConvertError as error:
        print(error, file=sys.stderr)
        return 1
    except UnicodeDecodeError:
        print("The text to measure with is not UTF-8.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'A file'}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except MemoryError:
        print("There is not enough memory to convert this model.", file=sys.stderr)
        return 1
    return 0
