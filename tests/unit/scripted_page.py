"""A page that remembers what it was told to show."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyapp.app import Notice
from pyapp.chat.drafts import Draft
from pyapp.chat.shown import SessionEvent
from pyapp.routing.route import Routed
from pyapp.setup.state import SetupState


@dataclass
class ScriptedPage:
    composer: Draft = field(default_factory=Draft)
    busy: bool = False
    notice: Notice = None
    scrolled_to: str = ""
    states: list[SetupState] = field(default_factory=list)
    routed: dict[str, Routed] = field(default_factory=dict)
    events: list[SessionEvent] = field(default_factory=list)

    def show_setup(self, state: SetupState) -> None:
        self.states.append(state)

    def show_session(self, event: SessionEvent) -> None:
        self.events.append(event)

    def show_entry(self, entry_id: str) -> None:
        self.scrolled_to = entry_id

    def show_busy(self, busy: bool) -> None:
        self.busy = busy

    def show_notice(self, notice: Notice) -> None:
        self.notice = notice

    def show_routed(self, entry_id: str, routed: Routed) -> None:
        self.routed[entry_id] = routed

    def draft(self) -> Draft:
        return self.composer

    def set_draft(self, draft: Draft) -> None:
        self.composer = draft
