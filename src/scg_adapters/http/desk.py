"""Runs the library's calls for the server: reads on a few threads, writes in one commit.

The event loop never waits for the storage. Writes that arrive while others are being made durable
are taken together into the next commit, each a transaction of its own; nobody is answered before
the commit. How many may wait is bounded.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from scg_adapters.http.answers import Overloaded
from scg_core.engine import Engine
from scg_core.kernel.errors import StorageUnavailable

T = TypeVar("T")

log: Final = logging.getLogger("scg_adapters.http")

_BATCH: Final = 64
_PATIENCE: Final = 2.0
_LONGEST: Final = 0.01
_Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]
_Outcome = tuple[Any, BaseException | None]


class Desk:
    """Where requests wait for the library.

    ``threads`` read at once; ``most`` requests of each kind may wait, more are told to come back.
    ``streams`` files move at once, so that slow clients hold up nobody but each other.
    """

    def __init__(
        self, engine: Engine, *, threads: int = 4, most: int = 1_000, streams: int = 16
    ) -> None:
        self._engine = engine
        self._most = most
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="scg-http-read")
        self._streams = ThreadPoolExecutor(streams, thread_name_prefix="scg-http-file")
        self._callers = ThreadPoolExecutor(threads, thread_name_prefix="scg-http-call")
        self._attending = 0
        self._most_streams = streams * 4
        self._streaming = 0
        self._reading = 0
        self._waiting: deque[_Job] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer = threading.Thread(target=self._write_on, name="scg-http-write", daemon=True)
        self._started = False

    async def read(self, do: Callable[[], T]) -> T:
        """Do a call that changes nothing.

        Raises:
            Overloaded: too many wait already.
        """
        if self._reading >= self._most:
            raise Overloaded()
        self._reading += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, do)
        finally:
            self._reading -= 1

    async def stream(self, do: Callable[[], T], *, admitted: bool = False) -> T:
        """Do a call that moves a file; one that is ``admitted`` is not refused.

        Raises:
            Overloaded: too many are moving already.
        """
        if self._streaming >= self._most_streams and not admitted:
            raise Overloaded()
        self._streaming += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._streams, do)
        finally:
            self._streaming -= 1

    async def write(self, do: Callable[[], T]) -> T:
        """Do a call that changes something; what it returns is durable by then.

        Raises:
            Overloaded: too many wait already.
        """
        if len(self._waiting) >= self._most:
            raise Overloaded()
        if not self._started:
            self._started = True
            self._writer.start()
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append((do, future))
        self._wake.set()
        return await future

    async def attend(self, id: str) -> None:
        """Let what is due on a call, bridge or conference be done, for as long as a person waits.

        It is help, no more: what fails, or takes too long, is done by the worker.
        """
        if self._attending >= self._most_streams:
            return
        self._attending += 1
        done = asyncio.get_running_loop().run_in_executor(self._callers, self._attend, id)
        done.add_done_callback(self._attended)
        await asyncio.wait([done], timeout=_PATIENCE)

    def _attend(self, id: str) -> None:
        try:
            self._engine.attend(id)
        except Exception:
            log.exception("what is due on a call is left to the worker")

    def _attended(self, _: object) -> None:
        self._attending -= 1

    def close(self) -> None:
        """Finish what waits and end the threads."""
        self._closing = True
        self._wake.set()
        if self._started:
            self._writer.join(10)
        self._readers.shutdown(wait=True, cancel_futures=True)
        self._streams.shutdown(wait=True, cancel_futures=True)
        self._callers.shutdown(wait=True, cancel_futures=True)

    def _write_on(self) -> None:
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._wake.wait()
                self._wake.clear()
                continue
            jobs, outcomes = self._together()
            loop = self._loop
            if loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, jobs, outcomes)

    def _together(self) -> tuple[list[_Job], list[_Outcome]]:
        """Do as many waiting calls as fit into one commit."""
        jobs: list[_Job] = []
        outcomes: list[_Outcome] = []
        try:
            with self._engine.together():
                until = time.monotonic() + _LONGEST
                while self._waiting and len(jobs) < _BATCH and time.monotonic() < until:
                    jobs.append(self._waiting.popleft())
                    outcomes.append(_outcome(jobs[-1][0]))
        except BaseException as failed:
            if not jobs:  # the storage is not to be had: nobody need wait for that again
                jobs = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not isinstance(failed, Exception):
                failed = StorageUnavailable("the server is ending")
            outcomes = [(None, failed)] * len(jobs)
        return jobs, outcomes


def _outcome(do: Callable[[], Any]) -> _Outcome:
    try:
        return do(), None
    except Exception as failed:
        return None, failed


def _deliver(jobs: list[_Job], outcomes: list[_Outcome]) -> None:
    for (_, future), (value, failed) in zip(jobs, outcomes, strict=True):
        if future.cancelled():
            continue
        if failed is None:
            future.set_result(value)
        else:
            future.set_exception(failed)
