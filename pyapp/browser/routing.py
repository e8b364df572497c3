"""Who answers, on the page: the question above the composer, what is chosen under an answer, the rules' section."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from js import document

from pyapp.browser import focus
from pyapp.browser.events import Events
from pyapp.browser.page import by_id
from pyapp.errors import StorageError
from pyapp.routing import rules as routing_rules
from pyapp.routing.needs import Kind
from pyapp.routing.router import Consent, Question, Router
from pyapp.routing.rules import KINDS, Privacy, Rules, Tier
from pyapp.setup.catalog import pick_key
from pyapp.views import routing as view
from pyapp.views import setup as setup_views
from pyapp.views.html import Html

if TYPE_CHECKING:
    from pyapp.browser.app import Candil


class RoutingSection:
    def __init__(self, candil: Candil, router: Router) -> None:
        self._candil = candil
        self._router = router
        self._preferences = candil.preferences
        self._models: view.Models = ()
        self._said = ""  # the key of what came of the last saving
        self._tasks: set[asyncio.Task[None]] = set()
        router.on_question = self._ask

    def connect(self, events: Events) -> None:
        app, router = self._candil.app, self._router
        events.add(
            {
                "route-consent": lambda button: router.answer(cast(Consent, button.dataset.id)),
                "route-once": lambda button: app.answer_by(button.dataset.id, button.dataset.key),
                "route-always": lambda button: self._do(self._always(button)),
                "route-up": lambda button: self._do(self._order(button, partial(routing_rules.moved, by=-1))),
                "route-down": lambda button: self._do(self._order(button, partial(routing_rules.moved, by=1))),
                "route-toggle": lambda button: self._do(self._order(button, routing_rules.toggled)),
                "route-reset": lambda _button: self._do(self.apply(Rules())),
            }
        )
        events.on(by_id("panel"), "change", lambda event: self._do(self._changed(event.target)))
        events.on(by_id("panel"), "cancel", lambda _event: self._do(self._changed(document.activeElement)))

    # ---- the question ----

    def _ask(self, question: Question | None) -> None:
        part = by_id("consent")
        with focus.kept(part):
            part.innerHTML = view.question(question, self._candil.page.language)

    # ---- the section ----

    async def look(self) -> None:
        """Who is here to be named. Raises StorageError."""
        picks = await self._candil.setup.loadable()
        self._models = [(pick_key(*pick), setup_views.pick(*pick, self._candil.page.language)) for pick in picks]

    def html(self) -> Html:
        return view.form(self._preferences.rules, self._models, self._candil.page.language)

    async def apply(self, rules: Rules, said: str = "") -> None:
        """Other rules altogether; `said` is the key of what is told where they could be kept."""
        await self._save(rules)
        by_id("panel-body").innerHTML = self.html()
        by_id("route-privacy").focus()
        self._tell(self._candil.text(said if said and self._said == "settings.saved" else self._said))

    async def _order(self, button: Any, change: Callable[[Rules, Kind, Tier], Rules]) -> None:
        """The button that was pressed has the focus then; where it can do no more, one beside it."""
        action, kind, tier = button.dataset.action, cast(Kind, button.dataset.kind), cast(Tier, button.dataset.id)
        await self._save(change(self._preferences.rules, kind, tier))
        self._draw(kind)
        part = by_id(f"route-{kind}")
        of_tier = f'[data-id="{tier}"]:enabled'
        same = part.querySelector(f'[data-action="{action}"]{of_tier}') or part.querySelector(of_tier)
        (same or part.querySelector("summary")).focus()
        self._tell(self._candil.text(self._said))

    async def _changed(self, target: Any) -> None:
        """Also what had the focus when the dialog was left: it has not been told as a change."""
        form = getattr(target, "form", None)
        if not form or form.dataset.form != "routing" or not target.name:
            return
        rules, name = self._preferences.rules, str(target.name)
        match name:
            case "privacy":
                rules = replace(rules, privacy=cast(Privacy, str(target.value)))
            case "long":
                rules = routing_rules.with_long(rules, target.dataset.kind, bool(target.checked))
            case "always":
                rules = routing_rules.always(rules, target.dataset.kind, str(target.value))
            case _:
                return await self._typed(name, str(target.value))
        await self._save(rules)
        if name == "always":
            self._draw(target.dataset.kind)
            by_id(target.id).focus()
        self._tell(self._candil.text(self._said))

    async def _typed(self, name: str, text: str) -> None:
        language = self._candil.page.language
        wrong = ""
        try:
            await self._save(routing_rules.typed(self._preferences.rules, name, text))
        except ValueError:
            wrong = language.text("route.wrong", most=language.number(routing_rules.MOST[name]))
        by_id(f"route-{name}-wrong").textContent = wrong
        by_id(f"route-{name}").setAttribute("aria-invalid", "true" if wrong else "false")
        self._tell("" if wrong else language.text(self._said))
        if name == "long_words" and not wrong:
            for each in KINDS:
                self._draw(each)

    def _draw(self, kind: Kind) -> None:
        inside = view.kind_inside(kind, self._preferences.rules, self._models, self._candil.page.language)
        by_id(f"route-{kind}").innerHTML = inside

    # ---- under an answer ----

    async def _always(self, button: Any) -> None:
        kind, key, entry_id = cast(Kind, button.dataset.kind), str(button.dataset.key), str(button.dataset.id)
        language, routed = self._candil.page.language, self._candil.page.routed(entry_id)
        await self._router.always(kind, key)
        candidates = [each for each in (routed.decision.choice, *routed.decision.others) if each and each.key == key]
        for each in candidates:
            told = language.text("route.always.saved", title=each.title, kind=language.text(f"route.kind.{kind}"))
            self._candil.page.announce(told)
            if each is not routed.decision.choice:
                self._candil.app.answer_by(entry_id, key)

    # ---- small parts ----

    async def _save(self, rules: Rules) -> None:
        self._said = "settings.saved"
        try:
            await self._preferences.save_rules(rules)
        except StorageError:
            self._said = "settings.not_kept"

    def _tell(self, sentence: str) -> None:
        if by_id("panel").open:
            by_id("panel-status").textContent = sentence

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
