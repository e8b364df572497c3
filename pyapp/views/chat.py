"""The conversation as HTML: articles, figures, errors. Parts have names the page patches them by."""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.chat.tree import Attachment, Entry
from pyapp.errors import CloudError
from pyapp.figures import Conditions
from pyapp.views.figures import stats
from pyapp.views.html import Html, fill, join
from pyapp.views.icons import button, icon
from pyapp.views.language import Language

LAMP = Html(
    '<svg class="lamp" viewBox="0 0 64 64" aria-hidden="true" focusable="false">'
    '<use href="icons/candil.svg#lamp"/></svg>'
)


USUAL = Conditions()
NOTHING = Html()


def article(
    entry: Entry, siblings: Sequence[str], language: Language, conditions: Conditions = USUAL, why: Html = NOTHING
) -> Html:
    """A whole entry: `article` with data-id, data-role, data-state and its parts.

    What an answer says is put into its part by pyapp.views.renderer, a block at a time. `siblings` are the ids of the
    branches at its place, its own among them, `why` says why an answer is whose it is.
    """
    own_words = fill("{text}", text=entry.text) if entry.role == "user" else Html()
    return fill(
        '<article data-id="{id}" data-role="{role}" data-state="{state}" aria-label="{who}">{lamp}{files}'
        '<div data-part="text" dir="auto"{scrolls}>{text}</div><div data-part="foot">{foot}</div></article>',
        id=entry.id,
        role=entry.role,
        state=entry.state,
        who=language.text("chat.you") if entry.role == "user" else "Candil",
        lamp=LAMP if entry.role == "assistant" else "",
        scrolls=Html(' tabindex="0"' if entry.role == "user" and _may_scroll(entry.text) else ""),
        files=join([_file(attachment, language) for attachment in entry.attachments]),
        text=thinking(language) if entry.state == "streaming" and not entry.text else own_words,
        foot=foot(entry, siblings, language, conditions, why),
    )


def _may_scroll(text: str) -> bool:
    """Whether a message could be higher than its box (24rem), which then has to be reached by keyboard."""
    return len(text) > 400 or text.count("\n") > 10


def thinking(language: Language) -> Html:
    return fill(
        '<span class="thinking" role="img" aria-label="{label}"><span></span><span></span><span></span></span>',
        label=language.text("chat.thinking"),
    )


def _file(attachment: Attachment, language: Language) -> Html:
    """An attachment, folded: its name and size, and inside all of its text."""
    return fill(
        '<details class="file"><summary>{icon}<span dir="auto">{label}</span></summary>'
        '<pre tabindex="0" dir="auto">{text}</pre></details>',
        icon=icon("file"),
        label=file_label(attachment, language),
        text=attachment.text,
    )


def file_label(attachment: Attachment, language: Language) -> str:
    words = language.count("attach.words", len(attachment.text.split()))
    return language.text("attach.size", name=attachment.name, words=words)


def files(attachments: Sequence[Attachment], language: Language) -> Html:
    """What will go with the message that is being written, each with a button to take it away."""
    return join([_chip(number, attachment, language) for number, attachment in enumerate(attachments)])


def _chip(number: int, attachment: Attachment, language: Language) -> Html:
    return fill(
        '<li>{icon}<span dir="auto">{label}</span>{remove}</li>',
        icon=icon("file"),
        label=file_label(attachment, language),
        remove=button("close", language.text("attach.remove", name=attachment.name), "remove-file", str(number)),
    )


def editing(language: Language) -> Html:
    """Above the composer while it holds a message that was sent already."""
    return fill(
        '<div class="editing"><p>{sentence}</p><button type="button" class="quiet" data-action="cancel-edit">{cancel}'
        "</button></div>",
        sentence=language.text("message.editing"),
        cancel=language.text("message.editing.cancel"),
    )


def foot(
    entry: Entry, siblings: Sequence[str], language: Language, conditions: Conditions = USUAL, why: Html = NOTHING
) -> Html:
    """Under a message: of an answer that has ended the error with its way out and the figures; what can be done."""
    if entry.state == "streaming":
        return Html()
    said = [_error(entry, language), stats(entry, language, conditions), why] if entry.role == "assistant" else []
    return join([*said, _tools(entry, siblings, language)])


def _tools(entry: Entry, siblings: Sequence[str], language: Language) -> Html:
    tools = [_branches(entry.id, siblings, language)] if len(siblings) > 1 else []
    tools.append(button("copy", language.text("message.copy"), "copy-message", entry.id))
    if entry.role == "user":
        tools.append(button("edit", language.text("message.edit"), "edit-message", entry.id))
    else:
        tools.append(button("regenerate", language.text("message.regenerate"), "regenerate", entry.id))
        if entry.text and (entry.state != "done" or entry.reason == "length"):
            tools.append(button("continue", language.text("message.continue"), "continue", entry.id))
    tools.append(button("delete", language.text("message.delete"), "delete-message", entry.id))
    return fill('<div class="message-tools">{tools}</div>', tools=join(tools))


def _branches(entry_id: str, siblings: Sequence[str], language: Language) -> Html:
    """2/3: which of the versions of a message this is, and the way to those beside it."""
    at = siblings.index(entry_id)
    before, after = (siblings[i] if 0 <= i < len(siblings) else "" for i in (at - 1, at + 1))
    return fill(
        '<span class="branches" role="group" aria-label="{label}">{previous}'
        '<span aria-hidden="true">{n}/{of}</span>{next}</span>',
        label=language.text("message.branch", n=at + 1, of=len(siblings)),
        previous=button(
            "previous", language.text("message.branch.previous"), "switch-branch", before, disabled=not before
        ),
        n=at + 1,
        of=len(siblings),
        next=button("next", language.text("message.branch.next"), "switch-branch", after, disabled=not after),
    )


def _error(entry: Entry, language: Language) -> Html:
    if entry.error is None:
        return Html()
    return fill(
        '<div class="answer-error"><p>{sentence}</p>'
        '<button type="button" class="secondary" data-action="try-again" data-id="{id}">{again}</button>'
        "{instead}</div>",
        sentence=language.error(entry.error),
        id=entry.id,
        again=language.text("chat.try_again"),
        instead=use_device(language, entry.id) if isinstance(entry.error, CloudError) else "",
    )


def use_device(language: Language, entry_id: str = "") -> Html:
    """The way out of the cloud; `entry_id` is what it did not answer."""
    return fill(
        '<button type="button" class="secondary" data-action="use-device" data-id="{id}">{label}</button>',
        id=entry_id,
        label=language.text("cloud.use_device"),
    )


def earlier(language: Language) -> Html:
    """Before the first message on the page, while there are earlier ones."""
    return fill(
        '<button type="button" class="quiet earlier" data-action="earlier">{label}</button>',
        label=language.text("chat.earlier"),
    )


def not_kept(language: Language) -> Html:
    """The database refuses: what is on the page can still be saved as a file."""
    save = fill(
        '<button type="button" class="secondary" data-action="export-shown">{save}</button>',
        save=language.text("chat.not_kept.save"),
    )
    return join([notice(language.text("chat.not_kept"), language, tone="bad"), save])


def notice(sentence: str, language: Language, *, tone: str = "plain", label: str = "chat.dismiss") -> Html:
    """A line above the composer, with a button to be rid of it."""
    return fill(
        '<p data-tone="{tone}">{sentence}</p>'
        '<button type="button" class="quiet" data-action="dismiss">{label}</button>',
        tone=tone,
        sentence=sentence,
        label=language.text(label),
    )
