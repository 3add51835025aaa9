"""The engine with everything embedded: an SQLite file, the system's clock, the number tables."""

from __future__ import annotations

from collections.abc import Mapping

from scg_adapters.blobs.directory import DirectoryBlobs
from scg_adapters.blobs.memory import MemoryBlobs
from scg_adapters.patterns.posix import PosixPatterns
from scg_adapters.places.numbers import NumberPlaces
from scg_adapters.storage.memory import MemoryStorage
from scg_adapters.storage.sqlite import SqliteStorage
from scg_adapters.system import SystemClock, SystemIds
from scg_core.calling.settings import CallSettings
from scg_core.engine import Engine
from scg_core.engine.front import NO_TRANSPORTS
from scg_core.events.settings import EventSettings
from scg_core.kernel.errors import InvalidField
from scg_core.messaging.settings import Settings
from scg_core.ports.blobs import Blobs
from scg_core.ports.clock import Clock
from scg_core.ports.events import Events
from scg_core.ports.ids import Ids
from scg_core.ports.message_transport import MessageTransport
from scg_core.ports.storage import Storage
from scg_core.ports.translator import Translator
from scg_core.ports.voice_transport import VoiceTransport
from scg_core.ports.watch import UNWATCHED, Watch
from scg_core.pump import NO_SWITCHES

_SQLITE = "sqlite:///"


def open_storage(url: str, *, longest_read: float | None = None) -> Storage:
    """The storage a URL names: ``sqlite:///FILE``, ``sqlite:///:memory:`` or ``memory:``.

    A read on SQLite that takes ``longest_read`` seconds is given up with ``TooBroad``.

    Raises:
        InvalidField: no adapter knows the URL.
        ForeignStorage: the file is damaged, another program's, or from a newer version.
    """
    if url == "memory:":
        return MemoryStorage()
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return SqliteStorage(url.removeprefix(_SQLITE), longest_read=longest_read)
    raise InvalidField("db", "write sqlite:///FILE or memory:")


def open_blobs(url: str) -> Blobs:
    """Where files lie beside a storage: in ``FILE.blobs``, or in memory with what is in memory."""
    path = url.removeprefix(_SQLITE)
    if url == "memory:" or path == ":memory:":
        return MemoryBlobs()
    return DirectoryBlobs(f"{path}.blobs")


def open_engine(
    url: str,
    transports: Mapping[str, MessageTransport] = NO_TRANSPORTS,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    settings: Settings | None = None,
    translator: Translator | None = None,
    blobs: Blobs | None = None,
    voice: Mapping[str, VoiceTransport] = NO_SWITCHES,
    call_settings: CallSettings | None = None,
    longest_read: float | None = None,
    events: Events | None = None,
    event_settings: EventSettings | None = None,
    watch: Watch = UNWATCHED,
) -> Engine:
    """An engine on the storage that the URL names, with the usual adapters for the rest.

    Events are delivered by ``events``: a ``CallbackEvents``, or ``WebhookEvents``.
    A list call that takes ``longest_read`` seconds is given up with ``TooBroad``.
    """
    return Engine(
        storage=open_storage(url, longest_read=longest_read),
        transports=transports,
        clock=clock or SystemClock(),
        ids=ids or SystemIds(),
        places=NumberPlaces(),
        patterns=PosixPatterns(),
        settings=settings,
        translator=translator,
        blobs=blobs or open_blobs(url),
        voice=voice,
        call_settings=call_settings,
        events=events,
        event_settings=event_settings,
        watch=watch,
    )
