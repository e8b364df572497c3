"""index.html before Python."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tools.build import shell
from tools.build.layout import BuildError, Sources

STRINGS = {
    "en": {"a": "Hello <b> & “you”", "b": 'Say "hi"', "unused": "-"},
    "es": {"a": "Hola", "b": "Di hola", "unused": "-"},
}


def rendered(body: str) -> str:
    return shell.render(f"<!doctype html><html><head></head><body>{body}</body></html>", STRINGS)


def test_text_and_attributes_are_filled_in_and_escaped() -> None:
    page = rendered(
        '<p data-i18n="a" data-i18n-aria-label="b"></p><img data-i18n-alt="a"><meta data-i18n-content="b"/>'
    )
    assert (
        '<p data-i18n="a" data-i18n-aria-label="b" aria-label="Say &quot;hi&quot;">Hello &lt;b&gt; &amp; “you”</p>'
        in page
    )
    assert '<img data-i18n-alt="a" alt="Hello &lt;b&gt; &amp; “you”">' in page
    assert '<meta data-i18n-content="b" content="Say &quot;hi&quot;"/>' in page


def test_everything_else_stays_as_it_is_written() -> None:
    body = (
        '<svg viewBox="0 0 1 1"><path d="M0 0"/></svg> &amp; &#8230; <input disabled> <br><textarea rows=1></textarea>'
    )
    assert f"<body>{body}" in rendered(body + "<!-- not this -->")


def test_without_scripts_both_languages_are_shown() -> None:
    assert '<noscript><p data-i18n="b">Say "hi" / Di hola</p></noscript>' in rendered(
        '<noscript><p data-i18n="b"></p></noscript>'
    )


def test_the_strings_travel_with_the_page_and_cannot_end_their_script() -> None:
    page = shell.render('<p data-i18n="a"></p>', {"en": {"a": "</script><script>"}, "es": {"a": "x"}})
    block = re.search(r'<script type="application/json" id="shell-strings">(.*?)</script>', page, re.DOTALL)
    assert block
    assert json.loads(block[1]) == {"en": {"a": "</script><script>"}, "es": {"a": "x"}}


def test_only_used_strings_travel() -> None:
    assert "unused" not in rendered('<p data-i18n="a"></p>')


def test_a_text_that_is_missing_in_a_language() -> None:
    with pytest.raises(BuildError, match=r'"c" of index\.html is missing in pyapp/views/strings/es\.py'):
        shell.render('<p data-i18n="c"></p>', {"en": {"c": "x"}, "es": {}})


def test_python_starts_with_one_line() -> None:
    page = shell.render("<body></body>", STRINGS, config={"interpreter": "./runtime.mjs"})
    config = "{&quot;interpreter&quot;:&quot;./runtime.mjs&quot;}"
    assert f'<script type="py" config="{config}">{shell.START}</script>\n</body>' in page


def test_strings_are_read_without_running_them(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("raise SystemExit")
    (tmp_path / "en.py").write_text('"""Doc."""\nSTRINGS: dict[str, str] = {"a": "A" "B"}\n')
    (tmp_path / "es.py").write_text('STRINGS = {"a": "C"}\n')
    assert shell.read_strings(tmp_path) == {"en": {"a": "AB"}, "es": {"a": "C"}}


def test_a_language_without_strings(tmp_path: Path) -> None:
    (tmp_path / "en.py").write_text("TEXTS = {}")
    with pytest.raises(BuildError, match="has no STRINGS"):
        shell.read_strings(tmp_path)


class Scripts(HTMLParser):
    """Collects what a strict policy would block: inline scripts, handlers and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        inline = tag == "script" and "src" not in values and values.get("type") not in ("application/json", "py")
        if inline or tag == "style" or any(n.startswith("on") or n == "style" for n in values):
            self.blocked.append(self.get_starttag_text() or tag)


def test_the_real_page_has_every_text_and_nothing_inline() -> None:
    sources = Sources()
    strings = shell.read_strings(sources.app / "views" / "strings")
    page = shell.render((sources.site / "index.html").read_text("utf-8"), strings)
    scripts = Scripts()
    scripts.feed(page)
    assert scripts.blocked == []
    assert set(strings) == {"en", "es"}
