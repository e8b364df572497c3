"""Who may answer: what is known of each provider beforehand, and what the operator says of it.

Model ids rot in months, so they are only suggestions of what to look for in the provider's own list (catalog.py);
<NAME>_MODELS replaces them. Any other OpenAI-compatible server is a name in PROVIDERS and <NAME>_BASE_URL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from server import foundry, values
from server.values import ConfigError, Environment, Secret, Variable


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    title: str  # the company or program the page names to its user
    base_url: str
    models: tuple[str, ...]  # the most wanted first; empty: the first it lists
    api_key: Secret | None = None
    context_tokens: int | None = None  # where the operator said
    price: float | None = None  # of a million tokens, where the operator said

    @property
    def is_local(self) -> bool:
        return is_local(self.base_url)


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    title: str
    base_url: str = ""
    models: tuple[str, ...] = ()  # alive in November 2026
    aliases: tuple[tuple[str, str], ...] = ()  # ("API_KEY", "HF_TOKEN"): other names of this provider's variables

    def variables(self) -> Iterator[Variable]:
        prefix = self.name.upper().replace("-", "_")
        parsers: dict[str, Callable[[str], object]] = {
            "API_KEY": values.secret,
            "BASE_URL": values.base_url,
            "MODELS": values.names,
        }
        parsers |= {"TITLE": values.text, "CONTEXT_TOKENS": values.whole(1, 1 << 31), "PRICE": values.number(0, 1e6)}
        for suffix, parse in parsers.items():
            aliases = tuple(alias for of, alias in self.aliases if of == suffix)
            yield Variable(f"{prefix}_{suffix}", parse, MEANINGS[suffix], aliases, secret=suffix == "API_KEY")


MEANINGS = {
    "API_KEY": "The key.",
    "BASE_URL": "The address, up to and with /v1.",
    "MODELS": "Model ids, the most wanted first.",
    "TITLE": "The name the page says to its user.",
    "CONTEXT_TOKENS": "The window; a prompt too long for the provider before may fit here.",
    "PRICE": "What a million tokens cost, in a currency your users know; their limit is compared with it.",
}

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "groq",
            "Groq",
            "https://api.groq.com/openai/v1",
            ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b"),
        ),
        Preset(
            "together",
            "Together AI",
            "https://api.together.ai/v1",
            ("Qwen/Qwen3.5-9B", "Qwen/Qwen2.5-7B-Instruct-Turbo"),
        ),
        Preset(
            "huggingface",
            "Hugging Face",
            "https://router.huggingface.co/v1",
            ("openai/gpt-oss-120b:fastest",),
            (("API_KEY", "HF_TOKEN"),),
        ),
        Preset("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", ("openai/gpt-oss-20b:free",)),
        Preset("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1"),
        Preset("foundry", "Foundry Local"),  # its port is another at every start: foundry.py
        Preset("ollama", "Ollama", "http://127.0.0.1:11434/v1"),
        Preset("llamacpp", "llama.cpp", "http://127.0.0.1:8080/v1"),
        Preset("vllm", "vLLM", "http://127.0.0.1:8001/v1"),  # not its own 8000: that is ours
        Preset(
            "custom",
            "the operator's own server",
            aliases=(("API_KEY", "API_KEY"), ("BASE_URL", "BASE_URL"), ("MODELS", "MODEL")),
        ),
    )
}


def from_environment(env: Environment, wanted: Sequence[str], allow_http: bool) -> tuple[Provider, ...]:
    """In the order of `wanted`; without that, every preset that has a key or an address set. Raises ConfigError."""
    found = [read(env, name.lower(), allow_http) for name in wanted or mentioned(env)]
    if not found:
        raise ConfigError("CLOUD_ENABLED is 1, but there is no provider: set a key (GROQ_API_KEY=...) or PROVIDERS.")
    return tuple(found)


def mentioned(env: Environment) -> list[str]:
    marks = ("_API_KEY", "_BASE_URL")
    return [
        name
        for name, preset in PRESETS.items()
        if any(env.value(v) is not None for v in preset.variables() if v.name.endswith(marks))
    ]


def read(env: Environment, name: str, allow_http: bool) -> Provider:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", name):
        raise ConfigError(f"PROVIDERS names a provider that can be none: {name}")
    preset = PRESETS.get(name, Preset(name, name))
    said = {variable.name: env.value(variable) for variable in preset.variables()}
    api_key, base_url, models, title, context_tokens, price = said.values()
    prefix = name.upper().replace("-", "_")
    base_url = base_url or preset.base_url or (foundry.address() if name == "foundry" else None)
    if base_url is None or base_url == "":
        raise ConfigError(f"{prefix}_BASE_URL is not set, and {name} is in use.")
    if preset.base_url.startswith("https:") and api_key is None:
        raise ConfigError(f"{prefix}_API_KEY is not set, and {name} is in use.")
    if base_url.startswith("http:") and not is_local(base_url) and not allow_http:
        raise ConfigError(
            f"{prefix}_BASE_URL is plain http to another machine, so chats and keys can be read on the way: {base_url} "
            "(ALLOW_HTTP_UPSTREAM=1 allows it)."
        )
    return Provider(name, title or preset.title, base_url, models or preset.models, api_key, context_tokens, price)


def is_local(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
