"""Follows the end of the conversation unless the reader has scrolled away from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyodide.ffi import create_proxy

from pyapp.browser import focus

NEAR_PX = 64  # closer to the end than this counts as reading the end


class Follow:
    """`near_top` is called when the reader comes near the beginning of what is on the page."""

    def __init__(self, scroller: Any, jump: Any, near_top: Callable[[], None]) -> None:
        self._scroller = scroller
        self._jump = jump
        self._near_top = near_top
        self._following = True
        self._proxies = [create_proxy(self._scrolled), create_proxy(lambda _event: self.to_end(force=True))]
        scroller.addEventListener("scroll", self._proxies[0])
        jump.addEventListener("click", self._proxies[1])

    def to_end(self, *, force: bool = False) -> None:
        if force or self._following:
            self._following = True
            self._scroller.scrollTop = self._scroller.scrollHeight
        self._show_jump()

    def leave(self) -> None:
        """Another place is about to be read."""
        self._following = False

    def _scrolled(self, _event: Any) -> None:
        left = self._scroller.scrollHeight - self._scroller.scrollTop - self._scroller.clientHeight
        self._following = left < NEAR_PX
        self._show_jump()
        if self._scroller.scrollTop < self._scroller.clientHeight and not self._following:
            self._near_top()

    def _show_jump(self) -> None:
        with focus.kept(self._jump):
            self._jump.hidden = self._following

    @contextmanager
    def kept_place(self) -> Iterator[None]:
        """What is put above what is being read does not move it."""
        left = self._scroller.scrollHeight - self._scroller.scrollTop
        yield
        self._scroller.scrollTop = self._scroller.scrollHeight - left
