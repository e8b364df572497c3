"""What a file says about its network: read as meant, or refused with one sentence."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType as Kind

from tests.tools.tiny_families import NETWORKS, write_tiny_network
from tools.convert import cli
from tools.convert.conversion import open_source
from tools.convert.errors import ConvertError
from tools.convert.families import FAMILIES
from tools.convert.gguf_file import BitnetKind


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command changes what SIGTERM does."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


REFUSED: dict[str, tuple[str, dict[str, object], str]] = {
    "experts": ("qwen3", {"expert_count": 8}, "mixture of experts"),
    "a window where none is known": ("qwen2", {"attention.sliding_window": 64}, "sliding_window"),
    "layers that alternate otherwise": ("gemma3", {"attention.sliding_window_pattern": 4}, "alternate"),
    "capped scores": ("gemma3", {"final_logit_softcapping": 30.0}, "final_logit_softcapping"),
    "an unknown scaling of positions": ("qwen2", {"rope.scaling.type": "yarn"}, "'yarn'"),
    "an unknown activation": ("bitnet", {"hidden_activation": "relu6"}, "'relu6'"),
    "odd rotary channels": ("phi3", {"rope.dimension_count": 25}, "rotary channels"),
    "more rotary channels than a head has": ("phi3", {"rope.dimension_count": 64}, "rotary channels"),
    "values of another size": ("qwen2", {"attention.value_length": 16}, "another size"),
    "a base that is not a number": ("qwen2", {"rope.freq_base": float("nan")}, "not a number"),
    "no original context": ("phi3", {"rope.scaling.original_context_length": 0}, "original_context_length"),
}


@pytest.mark.parametrize(("name", "metadata", "message"), REFUSED.values(), ids=REFUSED)
def test_networks_that_compute_something_else(
    tmp_path: Path, name: str, metadata: dict[str, object], message: str
) -> None:
    tiny = NETWORKS[name]
    gguf = write_tiny_network(tmp_path / "tiny.gguf", replace(tiny, metadata=tiny.metadata | metadata))
    with pytest.raises(ConvertError, match=message) as error:
        open_source(gguf)
    assert "\n" not in str(error.value)


def test_a_type_of_weights_that_is_not_known(tmp_path: Path) -> None:
    gguf = write_tiny_network(tmp_path / "tiny.gguf", NETWORKS["qwen2"], kind=Kind.MXFP4)
    with pytest.raises(ConvertError, match="MXFP4"):
        open_source(gguf)


def test_a_scale_that_is_not_a_number(tmp_path: Path) -> None:
    gguf = write_tiny_network(tmp_path / "tiny.gguf", NETWORKS["bitnet-b1.58"], kind=BitnetKind.I2_S)
    info = open_source(gguf).file.tensors["blk.0.attn_q.weight"]
    with gguf.open("r+b") as data:
        data.seek(info.offset + info.size_bytes)
        data.write(b"\xff" * 4)
    with pytest.raises(ConvertError, match="scale"):
        open_source(gguf)


def test_an_unknown_architecture_is_told_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gguf = write_tiny_network(tmp_path / "tiny.gguf", replace(NETWORKS["qwen2"], architecture="gptneox"))
    assert cli.main([str(gguf), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(name in said for name in ("gptneox", *FAMILIES))


def test_the_context_decides_the_factors(tmp_path: Path) -> None:
    gguf = write_tiny_network(tmp_path / "tiny.gguf", NETWORKS["phi3"])
    asked = (None, 512, "short"), (300, 300, "short"), (700, 700, "long"), (9999, 1024, "long")
    for wanted, tokens, factors in asked:
        network = open_source(gguf, wanted).network
        assert (network.context_tokens, network.rope.factors) == (tokens, f"rope_factors_{factors}.weight")


@pytest.mark.parametrize("text", ["0", "-5", "many", "1.5"])
def test_a_context_that_is_no_number(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["model.gguf", "--out", str(tmp_path / "out"), f"--context={text}"])
    assert "not a number of tokens" in capsys.readouterr().err
