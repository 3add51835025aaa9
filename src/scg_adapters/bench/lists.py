"""Pages of a list of messages, with filters and orders, at a thousand messages and at many.

Everything is asked through the library, as the REST adapter asks, and each page is made into JSON.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from scg_adapters import bulk
from scg_adapters.bench.pipeline import folder_or_temporary, numbers
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core.engine import Application
from scg_core.kernel import codec
from scg_core.kernel.query import Between, Page, Prefix
from scg_core.messaging.model import Message

_FEW: Final = 1_000
_SMALL: Final = 100
_REQUESTS: Final = 10
_AGAIN: Final = 5


@frozen
class Question:
    """A list call: what it filters by, how it sorts, and how much it passes over."""

    name: str
    filters: dict[str, object]
    sort: str | None = None
    offset: int = 0
    limit: int = 100


def measure(messages: int, folder: Path | None = None) -> dict[str, Any]:
    """Milliseconds of each question at a thousand messages and at ``messages``, and the ratio."""
    figures: dict[str, Any] = {}
    with folder_or_temporary(folder) as place:
        few = _measured(place / "few", _FEW)
        many = _measured(place / "many", messages)
    for name, before in few.items():
        figures[f"{name}: {_FEW:,}"] = before
        figures[f"{name}: {messages:,}"] = many[name]
        figures[f"{name}: ratio"] = many[name] / before
    return figures


def _measured(place: Path, messages: int) -> dict[str, float]:
    """The questions of the company with that many messages, and of a small one beside it."""
    large, small = _filled(place, messages)
    beside = {f"{name}, of a small company": ms for name, ms in _timed(small, _SMALL).items()}
    return _timed(large, messages) | beside


def _filled(place: Path, messages: int) -> tuple[Application, Application]:
    """A company that has sent that many messages in ten requests, of which some failed; beside it
    one that has sent a hundred."""
    place.mkdir(exist_ok=True)
    clock = SystemClock()
    behaviour = Behaviour(delay=1, spread=100, refuse=0.001)
    carrier = LoopbackCarrier(behaviour=behaviour, log=place / "carrier")
    engine = open_engine(f"sqlite:///{place}/scg.db", {"loopback": carrier}, clock=clock)
    app = engine.application("bench", 1)
    small = engine.application("small", 1)
    if small.message_requests.find():
        return app, small
    sender = engine.operator().add_sender_id("bench", address="55512", country="USA")
    every = numbers(messages)
    for at in range(_REQUESTS):
        some = [number for number, _ in zip(every, range(messages // _REQUESTS), strict=False)]
        request = bulk.submit(
            app, bulk.cut(some), None, lambda _: None, from_=sender.id, external_id=f"r{at}",
            campaign_id=f"c{at}", body="Your parcel arrives today between 14:00 and 16:00.",
        )  # fmt: skip
        bulk.run(engine, app, request.id, clock, lambda _: None)
    sender = engine.operator().add_sender_id("small", address="55513", country="USA")
    request = small.message_requests.create(
        from_=sender.id, body="hello", to=list(numbers(_SMALL)), campaign_id="c7", external_id="r"
    )
    bulk.run(engine, small, request.id, clock, lambda _: None)
    return app, small


def questions(app: Application, messages: int) -> list[Question]:
    """What is asked: what clients ask often, and the worst that they can ask."""
    request = app.message_requests.find(sort="-created_date")[0]
    one = app.messages.find(limit=1, offset=messages // 3)[0]
    created = request.created_date
    return [
        Question("first page", {}),
        Question("second page", {}, offset=100),
        Question("first page, newest first", {}, "-created_date"),
        Question("first page by id", {}, "id"),
        Question("a page of 1,000", {}, limit=1000),
        Question("by id", {"id": one.id}),
        Question("by address", {"to_address": one.to_address}),
        Question("by request", {"message_request_id": request.id}),
        Question("by request and state", {"message_request_id": request.id, "state": "FAILED"}),
        Question("by state FAILED", {"state": "FAILED"}),
        Question("by state DELIVERED", {"state": "DELIVERED"}),
        Question("by state CREATED, none", {"state": "CREATED"}),
        Question("by campaign", {"campaign_id": "c7"}),
        Question("by campaign, none", {"campaign_id": "none"}),
        Question("created in a range", {"created_date": Between(created, None)}),
        Question("by the beginning of an address", {"to_address": Prefix("+12015")}),
        Question("by the beginning of a text, none", {"body": Prefix("none")}),
        Question("by two fields, none", {"type": "MMS", "direction": "MO"}),
        Question("sorted by last_updated_date", {}, "-last_updated_date"),
        Question("sorted by a text", {}, "to_address"),
        Question("in the middle", {}, offset=messages // 2),
        Question("at the end", {}, offset=messages * 9 // 10),
        Question("at the end, newest first", {}, "-created_date", offset=messages * 9 // 10),
        Question("past the end", {}, offset=messages + 100),
    ]


def _timed(app: Application, messages: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in questions(app, messages):
        spent = []
        for _ in range(_AGAIN):
            began = time.perf_counter()
            page: Page[Message] = app.messages.page(
                one.filters, sort=one.sort, limit=one.limit, offset=one.offset
            )
            for message in page.items:
                codec.write(message)
            spent.append((time.perf_counter() - began) * 1000)
            if sum(spent) > 5_000:
                break
        found[one.name] = statistics.median(spent)
    return found
