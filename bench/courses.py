"""python -m bench.courses: courses about five topics in two languages, by the embedded model in llama.cpp.

What is counted: whether each validates (by jsonschema, which knows nothing of us), whether its files open (XML and zip
are parsed, HTML is opened in Chromium), how often a piece was asked for again, and how much of a course is not the
model's but what stands where it gave nothing fit. `--keep FOLDER` keeps the courses, to be read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from jsonschema import Draft202012Validator
from playwright.sync_api import sync_playwright

from bench.llama_cpp import llama_cpp
from pyapp.engine import Finished, GenerateEvent, GenerateRequest, Json, Message, TextDelta, Usage, wire
from pyapp.errors import NoDocument
from pyapp.structured.document import Document, DocumentEvent
from pyapp.tasks.course import TASK
from pyapp.tasks.course.prompts import PROMPTS
from pyapp.tasks.course.state import course, lessons
from pyapp.tasks.task import Say
from pyapp.views.language import Language
from tests.browser.conftest import CHROMIUM, FLAGS
from tools.embedded_model import embedded_gguf

WINDOW = 2048
TOPICS: Mapping[str, Sequence[str]] = {
    "en": ("Photosynthesis", "The French Revolution", "Saving money", "Chess for the first time", "How the Web works"),
    "es": ("La fotosíntesis", "La Revolución francesa", "Ahorrar dinero", "Ajedrez desde cero", "Cómo funciona la Web"),
}


@dataclass
class Native:
    """Implements pyapp.tasks.task.Work over llama.cpp's server."""

    url: str
    language: str
    asked: list[GenerateRequest] = field(default_factory=list)
    tokens: int = 0

    def now_ms(self) -> int:
        return int(1000 * time.time())

    async def window(self) -> int:
        return WINDOW

    async def count(self, messages: Sequence[Message]) -> int:
        prompt = self._post("/apply-template", {"messages": wire(messages)})["prompt"]
        return len(self._post("/tokenize", {"content": prompt, "parse_special": True})["tokens"])

    async def parameters(self) -> int:
        return 135_000_000

    async def summarizer(self) -> None:
        return None

    async def ask(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        answer = self._answer(request)
        yield TextDelta(answer["message"]["content"])
        yield Finished(answer["finish_reason"], Usage(0, 0, 0, 0, 0))

    async def document(self, request: GenerateRequest) -> AsyncGenerator[DocumentEvent, None]:
        answer = self._answer(request)
        if answer["finish_reason"] != "stop":
            raise NoDocument(attempts=1, pointer="")
        yield Document(json.loads(answer["message"]["content"]), Usage(0, 0, 0, 0, 0))

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float] | None:
        return None

    def _answer(self, request: GenerateRequest) -> Any:
        self.asked.append(request)
        sampling = request.sampling
        body: Json = {
            "messages": wire(request.messages),
            "max_tokens": request.max_new_tokens,
            "seed": len(self.asked),
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "repeat_penalty": sampling.repetition_penalty,
        }
        if request.schema:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "it", "schema": request.schema}}
        answer = self._post("/v1/chat/completions", body)
        self.tokens += answer["usage"]["completion_tokens"]
        return answer["choices"][0]

    def _post(self, path: str, body: Json) -> Any:
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, json.dumps(body).encode(), headers), timeout=1200
        ) as answer:
            return json.load(answer)


async def written(given: Mapping[str, Any], work: Native) -> Json:
    state: Json = None
    async for step in TASK.run(given, None, work):
        state = step.state
    return state


def made_up(state: Json, language: str) -> int:
    """Texts that are not the model's."""
    words = PROMPTS[language]
    part = re.compile(re.escape(words.part.format(name="", n="")) + r"\d+$")
    count = sum(bool(part.search(module["title"])) for module in state["modules"])
    for _, _, lesson in lessons(state):
        count += bool(part.search(lesson["title"])) + (lesson["content"] == words.nothing)
        count += lesson["exercises"] == [words.exercise.format(title=lesson["title"])]
        count += sum(each["question"] == words.about for each in lesson["quiz"])
        count += sum(each["options"] == [words.true, words.false] for each in lesson["quiz"])
    return count


async def files(given: Mapping[str, Any], state: Json, say: Say, folder: Path) -> Path:
    """All of them, written and read again."""
    paths = {}
    for kind in TASK.exports:
        export = await TASK.export(given, state, kind, say)
        paths[kind] = folder / export.name
        paths[kind].write_bytes(export.data)
    with zipfile.ZipFile(BytesIO(paths["cartridge"].read_bytes())) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            if name.endswith(".xml"):
                ET.fromstring(archive.read(name))
    Draft202012Validator(TASK.schema).validate(json.loads(paths["json"].read_text("utf-8")))
    assert course(state)["title"] in paths["markdown"].read_text("utf-8").replace("\\", "")
    return paths["html"]


def opened(pages: Sequence[Path]) -> int:
    """How many Chromium shows, with their headings and nothing fetched."""
    shown = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        for path in pages:
            requests.clear()
            page.goto(path.as_uri())
            shown += page.locator("h1").count() == 1 and page.locator("h3").count() > 1 and len(requests) == 1
        browser.close()
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=int, default=2)
    parser.add_argument("--lessons", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    print("| topic | requests | asked again | made up | questions | words | tokens | minutes |", flush=True)
    print("|---|---|---|---|---|---|---|---|", flush=True)
    pages = []
    with llama_cpp(embedded_gguf(), WINDOW, threads=options.threads) as model:
        for n in range(len(TOPICS["en"])):
            pages += [one(model.address, language, TOPICS[language][n], options, folder) for language in TOPICS]
    print(f"\n{len(pages)} of {len(pages)} validate; {opened(pages)} of {len(pages)} open in Chromium.", flush=True)


def one(url: str, language: str, topic: str, options: argparse.Namespace, folder: Path) -> Path:
    given = {
        "topic": topic,
        "level": "beginner",
        "language": language,
        "modules": options.modules,
        "lessons": options.lessons,
        "notes": "",
    }
    say = Language(language).having(TASK.strings)
    work, started = Native(url, language), time.monotonic()
    state = asyncio.run(written(given, work))
    page = asyncio.run(files(given, state, say, folder))
    again = sum(request.sampling.temperature > work.asked[0].sampling.temperature for request in work.asked)
    questions = sum(len(lesson["quiz"]) for _, _, lesson in lessons(state))
    words = sum(len(lesson["content"].split()) for _, _, lesson in lessons(state))
    minutes = (time.monotonic() - started) / 60
    row = (topic, len(work.asked), again, made_up(state, language), questions, words, work.tokens, f"{minutes:.1f}")
    print("| " + " | ".join(map(str, row)) + " |", flush=True)
    return page


if __name__ == "__main__":
    main()
