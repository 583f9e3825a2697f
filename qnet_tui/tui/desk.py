"""All that touches the disk happens on one thread of its own, so that a busy database never freezes the screen.

The session is opened, used and closed on that thread (a database connection belongs to the thread that made it);
calls are done one after the other, in the order they were asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar


class Session(Protocol):
    """What a workflow hands out to a screen."""

    def close(self) -> None:
        """Give back what is held."""


S = TypeVar("S", bound=Session)
T = TypeVar("T")


class Desk(Generic[S]):
    """One session and its thread."""

    def __init__(self, open_session: Callable[[], S]) -> None:
        """Open the session now and wait for it; what it raises is raised here."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")
        try:
            self.session = self._thread.submit(open_session).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def ask(self, what: Callable[[S], T]) -> T:
        """Do ``what`` with the session on its thread, and return or raise what comes of it."""
        return await asyncio.wrap_future(self._thread.submit(what, self.session))

    def ask_now(self, what: Callable[[S], T]) -> T:
        """Do ``what`` and wait for it: for the end of the program, when there is no screen left to keep alive."""
        return self._thread.submit(what, self.session).result()

    def close(self) -> None:
        """Close the session and end the thread."""
        try:
            self.ask_now(lambda session: session.close())
        finally:
            self._thread.shutdown()
