"""The whole way from a GGUF file to a model repository."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.convert.architecture import Network
from tools.convert.bitnet_folder import read_bitnet_folder
from tools.convert.block_storage import BlockStorage
from tools.convert.decoder_graph import Storage, build_decoder
from tools.convert.errors import ConvertError
from tools.convert.gguf_file import ModelFile, read_gguf
from tools.convert.graph_writer import GraphWriter
from tools.convert.int8_storage import Int8Storage
from tools.convert.metadata import parameter_count, read_network
from tools.convert.repository import (
    TERNARY_WASM,
    TERNARY_WEBGPU,
    WASM,
    WEBGPU,
    Variant,
    sha256_of,
    write_candil_json,
    write_settings,
)
from tools.convert.rope import turning
from tools.convert.self_test import SelfTest, agreeing, choose, continue_greedily, prompts
from tools.convert.vocabulary import Vocabulary, read_vocabulary
from tools.convert.weights import Weights

MakeStorage = Callable[[GraphWriter, Network, Weights], Storage]


@dataclass(frozen=True, slots=True)
class Source:
    """A model that has passed every check."""

    file: ModelFile
    network: Network
    vocabulary: Vocabulary
    weights: Weights


def open_source(path: Path, context_tokens: int | None = None) -> Source:
    """`context_tokens` is the most the network shall read. Raises ConvertError, or OSError if it cannot be read."""
    file = read_bitnet_folder(path) if path.is_dir() else read_gguf(path)
    network = read_network(file, context_tokens)
    return Source(file, network, read_vocabulary(file.metadata, network.vocab), Weights(file, network))


def storages(network: Network) -> dict[Variant, MakeStorage]:
    """How each device wants the matrices; ternary ones are smallest in blocks, and exact, on both."""
    if network.family.int8_activations:
        return {TERNARY_WEBGPU: BlockStorage, TERNARY_WASM: BlockStorage}
    return {WEBGPU: BlockStorage, WASM: Int8Storage}


def write_graph(path: Path, source: Source, storage: MakeStorage) -> list[Path]:
    """One graph with the matrices kept as `storage` says; gives back its files, the graph itself first."""
    network, weights = source.network, source.weights
    with GraphWriter(path) as writer:
        build_decoder(writer, network, lambda rope: turning(network, rope, weights), storage(writer, network, weights))
        return writer.finish()


def write_repository(folder: Path, source: Source) -> dict[Variant, list[Path]]:
    """Fill the existing, empty `folder`; gives back the graphs' files."""
    (folder / "onnx").mkdir()
    wanted = storages(source.network)
    written = {each.graph: write_graph(folder / each.graph, source, wanted[each]) for each in _distinct(wanted)}
    graphs = {variant: written[variant.graph] for variant in wanted}
    settings = write_settings(folder, source.network, source.vocabulary, graphs)
    path = source.file.path
    write_candil_json(
        folder,
        source={"file": path.name, "sha256": sha256_of(path), "architecture": source.network.architecture},
        network=source.network,
        parameters=parameter_count(source.network),
        settings=settings,
        graphs=graphs,
        self_tests=_self_tests(source, graphs),
    )
    return graphs


def _self_tests(source: Source, graphs: dict[Variant, list[Path]]) -> dict[Variant, SelfTest]:
    candidates = prompts(source.vocabulary)
    tests = {each.graph: continue_greedily(graphs[each][0], source.network, candidates) for each in _distinct(graphs)}
    everything = [test for some in tests.values() for test in some]
    agrees = iter(agreeing(source.network, source.weights, everything))
    chosen = {graph: choose(some, [next(agrees) for _ in some]) for graph, some in tests.items()}
    return {variant: chosen[variant.graph] for variant in graphs}


def _distinct(variants: Iterable[Variant]) -> Iterable[Variant]:
    """One of those that share a graph."""
    return {variant.graph: variant for variant in variants}.values()


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that becomes it if the block succeeds and vanishes if not.

    Raises ConvertError if there is something at `folder` already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConvertError(f"{folder} exists already and is not empty.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    try:
        yield partial
        partial.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
