"""Runs in the page in the place of the app's start: all of the app, and a model that says what is written here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Collection, Sequence

import pyapp.browser.app
import pyapp.engines.transformers_js
from pyapp.engine import Finished, GenerateEvent, GenerateRequest, Message, Progress, TextDelta, Usage
from pyapp.engines.transformers_js import TransformersJs
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.setup.setup import Setup

TOKEN_S = 0.01
RICH = """## An answer

With *emphasis*, `code`, a [link](https://example.org/) and a formula $x^2$.

- one thing
- another **thing**

| a | b |
|---|--:|
| 1 | 2 |

```python
def double(x: int) -> int:
    return 2 * x  # a comment
```
"""
LONG = " ".join(f"word {n}" for n in range(1, 2000))  # what is said when "something long" is asked for, to be stopped


class Scripted(TransformersJs):
    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        self._loaded = model, variant
        yield Progress("session")

    async def unload(self) -> None:
        self._loaded = None

    async def count(self, messages: Sequence[Message]) -> int:
        return sum(len(message.text.split()) + 4 for message in messages)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        asked = next(message.text for message in reversed(request.messages) if message.role == "user")
        tokens = re.findall(r"\S+\s*", _said(asked))
        for token in tokens:
            await asyncio.sleep(TOKEN_S)
            yield TextDelta(token)
        yield Finished("stop", Usage(await self.count(request.messages), 0, len(tokens), 100.0, 1000.0))


def _said(asked: str) -> str:
    if re.fullmatch(r"part \d+|again", asked):  # by a task
        return f"This is what is said of {asked}, in *twenty* words or so, so that it can be seen to grow."
    return LONG if "something long" in asked.lower() else RICH


class Installed(Setup):
    def _is_here(self, variant: Variant, whole: Collection[frozenset[str]]) -> bool:
        return True


pyapp.engines.transformers_js.TransformersJs = Scripted  # type: ignore[misc]
pyapp.browser.app.Setup = Installed  # type: ignore[attr-defined]
pyapp.browser.app.main()
