"""One bulk request from beginning to end, resumable: what ``scg demo`` and ``scg send`` do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from scg_core.engine import Application, Engine
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import MessageRequest
from scg_core.ports.clock import Clock

PAGE: Final = 5_000
FINISHED: Final = frozenset({RequestState.COMPLETED, RequestState.CANCELED, RequestState.REJECTED})

Progress = Callable[[MessageRequest], None]


def submit(
    application: Application,
    pages: Iterable[list[str]],
    key: str | None,
    progress: Progress,
    **fields: object,
) -> MessageRequest:
    """Create a request, append its recipients page by page, and accept it.

    With a ``key`` it can be called again after a crash with the same pages: it goes on where it
    was.
    """
    requests = application.message_requests
    request = requests.create(idempotency_key=key, **fields)
    start = 0
    if request.state is RequestState.SUBMITTED:
        for page in pages:
            request = requests.append_recipients(request.id, page, start=start)
            start += len(page)
            progress(request)
        request = requests.accept(request.id)
    return request


def run(
    engine: Engine, application: Application, request_id: str, clock: Clock, progress: Progress
) -> MessageRequest:
    """Do due work until the request is finished and its carrier has nothing more to bring."""
    while True:
        due = engine.run_due(20)
        request = application.message_requests.get(request_id)
        progress(request)
        if request.state in FINISHED and due is None:
            return request
        if due is not None and due > clock.now():
            clock.wait(min(due, type(due)(clock.now() + 250)))


def cut(recipients: Iterable[str], size: int = PAGE) -> Iterable[list[str]]:
    """Recipients in pages."""
    rest = iter(recipients)
    while page := list(islice(rest, size)):
        yield page
