"""index.html before Python: the texts are put in at build time, every language's texts travel with the page.

In site/index.html `data-i18n="key"` stands for the element's text and `data-i18n-NAME="key"` for its attribute NAME;
`data-i18n-content` of a <meta> is its content. The strings are Python's own (pyapp/views/strings).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from tools.build.layout import BuildError

Strings = Mapping[str, Mapping[str, str]]  # language -> key -> text

DEFAULT_LANGUAGE = "en"
MARK = "data-i18n"
START = "from pyapp.browser.app import main; main()"
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905


def read_strings(folder: Path) -> Strings:
    """The `STRINGS` of every module in `folder` but __init__: read, not imported; they are literals."""
    return {path.stem: literal(path) for path in sorted(folder.glob("[a-z]*.py"))}


def literal(path: Path) -> dict[str, str]:
    for node in ast.parse(path.read_bytes(), str(path)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(t, ast.Name) and t.id == "STRINGS" for t in targets):
            value = ast.literal_eval(node.value)  # type: ignore[attr-defined]
            return {str(key): str(text) for key, text in value.items()}
    raise BuildError(f"{path} has no STRINGS.")


def render(page: str, strings: Strings, config: Mapping[str, object] | None = None) -> str:
    """The page with the default language's texts, the strings of all languages, and Python's start.

    Raises BuildError when a key has no text in some language.
    """
    shell = _Shell(strings)
    shell.feed(page)
    shell.close()
    used = {language: {key: texts[key] for key in sorted(shell.used)} for language, texts in strings.items()}
    block = f'<script type="application/json" id="shell-strings">{_data(used)}</script>\n'
    start = f'<script type="py" config="{escape(_data(config or {}))}">{START}</script>\n'
    html = "".join(shell.out)
    html = html.replace("</head>", f"{block}</head>", 1) if "</head>" in html else block + html
    return html.replace("</body>", f"{start}</body>", 1) if "</body>" in html else html + start


def preloading(html: str, names: Sequence[str]) -> str:
    """`html` with the names for boot.js to ask for at once."""
    return html.replace('src="boot.js"', f'src="boot.js" data-preload="{escape(" ".join(names))}"')


def _data(value: object) -> str:
    """JSON that cannot end the <script> it stands in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


class _Shell(HTMLParser):
    """Copies the page as it is written, filling in what is marked."""

    def __init__(self, strings: Strings) -> None:
        super().__init__(convert_charrefs=False)
        self.strings = strings
        self.used: set[str] = set()
        self.out: list[str] = []
        self.inside_noscript = False

    def text(self, key: str) -> str:
        self.used.add(key)
        for language, texts in self.strings.items():
            if key not in texts:
                raise BuildError(f'The text "{key}" of index.html is missing in pyapp/views/strings/{language}.py.')
        if self.inside_noscript:  # nothing can choose a language there
            return " / ".join(texts[key] for texts in self.strings.values())
        return self.strings[DEFAULT_LANGUAGE][key]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside_noscript = self.inside_noscript or tag == "noscript"
        written = self.get_starttag_text() or ""
        marks = {name: key for name, key in attrs if name.startswith(MARK) and key}
        added = "".join(
            f' {name.removeprefix(MARK + "-")}="{escape(self.text(key))}"'
            for name, key in marks.items()
            if name != MARK
        )
        end = "/>" if written.endswith("/>") else ">"
        self.out.append(written.removesuffix(end).rstrip() + added + end if added else written)
        if MARK in marks and tag not in VOID:
            self.out.append(escape(self.text(marks[MARK]), quote=False))

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        self.inside_noscript = self.inside_noscript and tag != "noscript"
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.out.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        """Comments are for the reader of site/index.html."""

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")
