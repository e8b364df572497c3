"""The engines, each imported when the first model of its kind is loaded: a start needs one of them, or none."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from js import document, navigator, performance

from pyapp.browser.bridge import Bridge
from pyapp.engine import Engine


def makers(bridge: Bridge, key_for: Callable[[str], str]) -> Mapping[str, Callable[[], Engine]]:
    """By the names that the catalog knows them by. `key_for` gives the key of a server of the user's."""

    def transformers_js() -> Engine:
        from pyapp.engines.transformers_js import TransformersJs

        return TransformersJs(bridge, seed=_seed)

    def wllama() -> Engine:
        from pyapp.engines.wllama import Wllama

        return Wllama(bridge, seed=_seed)

    def webllm() -> Engine:
        from pyapp.engines.webllm import Webllm

        return Webllm(bridge, seed=_seed, now_ms=performance.now)

    def builtin_ai() -> Engine:
        from pyapp.engines.builtin_ai import BuiltinAi

        return BuiltinAi(bridge, languages=_languages, now_ms=performance.now)

    def openai_http() -> Engine:
        from pyapp.engines.openai_http import OpenAiHttp

        return OpenAiHttp(bridge, key_for, seed=_seed, now_ms=performance.now)

    return {make.__name__: make for make in (transformers_js, wllama, webllm, builtin_ai, openai_http)}


def _seed() -> int:
    return secrets.randbits(32)


def _languages() -> list[str]:
    return [document.documentElement.lang, *navigator.languages]
