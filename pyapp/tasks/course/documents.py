"""A course as one document to be read or printed: Markdown, and HTML that needs nothing else and fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from markdown_it import MarkdownIt

from pyapp.engine import Json
from pyapp.tasks.course.view import plain
from pyapp.tasks.task import Say
from pyapp.views.html import Html, fill, join

_HEADING = re.compile(r"^(#{1,6})(?=\s)")
_FENCE = re.compile(r"^\s*(```|~~~)")


def below(markdown: str, level: int) -> str:
    """With its headings below those of that level."""
    rows, fenced = [], False
    for row in markdown.split("\n"):
        fenced ^= bool(_FENCE.match(row))
        found = None if fenced else _HEADING.match(row)
        rows.append("#" * min(6, level + len(found[1])) + row[found.end() :] if found else row)
    return "\n".join(rows)


def as_markdown(course: Json, say: Say) -> str:
    parts = [f"# {plain(course['title'])}", plain(course["description"]), f"*{say.text('course.made_with')}*"]
    for m, module in enumerate(course["modules"], 1):
        parts.append(f"## {plain(say.text('course.module', n=m, title=module['title']))}")
        parts += [f"**{say.text('course.objectives')}**", _bullets(module["objectives"])]
        for number, lesson in enumerate(module["lessons"], 1):
            parts.append(f"### {m}.{number} {plain(lesson['title'])}")
            parts.append(below(lesson["content"], 3))
            parts += [f"#### {say.text('course.exercises')}", _numbers(map(plain, lesson["exercises"]))]
            parts += [f"#### {say.text('course.quiz')}", _numbers(map(_question, lesson["quiz"]))]
    parts.append(f"## {say.text('course.answers')}")
    parts += [f"**{where}**\n\n{_numbers(map(_answer, quiz))}" for where, quiz in _quizzes(course)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _bullets(texts: Sequence[str]) -> str:
    return "\n".join(f"- {plain(text)}" for text in texts)


def _numbers(items: Iterator[str]) -> str:
    return "\n".join(f"{n}. {item}" for n, item in enumerate(items, 1))


def _question(question: Json) -> str:
    options = [f"   - {letter}) {plain(option)}" for letter, option in _lettered(question["options"])]
    return "\n".join([plain(question["question"]), *options])


def _answer(question: Json) -> str:
    return f"{ascii_uppercase[question['right']]}) {plain(_right(question))}. {plain(question['why'])}"


def _right(question: Json) -> str:
    return str(question["options"][question["right"]])


def _lettered(options: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(ascii_uppercase, options, strict=False))


def _quizzes(course: Json) -> Iterator[tuple[str, Json]]:
    """Each with the numbers of its lesson."""
    for m, module in enumerate(course["modules"], 1):
        for number, lesson in enumerate(module["lessons"], 1):
            if lesson["quiz"]:
                yield f"{m}.{number}", lesson["quiz"]


# ---- HTML ----

# Nothing of a text becomes an element of its own, nothing is fetched (an image would be), and only what goes to the web
# or to mail is a link.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")

STYLE = """
:root { color-scheme: light dark }
body { font: 1.05rem/1.6 Georgia, serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3, h4 { font-family: system-ui, sans-serif; line-height: 1.25 }
h2 { margin-top: 3rem } h3 { margin-top: 2.2rem }
pre { overflow-x: auto; padding: .8rem; border: 1px solid #8886 }
table { border-collapse: collapse } td, th { border: 1px solid #8888; padding: .2rem .5rem }
.options { list-style: upper-alpha } .note { font-style: italic }
@media print {
  body { font-size: 11pt; max-width: none; margin: 0 } nav { break-after: page } h2 { break-before: page }
  h2, h3, h4 { break-after: avoid } li { break-inside: avoid } a { color: inherit; text-decoration: none }
}
"""

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def as_html(course: Json, language: str, say: Say) -> str:
    body = fill(
        '<header><h1>{title}</h1>\n<p>{description}</p>\n<p class="note">{made}</p></header>\n'
        '<nav aria-labelledby="contents"><h2 id="contents">{contents}</h2>\n{list}</nav>\n'
        "<main>{modules}\n{answers}</main>",
        title=course["title"],
        description=course["description"],
        made=say.text("course.made_with"),
        contents=say.text("course.contents"),
        list=_contents(course),
        modules=join([_module(n, module, say) for n, module in enumerate(course["modules"], 1)]),
        answers=_answers(course, say),
    )
    return page(course["title"], language, body)


def page(title: str, language: str, body: Html) -> str:
    return fill(_PAGE, language=language, title=title, style=Html(STYLE), body=body)


def _contents(course: Json) -> Html:
    modules = []
    for m, module in enumerate(course["modules"], 1):
        lessons = [
            fill('<li><a href="#l{m}-{n}">{title}</a></li>', m=m, n=n, title=lesson["title"])
            for n, lesson in enumerate(module["lessons"], 1)
        ]
        modules.append(
            fill(
                '<li><a href="#m{m}">{title}</a><ol>{lessons}</ol></li>',
                m=m,
                title=module["title"],
                lessons=join(lessons),
            )
        )
    return fill("<ol>{modules}</ol>", modules=join(modules))


def _module(number: int, module: Json, say: Say) -> Html:
    lessons = [_lesson(f"{number}-{n}", f"{number}.{n}", each, say) for n, each in enumerate(module["lessons"], 1)]
    return fill(
        '<section aria-labelledby="m{m}"><h2 id="m{m}">{title}</h2>\n{objectives}{lessons}</section>\n',
        m=number,
        title=say.text("course.module", n=number, title=module["title"]),
        objectives=objectives(module["objectives"], say),
        lessons=join(lessons),
    )


def objectives(texts: Sequence[str], say: Say) -> Html:
    return fill("<p>{title}</p><ul>{items}</ul>\n", title=say.text("course.objectives"), items=_items(texts))


def _items(texts: Sequence[str]) -> Html:
    return join([fill("<li>{text}</li>", text=text) for text in texts])


def _lesson(anchor: str, numbers: str, lesson: Json, say: Say) -> Html:
    return fill(
        '<section aria-labelledby="l{anchor}"><h3 id="l{anchor}">{numbers} {title}</h3>\n{body}'
        "<h4>{quiz}</h4><ol>{questions}</ol></section>\n",
        anchor=anchor,
        numbers=numbers,
        title=lesson["title"],
        body=lesson_body(lesson, 3, say),
        quiz=say.text("course.quiz"),
        questions=join([_question_html(each) for each in lesson["quiz"]]),
    )


def lesson_body(lesson: Json, level: int, say: Say) -> Html:
    """Text and exercises, below a heading of that level."""
    return fill(
        "{content}<h{below}>{exercises}</h{below}><ol>{items}</ol>\n",
        content=Html(_MARKDOWN.render(below(lesson["content"], level))),
        below=level + 1,
        exercises=say.text("course.exercises"),
        items=_items(lesson["exercises"]),
    )


def _question_html(question: Json) -> Html:
    return fill(
        '<li>{question}<ol class="options">{options}</ol></li>\n',
        question=question["question"],
        options=_items(question["options"]),
    )


def _answers(course: Json, say: Say) -> Html:
    quizzes = [
        fill("<h3>{where}</h3><ol>{answers}</ol>\n", where=where, answers=join([_answer_html(each) for each in quiz]))
        for where, quiz in _quizzes(course)
    ]
    return fill(
        '<section aria-labelledby="answers"><h2 id="answers">{title}</h2>\n{quizzes}</section>',
        title=say.text("course.answers"),
        quizzes=join(quizzes),
    )


def _answer_html(question: Json) -> Html:
    return fill(
        "<li><strong>{letter}. {option}</strong> {why}</li>",
        letter=ascii_uppercase[question["right"]],
        option=_right(question),
        why=question["why"],
    )
