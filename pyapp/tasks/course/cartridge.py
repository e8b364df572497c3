"""A course as an IMS Common Cartridge 1.1: what Moodle, Canvas, Brightspace and Blackboard all import.

1.1, not a later one: Moodle's importer knows 1.0 and 1.1 and recognises them by the manifest's namespace. Written by
the specification (IMS Common Cartridge Profile 1.1, Final, 2011): section 3, the manifest and its one organization;
3.1, resource types; 4.5, assessments, which are QTI 1.2.1 cut down by the cartridge's own profile.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from string import ascii_uppercase

from pyapp.engine import Json
from pyapp.tasks.course.documents import lesson_body, objectives, page
from pyapp.tasks.task import Say
from pyapp.views.html import Html, fill, join

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same course is the same file

_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest xmlns="http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
  xmlns:lomimscc="http://ltsc.ieee.org/xsd/imsccv1p1/LOM/manifest" identifier="course">
  <metadata>
    <schema>IMS Common Cartridge</schema>
    <schemaversion>1.1.0</schemaversion>
    <lomimscc:lom>
      <lomimscc:general>
        <lomimscc:title><lomimscc:string language="{language}">{title}</lomimscc:string></lomimscc:title>
        <lomimscc:language>{language}</lomimscc:language>
        <lomimscc:description>
          <lomimscc:string language="{language}">{description}</lomimscc:string>
        </lomimscc:description>
      </lomimscc:general>
    </lomimscc:lom>
  </metadata>
  <organizations>
    <organization identifier="organization" structure="rooted-hierarchy">
      <item identifier="root">
{items}      </item>
    </organization>
  </organizations>
  <resources>
{resources}  </resources>
</manifest>
"""

_PAGE, _QUIZ = "webcontent", "imsqti_xmlv1p2/imscc_xmlv1p1/assessment"


def cartridge(course: Json, language: str, say: Say) -> bytes:
    files = {"imsmanifest.xml": _manifest(course, language, say), **_files(course, language, say)}
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, text.encode())
    return made.getvalue()


def _files(course: Json, language: str, say: Say) -> Mapping[str, str]:
    files = {}
    for m, module in enumerate(course["modules"], 1):
        body = fill("<h1>{title}</h1>\n{aims}", title=module["title"], aims=objectives(module["objectives"], say))
        files[f"pages/m{m}.html"] = page(module["title"], language, body)
        for n, lesson in enumerate(module["lessons"], 1):
            body = fill("<h1>{title}</h1>\n{body}", title=lesson["title"], body=lesson_body(lesson, 1, say))
            files[f"pages/m{m}-l{n}.html"] = page(lesson["title"], language, body)
            if lesson["quiz"]:  # of a course that is still being written there may be none
                files[f"quizzes/m{m}-l{n}.xml"] = _quiz(f"m{m}-l{n}", lesson, say)
    return files


def _manifest(course: Json, language: str, say: Say) -> str:
    items, resources = [], []
    for m, module in enumerate(course["modules"], 1):
        entries = list(_entries(m, module, say))
        items.append(
            fill(
                '        <item identifier="i-m{m}"><title>{title}</title>\n{inside}        </item>\n',
                m=m,
                title=module["title"],
                inside=join([_item(name, title) for name, title, _ in entries]),
            )
        )
        resources += [_resource(name, kind) for name, _, kind in entries]
    return fill(
        _MANIFEST,
        language=language,
        title=course["title"],
        description=course["description"],
        items=join(items),
        resources=join(resources),
    )


def _entries(number: int, module: Json, say: Say) -> Iterator[tuple[str, str, str]]:
    """What is in a module: identifier, title, type."""
    yield f"m{number}", say.text("course.objectives"), _PAGE
    for n, lesson in enumerate(module["lessons"], 1):
        yield f"m{number}-l{n}", lesson["title"], _PAGE
        if lesson["quiz"]:
            yield f"m{number}-l{n}-quiz", _quiz_title(lesson, say), _QUIZ


def _quiz_title(lesson: Json, say: Say) -> str:
    return f"{say.text('course.quiz')}: {lesson['title']}"


def _item(name: str, title: str) -> Html:
    return fill(
        '          <item identifier="i-{name}-here" identifierref="r-{name}"><title>{title}</title></item>\n',
        name=name,
        title=title,
    )


def _resource(name: str, kind: str) -> Html:
    if kind == _PAGE:
        return fill(
            '    <resource identifier="r-{name}" type="{kind}" href="pages/{name}.html">'
            '<file href="pages/{name}.html"/></resource>\n',
            name=name,
            kind=kind,
        )
    return fill(
        '    <resource identifier="r-{name}" type="{kind}"><file href="quizzes/{file}.xml"/></resource>\n',
        name=name,
        kind=kind,
        file=name.removesuffix("-quiz"),
    )


# ---- quizzes ----

_ASSESSMENT = """<?xml version="1.0" encoding="UTF-8"?>
<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">
  <assessment ident="a-{name}" title="{title}">
    <qtimetadata>{fields}</qtimetadata>
    <section ident="s-{name}">
{items}    </section>
  </assessment>
</questestinterop>
"""

_ITEM = """      <item ident="q-{name}" title="{title}">
        <itemmetadata><qtimetadata>{fields}</qtimetadata></itemmetadata>
        <presentation>
          {question}
          <response_lid ident="response" rcardinality="Single">
            <render_choice>
{options}            </render_choice>
          </response_lid>
        </presentation>
        <resprocessing>
          <outcomes><decvar varname="SCORE" vartype="Decimal" minvalue="0" maxvalue="100"/></outcomes>
          <respcondition continue="Yes">
            <conditionvar><other/></conditionvar>
            <displayfeedback feedbacktype="Response" linkrefid="why"/>
          </respcondition>
          <respcondition continue="No">
            <conditionvar><varequal respident="response">{right}</varequal></conditionvar>
            <setvar varname="SCORE" action="Set">100</setvar>
          </respcondition>
        </resprocessing>
        <itemfeedback ident="why"><flow_mat>{why}</flow_mat></itemfeedback>
      </item>
"""


def _quiz(name: str, lesson: Json, say: Say) -> str:
    fields = _fields(
        cc_profile="cc.exam.v0p1",
        qmd_assessmenttype="Examination",
        qmd_scoretype="Percentage",
        cc_maxattempts="unlimited",
    )
    items = [_question(f"{name}-{n}", n, each, say) for n, each in enumerate(lesson["quiz"], 1)]
    return fill(_ASSESSMENT, name=name, title=_quiz_title(lesson, say), fields=fields, items=join(items))


def _question(name: str, number: int, question: Json, say: Say) -> Html:
    options = [
        fill(
            '              <response_label ident="{letter}">{text}</response_label>\n',
            letter=letter,
            text=_text(option),
        )
        for letter, option in zip(ascii_uppercase, question["options"], strict=False)
    ]
    return fill(
        _ITEM,
        name=name,
        title=say.text("course.question", n=number),
        fields=_fields(cc_profile="cc.multiple_choice.v0p1"),
        question=_text(question["question"]),
        options=join(options),
        right=ascii_uppercase[question["right"]],
        why=_text(question["why"]),
    )


def _fields(**entries: str) -> Html:
    return join(
        [
            fill(
                "<qtimetadatafield><fieldlabel>{label}</fieldlabel><fieldentry>{entry}</fieldentry></qtimetadatafield>",
                label=label,
                entry=entry,
            )
            for label, entry in entries.items()
        ]
    )


def _text(text: str) -> Html:
    """HTML inside of XML, so escaped twice. In a paragraph: some importers take the text "0" for none."""
    html = str(fill("<p>{text}</p>", text=text))
    return fill('<material><mattext texttype="text/html">{html}</mattext></material>', html=html)
