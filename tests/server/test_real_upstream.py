"""llama.cpp with the embedded model behind the relay, and the clients people use in front of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from bench.llama_server import LlamaServer
from tests.server.process import running_server
from tools.embedded_model import embedded_gguf

pytestmark = pytest.mark.real_model
KEY = "sk-real"
FRANCE = "What is the capital of France?"
LONG = [{"role": "user", "content": "Tell me a long story about a lamp, with many details."}]


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaServer]:
    server = LlamaServer(embedded_gguf(), KEY, window=2048)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def relay(llama: LlamaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "stdlib.zip").write_bytes(b"x")
    environment = {
        "SITE_DIR": str(folder),
        "CLOUD_ENABLED": "1",
        "PROVIDERS": "llamacpp",
        "LLAMACPP_BASE_URL": f"http://127.0.0.1:{llama.port}/v1",
        "LLAMACPP_API_KEY": KEY,
        "REQUESTS_PER_MINUTE": "1000",
        "TOTAL_REQUESTS_PER_MINUTE": "1000",
    }
    with running_server(environment) as url:
        yield url.rstrip("/")


@pytest.fixture
def sdk(relay: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{relay}/v1", api_key="not needed", max_retries=0)


def test_the_openai_sdk_lists_streams_and_counts(sdk: openai.OpenAI) -> None:
    models = [model.id for model in sdk.models.list()]
    assert models[0] == "auto"
    assert len(models) == 2
    stream = sdk.chat.completions.create(
        model=models[1],
        messages=[{"role": "user", "content": FRANCE}],
        stream=True,
        stream_options={"include_usage": True},
        temperature=0,
        max_tokens=32,
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.strip()
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens > 2
    whole = sdk.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        temperature=0,
        max_tokens=32,
    )
    assert whole.choices[0].message.content


def test_the_openai_sdk_gets_typed_errors(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "x"}])
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as wrong:
        sdk.chat.completions.create(model="auto", messages=[{"role": "user", "content": "x"}], temperature=9)
    assert (wrong.value.code, wrong.value.param) == ("invalid_request", "temperature")
    with pytest.raises(openai.BadRequestError) as long:
        sdk.chat.completions.create(model="auto", messages=[{"role": "user", "content": "no " * 5000}])
    assert long.value.code == "context_length_exceeded"


def test_llm_lists_and_streams(relay: str, tmp_path: Path) -> None:
    entry = {"model_id": "candil", "model_name": "auto", "api_base": f"{relay}/v1"}
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps([entry]))  # JSON is YAML
    env = os.environ | {"LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "not needed"}
    program = [str(Path(sys.executable).with_name("llm"))]
    listed = subprocess.run([*program, "models"], env=env, capture_output=True, text=True, timeout=60, check=True)
    assert "candil" in listed.stdout
    question = [*program, "-m", "candil", "-o", "max_tokens", "16", FRANCE]
    answered = subprocess.run(question, env=env, capture_output=True, text=True, timeout=120, check=True)
    assert answered.stdout.strip()


def test_killed_while_answering_and_started_again(sdk: openai.OpenAI, relay: str, llama: LlamaServer) -> None:
    body = {"messages": LONG, "stream": True, "max_tokens": 900}
    got = ""
    error: dict[str, object] = {}
    with (
        httpx2.Client(trust_env=False, timeout=30) as client,
        client.stream("POST", f"{relay}/v1/chat/completions", json=body) as response,
    ):
        for line in response.iter_lines():
            data = json.loads(line[6:]) if line.startswith("data: {") else {}
            error = data.get("error") or error
            got += "".join(choice["delta"].get("content", "") for choice in data.get("choices", []))
            if len(got) > 20 and llama.running:
                llama.kill()
    assert len(got) > 20
    assert (error["code"], error["partial"], error["retryable"]) == ("upstream_interrupted", True, True)
    with pytest.raises(openai.InternalServerError) as gone:
        sdk.chat.completions.create(model="auto", messages=[{"role": "user", "content": "x"}])
    assert gone.value.code == "upstream_failed"
    llama.start()
    again = answer_within(sdk, 20)
    assert again


def test_who_leaves_frees_the_model(relay: str, llama: LlamaServer) -> None:
    """The answer would go on for a thousand tokens."""
    body = {"messages": LONG, "stream": True, "max_tokens": 1000}
    with httpx2.Client(trust_env=False, timeout=30) as client:
        with client.stream("POST", f"{relay}/v1/chat/completions", json=body) as response:
            next(line for line in response.iter_lines() if line.startswith("data: {"))  # not a heartbeat
            assert llama.busy()
        ends = time.monotonic() + 5
        while llama.busy():
            assert time.monotonic() < ends
            time.sleep(0.05)


def answer_within(sdk: openai.OpenAI, seconds: float) -> str:
    ends = time.monotonic() + seconds
    while True:
        try:
            made = sdk.chat.completions.create(model="auto", messages=[{"role": "user", "content": "Hi"}], max_tokens=8)
            return made.choices[0].message.content or ""
        except openai.APIStatusError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
