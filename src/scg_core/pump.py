"""Does due work; the only caller of the outward ports.

Nothing here decides: each piece of work is a use case in a transaction of its own, and what a
transport says between two transactions is written down by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, Final, Protocol

from scg_core.calling.steps.charging import METER
from scg_core.calling.steps.commanding import LINE, LOOK
from scg_core.consent.usecases.statuses import PROMPT
from scg_core.contacts.steps.members import EMPTY_GROUP, FILL_GROUP
from scg_core.contacts.usecases.fastaccess import DERIVE, derive_page
from scg_core.contacts.usecases.filling import empty_group, fill_group
from scg_core.contacts.usecases.importing import DROP_FAILURES, drop_failures
from scg_core.courier import Courier
from scg_core.events.outbox import DELIVER, GIVE_UP
from scg_core.events.settings import EventSettings
from scg_core.events.usecases.delivering import give_up_page
from scg_core.events.usecases.envelopes import REPLAY, drop_envelopes, replay_page
from scg_core.events.usecases.subscriptions import DROP_ENVELOPES
from scg_core.kernel.codec import read_text
from scg_core.kernel.errors import (
    InvalidField,
    LeaseLost,
    StorageUnavailable,
    TransportUnavailable,
)
from scg_core.kernel.instant import Instant, later
from scg_core.messaging.model import WorkKind
from scg_core.messaging.rules.retry import retry_at
from scg_core.messaging.steps.soundness import sound
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.translating import (
    LEASE,
    Task,
    give_up,
    keep_translation,
    task_of,
)
from scg_core.messaging.usecases.inbound import reassemble
from scg_core.messaging.usecases.prepare import forget_recipients, prepare_page
from scg_core.messaging.usecases.prompt import send_prompt
from scg_core.messaging.usecases.pruning import (
    PRUNE,
    PRUNE_MESSAGES,
    Pruner,
    prune,
    prune_messages,
)
from scg_core.messaging.usecases.resume import resume_page
from scg_core.messaging.usecases.sweep import sweep_page
from scg_core.messaging.usecases.transmit import (
    LaneFailed,
    Submission,
    claim,
    rest_failed_lane,
    settle,
)
from scg_core.ports.clock import Clock
from scg_core.ports.events import EVENTS
from scg_core.ports.message_transport import (
    Answer,
    Capabilities,
    MessageTransport,
    Outcome,
)
from scg_core.ports.storage import Storage, Work
from scg_core.ports.translator import Translated, Translator
from scg_core.ports.voice_transport import VoiceTransport
from scg_core.ports.watch import UNWATCHED, Watch
from scg_core.senders.steps.retiring import RETIRE
from scg_core.senders.usecases.retire import retire_when_idle
from scg_core.streaming import Files
from scg_core.switchboard import Switchboard
from scg_core.templates.rules.language import LONGEST
from scg_core.unit import Unit

log: Final = logging.getLogger("scg_core.pump")

WINDOWS_A_ROUND: Final = 4
NO_SWITCHES: Final[Mapping[str, VoiceTransport]] = MappingProxyType({})
NO_TIMERS: Final[Mapping[str, Callable[[Unit, Work], None]]] = MappingProxyType({})
EVENT_SETTINGS: Final = EventSettings()
NO_PRUNERS: Final[Mapping[str, Pruner]] = MappingProxyType({})
NOBODY: Final = Translated(failure="the engine has no translator")

Begin = Callable[[str], AbstractContextManager[Unit]]
Round = Generator[str, None, tuple[int, Instant | None]]


class _Mover(Protocol):
    """Does due work whose middle lies between two transactions."""

    @property
    def kinds(self) -> Collection[str]: ...

    def plan(self, unit: Unit, work: Work) -> Any: ...

    def do(self, task: Any) -> Generator[str, None, None]: ...


class Pump:
    """Takes what is due, a page at a time, until there is no more or the limit is reached."""

    def __init__(
        self,
        storage: Storage,
        transports: Mapping[str, MessageTransport],
        clock: Clock,
        sources: Sources,
        begin: Begin,
        translator: Translator | None = None,
        files: Files | None = None,
        switchboard: Switchboard | None = None,
        switches: Mapping[str, VoiceTransport] = NO_SWITCHES,
        timers: Mapping[str, Callable[[Unit, Work], None]] = NO_TIMERS,
        courier: Courier | None = None,
        watch: Watch = UNWATCHED,
        pruned: Mapping[str, Pruner] = NO_PRUNERS,
        event_settings: EventSettings = EVENT_SETTINGS,
    ) -> None:
        self._storage = storage
        self._transports = transports
        self._capabilities: dict[str, Capabilities] = {
            name: transport.capabilities for name, transport in transports.items()
        }
        self._clock = clock
        self._settings = sources.settings
        self._sources = sources
        self._begin = begin
        self._translator = translator
        self._work: dict[str, Callable[[Unit, Work], None]] = {
            WorkKind.PREPARE: lambda unit, work: prepare_page(unit, work, sources),
            WorkKind.SWEEP: sweep_page,
            WorkKind.EXPIRE: sweep_page,
            WorkKind.PAUSE_EXPIRY: sweep_page,
            WorkKind.RESUME: resume_page,
            WorkKind.FORGET: forget_recipients,
            WorkKind.REASSEMBLE: lambda unit, work: reassemble(unit, work, sources),
            PROMPT: lambda unit, work: send_prompt(unit, work, sources),
            RETIRE: retire_when_idle,
            FILL_GROUP: fill_group,
            EMPTY_GROUP: empty_group,
            DERIVE: derive_page,
            DROP_FAILURES: drop_failures,
            DROP_ENVELOPES: drop_envelopes,
            GIVE_UP: lambda unit, work: give_up_page(unit, work, event_settings),
            PRUNE_MESSAGES: prune_messages,
            REPLAY: replay_page,
            **timers,
        }
        self._movers: tuple[_Mover, ...] = tuple(
            one for one in (files, switchboard, courier) if one is not None
        )
        self._courier = courier
        self._watch = watch
        self._to_prune = tuple(pruned)
        self._switchboard = switchboard
        self._polled: dict[str, MessageTransport | VoiceTransport] = {**transports, **switches}
        self._told: Instant | None = None
        self._kinds = [*self._work, *(files.kinds if files is not None else ())]
        if pruned:  # what another engine dropped is nobody's business here
            self._work[PRUNE] = lambda unit, work: prune(unit, work, pruned)
            self._kinds.append(PRUNE)
        self._by_itself = () if translator is None else (WorkKind.TRANSLATE,)
        if translator is None:  # one that asked for a translation before must not wait for ever
            self._work[WorkKind.TRANSLATE] = lambda unit, work: give_up(unit, work, NOBODY)
            self._kinds.append(WorkKind.TRANSLATE)

    def run_due(self, limit: int, connectors: Collection[str] | None = None) -> Instant | None:
        """Do up to ``limit`` pieces of due work; when to call again, or None if nothing waits.

        ``connectors`` are the transports to serve and ``events``, all if not given.
        """
        mine, tells = self._capabilities, True
        if connectors is not None:
            tells = EVENTS in connectors and self._courier is not None
            for name in connectors:
                if name not in mine and not (tells and name == EVENTS):
                    raise InvalidField("connectors", f"there is no transport {name!r}")
            mine = {name: mine[name] for name in connectors if name in mine}
        self._begin_to_prune()
        kinds = self._kinds_for(mine, tells=tells)
        done = 0
        while done < limit:
            moved, polled = _drained(self.round(mine, kinds))
            self._told = polled
            done += moved
            if not moved:
                return self._next(mine, kinds, polled)
        return self._clock.now()

    def _begin_to_prune(self) -> None:
        """Once a process: have it looked for what is too old, if the host wants that."""
        if self._to_prune:
            with self._begin("begin to prune") as unit:
                for what in self._to_prune:
                    unit.later(PRUNE, what, unit.now)
            self._to_prune = ()

    def round(
        self, connectors: Mapping[str, Capabilities], kinds: Collection[str] | None = None
    ) -> Round:
        """Poll the transports, do one piece of work, hand one window over.

        A generator that pauses between any two port calls, with a name for each pause; a
        scheduler may let other workers run there, or end this one as a crash would. Its value is
        how many pieces were done, and when a transport wants to be polled again.
        """
        yield "poll"
        polled = self._poll(connectors)
        yield "work"
        kinds = kinds or self._kinds_for(connectors)
        moved = yield from self._do_work([one for one in kinds if one not in self._by_itself])
        if self._translator is not None:
            moved += yield from self._translate(self._translator)
        if connectors:
            yield "claim"
            moved += yield from self._transmit(connectors)
        return moved, polled

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        """What each transport declared."""
        return self._capabilities

    def _poll(self, connectors: Collection[str]) -> Instant | None:
        waits = [self._poll_one(name) for name in connectors]
        return min((wait for wait in waits if wait is not None), default=None)

    def _poll_one(self, name: str) -> Instant | None:
        """Poll a transport; one that breaks is polled again soon and stops nobody else."""
        now = self._clock.now()
        try:
            due = self._polled[name].poll(now)
            return None if due is None else Instant(max(due, now + 1))
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("the transport %s failed when it was polled", name)
            return later(now, self._settings.throttle_pause)

    def _next(
        self, connectors: Collection[str], kinds: Collection[str], polled: Instant | None
    ) -> Instant | None:
        """When there is something to do: a full window waits for its attempts to end."""
        now = self._clock.now()
        waits = [polled]
        with self._storage.snapshot() as session:
            free = []
            for name in connectors:
                pending, until = session.pending(name, now)
                if pending < self._capabilities[name].window:
                    free.append(name)
                else:
                    waits.append(until)
            waits.append(session.next_due(free, kinds))
        return min((one for one in waits if one is not None), default=None)

    def only_what_recurs(self) -> bool:
        """Whether nothing waits but what recurs: looking for what is too old, trying receivers of
        events again, and as long as calls last looks and charges, and commands to a switch that
        could not be given just now."""
        if self._told is not None:
            return False
        kinds = self._kinds_for(self._capabilities)
        recurring = (PRUNE, DELIVER, *((METER,) if self._switchboard is not None else ()))
        passing = [o for o in kinds if o not in recurring and not o.startswith((LINE, LOOK))]
        with self._storage.snapshot() as session:
            return session.next_due(list(self._capabilities), passing) is None

    def _kinds_for(self, connectors: Collection[str], *, tells: bool = True) -> list[str]:
        """The kinds of due work to look for: of switches those that are served.

        ``tells``: events are delivered too.
        """
        translates = [WorkKind.TRANSLATE] if self._translator is not None else []
        voice = () if self._switchboard is None else self._switchboard.kinds_of(connectors)
        told = self._courier.kinds if tells and self._courier is not None else ()
        return [*self._kinds, *translates, *voice, *told]

    def due(self) -> Instant | None:
        """The earliest instant at which anything is due that this engine does."""
        with self._storage.snapshot() as session:
            kinds = self._kinds_for(self._capabilities)
            return session.next_due(list(self._capabilities), kinds)

    def attend(self, connector: str, line: str) -> bool:
        """Do the due work of one call, bridge or conference; whether there was any."""
        if self._switchboard is None:
            return False
        done = _exhausted(self._do_work([LINE + connector], line))
        self._poll_one(connector)
        return bool(done)

    def _do_work(self, kinds: Collection[str], key: str | None = None) -> Generator[str, None, int]:
        """Do one piece of work; one that fails is put off, so that it stops nobody else."""
        work: Work | None = None
        try:
            with self._begin("work") as unit:
                lease_until = later(unit.now, self._settings.lease)
                work = unit.session.claim(kinds, unit.now, lease_until, key)
                if work is None:
                    return 0
                mover = next((one for one in self._movers if work.kind in one.kinds), None)
                task = None if mover is None else mover.plan(unit, work)
                if mover is None:
                    self._work[work.kind](unit, work)
            if task is not None and mover is not None:
                yield from mover.do(task)
        except LeaseLost as lost:
            log.warning("work went on after its lease had run out: %s", lost.work)
        except Exception as reason:
            if work is None or isinstance(reason, StorageUnavailable):
                raise
            log.exception("%s of %s failed and is put off", work.kind, work.key)
            with self._begin("put off") as unit:
                due = retry_at(unit.now, work.attempt, 0, self._settings)
                unit.session.put_off(work, due)
        return 1

    def _translate(self, translator: Translator) -> Generator[str, None, int]:
        """Translate one text; whatever the translator does, the message is sent in the end."""
        yield "claim translation"
        with self._begin("claim translation") as unit:
            lease_until = later(unit.now, LEASE)
            work = unit.session.claim([WorkKind.TRANSLATE], unit.now, lease_until)
            task = task_of(unit, work) if work is not None else None
            if work is not None and task is None:
                give_up(unit, work)
        if work is None or task is None:
            return int(work is not None)
        yield "translate"
        answer = _translation(translator, task)
        yield "keep translation"
        try:
            with self._begin("keep translation") as unit:
                keep_translation(unit, work, task, answer)
        except LeaseLost as lost:
            log.warning("a translation came after its lease had run out: %s", lost.work)
        return 1

    def _transmit(self, connectors: Mapping[str, Capabilities]) -> Generator[str, None, int]:
        """Hand some windows over; what settles one claims the next, which saves a commit."""
        submission = self._claim(connectors)
        for number in range(1, WINDOWS_A_ROUND + 1):
            if submission is None:
                return number - 1
            held = submission
            yield "submit"
            answers = self._submit(held)
            yield "settle"
            try:
                with self._begin("settle") as unit:
                    self._settle(unit, held, answers)
                    more = number < WINDOWS_A_ROUND
                    submission = claim(unit, connectors, self._sources) if more else None
            except LaneFailed as failed:
                with self._begin("settle") as unit:  # again: what was answered stands
                    self._settle(unit, held, answers)
                self._rest(failed)
                return number
            except LeaseLost as lost:
                log.warning("answers came after their lease had run out: %s", lost.work)
                return number
        return WINDOWS_A_ROUND

    def _claim(self, connectors: Mapping[str, Capabilities]) -> Submission | None:
        """Claim a window; a lane that cannot be judged rests, so that it stops nobody else."""
        for _ in range(WINDOWS_A_ROUND):
            try:
                with self._begin("claim") as unit:
                    return claim(unit, connectors, self._sources)
            except LaneFailed as failed:
                self._rest(failed)
        return None

    def _rest(self, failed: LaneFailed) -> None:
        log.error("the messages of lane %s could not be judged", failed.lane_id, exc_info=failed)
        with self._begin("put off") as unit:
            rest_failed_lane(unit, failed.lane_id, self._settings)

    def _settle(self, unit: Unit, submission: Submission, answers: Sequence[Answer]) -> None:
        capabilities = self._capabilities[submission.connector]
        settle(unit, submission, answers, capabilities, self._sources)

    def _submit(self, submission: Submission) -> Sequence[Answer]:
        """Hand a window over, and ask about attempts whose outcome is unknown."""
        transport, now = self._transports[submission.connector], self._clock.now()
        attempts, questions = submission.attempts, submission.questions
        name = submission.connector
        put_off, unknown = Answer(Outcome.UNREACHED), Answer(Outcome.UNKNOWN)
        with self._watch.span("submit", connector=name, messages=len(attempts)):
            sent = _answers(name, len(attempts), put_off, lambda: transport.submit(attempts, now))
        told = _answers(name, len(questions), unknown, lambda: transport.query(questions, now))
        return [*sent, *told]


def _translation(translator: Translator, task: Task) -> Translated:
    """What a translator makes of a text; one that breaks has failed."""
    try:
        [answer] = translator.translate([task.text], task.source, task.target)
    except Exception:
        log.exception("the translator failed")
        return Translated(failure="the translator failed")
    if not isinstance(answer, Translated) or (answer.text is None) == (answer.failure is None):
        return Translated(failure="the translator gave no text")
    try:
        if answer.text is None:
            return Translated(failure=read_text("failure", answer.failure)[:255])
        return Translated(read_text("text", answer.text, most=LONGEST))
    except InvalidField as wrong:
        return Translated(failure=f"the translator gave no text that can be sent: {wrong.rule}")


def _exhausted(pieces: Generator[str, None, int]) -> int:
    while True:
        try:
            next(pieces)
        except StopIteration as stop:
            return int(stop.value)


def _drained(pieces: Round) -> tuple[int, Instant | None]:
    while True:
        try:
            next(pieces)
        except StopIteration as stop:
            value: tuple[int, Instant | None] = stop.value
            return value


def _answers(
    connector: str, wanted: int, unreached: Answer, ask: Callable[[], Sequence[Answer]]
) -> Sequence[Answer]:
    """A transport's answers; one that breaks leaves the outcome unknown, not the pump broken.

    ``unreached`` is what it means that the transport could not be reached at all.
    """
    if not wanted:
        return ()
    try:
        answers = [sound(answer) for answer in ask()]
    except TransportUnavailable:
        return [unreached] * wanted
    except Exception:
        log.exception("the transport %s failed with attempts in hand", connector)
        return [Answer(Outcome.UNKNOWN)] * wanted
    if len(answers) != wanted:
        log.error("the transport %s left attempts without an answer", connector)
        return [Answer(Outcome.UNKNOWN)] * wanted
    return answers
