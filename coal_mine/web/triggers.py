"""Triggers: /<id> and /coal-mine/v1/canary/trigger.

They are answered in the HTTP server's event loop and need no thread. To pass the interpreter from thread to thread takes longer than all
the rest of a trigger, and whoever needs a thread waits for the slow requests that hold them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from coal_mine.domain.canary import Entry, Triggered
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.pending import PendingTrigger, Tell
from coal_mine.domain.ports import TRIGGER_SECONDS
from coal_mine.domain.reserved import FIRST_SEGMENTS
from coal_mine.services.canaries import Canaries, Reference

from .auth import without_key
from .environ import Scope
from .parameters import REFERENCE, Parameters, pairs_of
from .responses import Answer, NotAllowed, json_answer

_T = TypeVar("_T")
_COMMAND = "/coal-mine/v1/canary/trigger"
_ID = re.compile("//?([a-z]{8})")  # two slashes where somebody's base URL ends in one; the predecessor took that too
# For triggers that name no id: the store is asked for it. They are kept apart from all other requests, which may be slow.
_THREADS = 8
_SWEEP_SECONDS = 1.0
# A trigger's answer is one of four; making them once spares the trigger path the work.
_ANSWERS = {
    (recovered, unpaused): json_answer({"status": "ok", "recovered": recovered, "unpaused": unpaused})
    for recovered in (False, True)
    for unpaused in (False, True)
}
_NAMELESS = Reference()
_NOTHING = Parameters([])


def _parameters(query: str) -> Parameters:
    return Parameters(without_key(pairs_of(query.encode("utf-8", "surrogateescape"))), *REFERENCE, "comment", "m")


class _Asked(PendingTrigger):
    """A trigger for which a client waits."""

    __slots__ = ("known",)

    def __init__(self, canary_id: str, entry: Entry, tell: Tell, expires: float, known: asyncio.Future[None]) -> None:
        super().__init__(canary_id, entry, tell, expires)
        self.known = known


class TriggerRoute:
    """Open to everybody; a key is accepted and ignored, a body is not read."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="trigger")
        self._waiting: list[_Asked] = []
        self._loop: asyncio.AbstractEventLoop
        self._time_is_known: asyncio.Future[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.call_later(_SWEEP_SECONDS, self._sweep)

    def reference_in(self, path: str) -> Reference | None:
        """The canary that the path names, or one without any name where the parameters have it; None: no trigger."""
        if path == _COMMAND:
            return _NAMELESS
        found = _ID.fullmatch(path)
        return Reference(id=found[1]) if found and found[1] not in FIRST_SEGMENTS else None

    async def answer(self, scope: Scope, reference: Reference) -> Answer:
        """Raises what error_answer knows."""
        if scope.method not in ("GET", "POST", "HEAD"):
            raise NotAllowed(scope.method, "GET,POST")
        expires = self._loop.time() + TRIGGER_SECONDS
        given = _parameters(scope.query_string) if scope.query_string else _NOTHING
        if not self._canaries.knows_time:
            await self._within(expires, self._until_time_is_known())
        entry = self._canaries.arrival(given.text("comment") or given.text("m") or "")
        canary_id = reference.id or given.text("id")
        if not canary_id:
            canary_id = await self._within(expires, self._id_of(given.reference()))
        found = await self._committed(_Asked(canary_id, entry, self._told, expires, self._loop.create_future()))
        return _ANSWERS[found.recovered, found.unpaused]

    async def _within(self, expires: float, waiting: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout_at(expires):
                return await waiting
        except TimeoutError:
            raise _too_late() from None

    async def _id_of(self, reference: Reference) -> str:
        return await self._loop.run_in_executor(self._threads, self._canaries.id_of, reference)

    async def _committed(self, asked: _Asked) -> Triggered:
        self._canaries.trigger(asked)
        self._waiting.append(asked)
        await asked.known
        if asked.outcome is None:
            raise asked.error or StoreUnavailable("the trigger was not committed")
        return asked.outcome

    def _told(self, known: list[PendingTrigger]) -> None:
        """In the store's thread."""
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self._loop.call_soon_threadsafe(self._settle, known)

    def _settle(self, known: list[PendingTrigger]) -> None:
        for asked in known:
            if isinstance(asked, _Asked) and not asked.known.done():
                asked.known.set_result(None)
        if any(asked.outcome and asked.outcome.recovered for asked in known):
            self._canaries.alert_owed()

    def _sweep(self) -> None:
        """Let nobody wait longer than promised, whatever the store does."""
        now = self._loop.time()
        self._waiting = [asked for asked in self._waiting if not asked.known.done()]
        for asked in self._waiting:
            if asked.expires <= now:
                asked.known.set_exception(_too_late())
        self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    async def _until_time_is_known(self) -> None:
        """One thread waits for all. Raises StoreUnavailable."""
        joins = self._time_is_known is not None and not self._time_is_known.done()
        try:
            await self._time()
        except StoreUnavailable:
            if not joins:
                raise
            await self._time()  # who was there first has waited long enough, but we have not

    def _time(self) -> asyncio.Future[None]:
        if self._time_is_known is None or self._time_is_known.done():
            self._time_is_known = self._loop.run_in_executor(None, self._canaries.wait_for_time)
        return asyncio.shield(self._time_is_known)


def _too_late() -> StoreUnavailable:
    return StoreUnavailable(f"the trigger could not be committed within {TRIGGER_SECONDS:g} seconds")
