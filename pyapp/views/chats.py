"""The list of chats beside the conversation: by day, or what a search has found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pyapp.chat.groups import Group
from pyapp.chat.search import Excerpt, Found
from pyapp.chat.tree import Chat
from pyapp.views.html import Html, fill, join
from pyapp.views.icons import button
from pyapp.views.language import Language

Count = Callable[[str], int]


def by_day(groups: Iterable[Group], open_id: str, count: Count, language: Language) -> Html:
    """Every group with its chats; the open one has its actions beside it. Without chats, a sentence.

    `count` gives the number of messages of a chat, 0 when it is not known yet.
    """
    shown = [_group(group, open_id, count, language) for group in groups]
    return join(shown) if shown else fill('<p class="none">{text}</p>', text=language.text("chats.none"))


def title(chat: Chat, language: Language) -> str:
    return chat.title or language.text("chats.untitled")


def _group(group: Group, open_id: str, count: Count, language: Language) -> Html:
    name = language.month(group.month) if group.month else language.text(f"chats.group.{group.code}")
    items = join([_item(chat, open_id, count, language) for chat in group.chats])
    return fill("<section><h2>{name}</h2><ul>{items}</ul></section>", name=name, items=items)


def _item(chat: Chat, open_id: str, count: Count, language: Language) -> Html:
    is_open, messages = chat.id == open_id, count(chat.id)
    when = language.moment(chat.updated_ms)
    return fill(
        '<li data-chat="{id}"{open}><button type="button" class="chat" data-action="open-chat" data-id="{id}"'
        ' data-entry="" dir="auto" title="{about}"{current}>{title}</button>{actions}</li>',
        id=chat.id,
        open=Html(" data-open") if is_open else "",
        current=Html(' aria-current="true"') if is_open else "",
        title=title(chat, language),
        about=f"{when} · {language.count('chats.messages', messages)}" if messages else when,
        actions=_actions(chat, language) if is_open else "",
    )


def _actions(chat: Chat, language: Language) -> Html:
    pin = "chats.unpin" if chat.pinned else "chats.pin"
    buttons = [
        button("rename", language.text("chats.rename"), "rename-chat", chat.id),
        button("pin", language.text(pin), "pin-chat", chat.id),
        button("export", language.text("chats.export"), "export-chat", chat.id),
        button("delete", language.text("chats.delete"), "delete-chat", chat.id),
    ]
    return fill('<div class="chat-actions">{buttons}</div>', buttons=join(buttons))


def rename_form(chat: Chat, language: Language) -> Html:
    """In place of a chat's line while its title is edited: Enter keeps it, Escape leaves it as it was."""
    return fill(
        '<form class="rename" data-id="{id}"><input name="title" value="{title}" aria-label="{label}" maxlength="200"'
        ' dir="auto" autocomplete="off" enterkeyhint="done"></form>',
        id=chat.id,
        title=chat.title,
        label=language.text("chats.rename.label"),
    )


def found(hits: Sequence[Found], language: Language) -> Html:
    """The chats a search has found, each with the place in it."""
    if not hits:
        return fill('<p class="none">{text}</p>', text=language.text("chats.not_found"))
    return fill("<ul>{items}</ul>", items=join([_hit(hit, language) for hit in hits]))


def _hit(hit: Found, language: Language) -> Html:
    excerpt = fill('<p class="excerpt" dir="auto">{text}</p>', text=_marked(hit.message)) if hit.message else Html()
    return fill(
        '<li><button type="button" class="chat" data-action="open-chat" data-id="{id}" data-entry="{entry}"'
        ' dir="auto">{title}</button>{excerpt}</li>',
        id=hit.chat_id,
        entry=hit.entry_id or "",
        title=_marked(hit.title) if hit.title.text else language.text("chats.untitled"),
        excerpt=excerpt,
    )


def _marked(excerpt: Excerpt) -> Html:
    parts: list[Html] = []
    at = 0
    for start, end in excerpt.ranges:
        parts.append(fill("{before}<mark>{word}</mark>", before=excerpt.text[at:start], word=excerpt.text[start:end]))
        at = end
    return join([*parts, fill("{rest}", rest=excerpt.text[at:])])


def deleted(chat: Chat, language: Language) -> Html:
    """What is said after a chat was deleted, with the way back."""
    return undo(language.text("chats.deleted", title=title(chat, language)), "undo-chat", language)


def undo(sentence: str, action: str, language: Language) -> Html:
    return fill(
        '<span>{sentence}</span><button type="button" class="secondary" data-action="{action}">{undo}</button>'
        '<button type="button" class="quiet" data-action="close-toast">{close}</button>',
        sentence=sentence,
        action=action,
        undo=language.text("chats.undo"),
        close=language.text("chats.close"),
    )
