"""What the models and the chats take of this browser's storage, and whether it lasts, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from pyapp.models.store import StoreUsage
from pyapp.models_page import Shown
from pyapp.views.html import Html, fill
from pyapp.views.language import Language


def storage(shown: Shown, language: Language) -> Html:
    if shown.usage is None:
        return Html() if shown.error else fill('<p aria-busy="true">{text}</p>', text=language.text("models.looking"))
    return fill(
        '<section class="storage" aria-labelledby="storage-title"><h3 id="storage-title">{title}</h3>'
        "<p>{sentences}</p>{lasting}</section>",
        title=language.text("models.storage"),
        sentences=" ".join(_sentences(shown.usage, language)),
        lasting=_lasting(shown.usage, shown.refused, language),
    )


def _sentences(usage: StoreUsage, language: Language) -> Iterator[str]:
    yield language.text("models.storage.models", size=language.size(usage.installed_bytes))
    if usage.unfinished_bytes:
        yield language.text("models.storage.unfinished", size=language.size(usage.unfinished_bytes))
    if usage.database_bytes is not None:
        yield language.text("models.storage.chats", size=language.size(usage.database_bytes))
    rest = usage.usage_bytes - usage.installed_bytes - usage.unfinished_bytes - (usage.database_bytes or 0)
    if rest > 0:
        key = "models.storage.app" if usage.database_bytes is not None else "models.storage.chats_and_app"
        yield language.text(key, size=language.size(rest))
    if usage.quota_bytes:
        free = max(0, usage.quota_bytes - usage.usage_bytes)
        yield language.text("models.storage.free", free=language.size(free), quota=language.size(usage.quota_bytes))


def _lasting(usage: StoreUsage, refused: bool, language: Language) -> Html:
    if not usage.lasting:
        return fill('<p class="note">{text}</p>', text=language.text("models.why.kept_until_tab_closes"))
    if usage.persisted:
        return fill('<p class="good">{text}</p>', text=language.text("models.persisted"))
    text = language.text("models.refused" if refused else "models.not_persisted")
    return fill(
        '<p>{text}</p><div class="buttons">'
        '<button type="button" class="secondary" data-action="model-persist">{ask}</button></div>',
        text=text,
        ask=language.text("models.persist"),
    )
