r"""Formulas in Markdown: $…$, $$…$$, \(…\) and \[…\]. What is not plausibly a formula stays text.

Here a formula is only found and marked with its TeX; the page turns finished ones into MathML. A formula that
cannot be set keeps showing what the model wrote.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

GROWING = "growing"  # in the parser's env: the text goes on, so a formula that is still open may yet be closed

_DELIMITERS = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}
_INLINE = {
    "$$": re.compile(r"\$\$(?P<tex>(?:[^$\\]|\\.){1,2000}?)\$\$", re.DOTALL),
    "$": re.compile(r"\$(?![\s$])(?P<tex>(?:[^$\\]|\\.){1,1000}?)(?<!\s)\$(?![\w$])", re.DOTALL),
    "\\(": re.compile(r"\\\((?P<tex>(?:[^\\]|\\[^()\[\]]){1,2000}?)\\\)", re.DOTALL),
    "\\[": re.compile(r"\\\[(?P<tex>(?:[^\\]|\\[^()\[\]]){1,2000}?)\\\]", re.DOTALL),
}
_SAYS_SOMETHING = re.compile(r"[^\W_]|\\[a-zA-Z]")
_OTHER_MARKUP = re.compile(r"`|\]\(|</")
_PROSE = re.compile(r"(?<![\\a-zA-Z{])[a-zA-Z]{2,}")


def opening_at(text: str, at: int) -> str:
    """The delimiter that begins at `at`, or nothing."""
    return next((d for d in _DELIMITERS if text.startswith(d, at)), "")


def is_formula(tex: str, opening: str) -> bool:
    """Whether `tex` between delimiters is plausibly TeX; "$5, or 6$" is money and prose."""
    if not _SAYS_SOMETHING.search(tex) or _OTHER_MARKUP.search(tex):
        return False
    return not (opening == "$" and tex[0].isdigit() and _PROSE.search(tex))


def inline_formula(state: StateInline, silent: bool) -> bool:
    """Rule before `escape`, which would take the backslash of an opening delimiter for itself."""
    opening = opening_at(state.src, state.pos)
    if not opening or (opening == "$" and state.pos and state.src[state.pos - 1].isalnum()):
        return False
    match = _INLINE[opening].match(state.src, state.pos, state.posMax)
    if match is None or not is_formula(match["tex"], opening):
        return False
    if not silent:
        token = state.push("formula", "span", 0)
        token.markup, token.content, token.info = match[0], match["tex"].strip(), _kind(opening)
    state.pos = match.end()
    return True


def _kind(opening: str) -> str:
    return "display" if opening in ("$$", "\\[") else "inline"


def block_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A display formula that begins its line and ends another: its lines are no list, heading or table."""
    if state.is_code_block(start):
        return False
    opening = opening_at(state.src, state.bMarks[start] + state.tShift[start])
    if _kind(opening) != "display":
        return False
    last = _closing_line(state, start, end, _DELIMITERS[opening])
    if last is None:
        return False
    written = state.getLines(start, last + 1, state.sCount[start], False).strip()
    tex = written.removeprefix(opening).removesuffix(_DELIMITERS[opening]).strip()
    closed = written.endswith(_DELIMITERS[opening]) and len(written) > len(opening)
    if closed and (_DELIMITERS[opening] in tex or not is_formula(tex, opening)):
        return False
    if not silent:
        token = state.push("formula" if closed else "open_formula", "div", 0)
        token.markup, token.content, token.info = written, tex, "display"
        token.map, token.block = [start, last + 1], True
    state.line = last + 1
    return True


def _closing_line(state: StateBlock, start: int, end: int, closing: str) -> int | None:
    """The line the formula ends with; the last one there is, when more may come; None: it is not one."""
    for line in range(start, end):
        if state.isEmpty(line) or (line > start and state.sCount[line] < state.blkIndent):
            return None
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
        if text.endswith(closing) and (line > start or len(text) > len(closing)):
            return line
    return end - 1 if state.env.get(GROWING) and end == state.lineMax else None


def add_formulas(md: MarkdownIt) -> None:
    md.inline.ruler.before("escape", "formula", inline_formula)
    md.block.ruler.before("fence", "formula", block_formula, {"alt": ["paragraph", "reference", "blockquote", "list"]})
