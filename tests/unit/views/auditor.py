"""What the renderer may emit, and nothing else: every rendering in these tests goes through here."""

from __future__ import annotations

from html.parser import HTMLParser

from pyapp.views.links import is_safe_link

# tag -> attributes; `None` in a set of values stands for any value
TAGS: dict[str, set[str]] = {
    **{tag: set() for tag in ("p", "br", "hr", "em", "strong", "s", "blockquote", "ul")},
    **{tag: {"data-written"} for tag in ("h2", "h3", "h4", "h5", "h6")},
    **{tag: set() for tag in ("table", "thead", "tbody", "tr", "summary")},
    **{tag: {"data-align"} for tag in ("th", "td")},
    "ol": {"start"},
    "li": {"class"},
    "a": {"href", "title", "target", "rel"},
    "code": {"data-grows"},
    "pre": {"tabindex", "data-language", "data-highlight"},
    "span": {"class", "data-formula", "data-tex"},
    "div": {"class", "tabindex", "data-grows", "data-formula", "data-tex", "data-part"},
    "button": {"type", "class", "data-action"},
    "input": {"type", "disabled", "checked", "aria-label"},
    "details": {"class"},
}
VOID = {"br", "hr", "input"}
FIXED = {
    "target": {"_blank"},
    "rel": {"noopener noreferrer"},
    "type": {"button", "checkbox"},
    "data-action": {"copy-code"},
    "tabindex": {"0"},
    "data-written": {"1", "2", "3", "4", "5", "6"},
    "data-align": {"left", "right", "center"},
    "data-formula": {"inline", "display"},
    "data-part": {"reasoning", "answer"},
    "class": {
        *("code", "code-head", "code-language", "code-copy", "table", "task", "plain", "formula", "image", "link-host"),
        *("reasoning", "markdown"),
    },
}


class Auditor(HTMLParser):
    """Fails on any tag, attribute or value that the renderer has no business to emit, and on bad nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert name in TAGS[tag], (tag, name)
            assert name not in FIXED or value in FIXED[name], (name, value)
            if name == "href":
                assert is_safe_link(value or ""), value

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"neither element nor text: {data}")

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)


def audit(html: str) -> str:
    """The text of `html`, which is well-formed and has nothing in it that acts."""
    auditor = Auditor()
    auditor.feed(html)
    auditor.close()
    assert auditor.open == []
    return "".join(auditor.text)
