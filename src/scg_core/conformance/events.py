"""What every ``Events`` must do.

An adapter joins with a class that says how to make one, and who receives what it delivers::

    class TestMyEvents(EventsContract):
        def adapter(self) -> Events:
            return MyEvents(...)

        def receiver(self) -> Receiver:
            return my_receiver
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import pytest

from scg_core.conformance.samples import NOW
from scg_core.events.model import EventType, Topic
from scg_core.ports.events import Events, Parcel, Reception

_SECRET = "whsec-of-the-kit"
_ODD = '{"b" :1.0,"a":"\\u00e9 ö € 😀 \u2028","n":1e2,"event_id":"event-1","x":"' + "y" * 99_000
_LONGEST_CODE = 64
_INSIDE = (
    "http://169.254.169.254/latest",
    "http://10.1.2.3/",
    "http://[fe80::1]/",
    "ftp://a.example/",
)


class Receiver(Protocol):
    """Whoever is at the other end, under the test's control."""

    @property
    def url(self) -> str | None:
        """Where it listens, if the adapter delivers to URLs."""
        ...

    def arrived(self) -> Sequence[str]:
        """The bodies that arrived, in their order."""
        ...

    def answer(self, event_id: str, reception: Reception) -> None:
        """Answer one event so from now on; all others are TAKEN."""
        ...


def a_parcel(number: int, url: str | None, **changes: Any) -> Parcel:
    """An event on its way."""
    body = json.dumps({"event_id": f"event-{number}", "text": "größer & <b>"}, ensure_ascii=False)
    values: dict[str, Any] = {
        "url": url, "body": body, "subject": f"subject-{number}", "id": f"envelope-{number}",
        "event_id": f"event-{number}", "subscription_id": "subscription", "company_id": "acme",
        "topic": Topic.MESSAGE, "type": EventType.MESSAGE_STATE_CHANGE, "sequence": 1,
        "attempt": 1, "at": NOW, "facts": {"text": "größer"}, "secrets": (_SECRET,),
    }  # fmt: skip
    return Parcel(**(values | changes))


class EventsContract(ABC):
    """Subclass, say how to make an adapter and who receives, run pytest."""

    @abstractmethod
    def adapter(self) -> Events:
        """A new adapter that may deliver to the receiver."""

    @abstractmethod
    def receiver(self) -> Receiver:
        """A new receiver to which nothing was delivered."""

    def test_every_parcel_is_answered_in_order(self) -> None:
        """A reply for each, whatever became of it, and of nothing no reply."""
        adapter, receiver = self.adapter(), self.receiver()
        wanted = [Reception.TAKEN, Reception.LATER, Reception.REFUSED, Reception.TAKEN]
        for number, reception in enumerate(wanted):
            receiver.answer(f"event-{number}", reception)

        replies = adapter.deliver([a_parcel(n, receiver.url) for n in range(4)], NOW)

        assert [one.reception for one in replies] == wanted
        assert list(adapter.deliver([], NOW)) == []
        adapter.close()

    def test_what_is_taken_has_arrived_as_it_was_given(self) -> None:
        """Character for character, however odd and long, and once."""
        adapter, receiver = self.adapter(), self.receiver()
        parcel = a_parcel(1, receiver.url, body=_ODD + '"}\n')

        [reply] = adapter.deliver([parcel], NOW)

        assert reply.reception is Reception.TAKEN
        assert list(receiver.arrived()) == [parcel.body]
        adapter.close()

    def test_a_receiver_that_fails_is_to_be_tried_again(self) -> None:
        """What it did not take is not lost: the next try may succeed."""
        adapter, receiver = self.adapter(), self.receiver()
        receiver.answer("event-1", Reception.LATER)
        [first] = adapter.deliver([a_parcel(1, receiver.url)], NOW)
        receiver.answer("event-1", Reception.TAKEN)
        tried = len(receiver.arrived())
        parcel = a_parcel(1, receiver.url, attempt=2)
        [second] = adapter.deliver([parcel], NOW)

        assert (first.reception, second.reception) == (Reception.LATER, Reception.TAKEN)
        assert list(receiver.arrived())[tried:] == [parcel.body]
        adapter.close()

    def test_what_was_delivered_before_is_delivered_again(self) -> None:
        """Whoever asks for a replay has lost it."""
        adapter, receiver = self.adapter(), self.receiver()
        parcels = [a_parcel(1, receiver.url, attempt=attempt) for attempt in (1, 2)]
        replies = [*adapter.deliver(parcels[:1], NOW), *adapter.deliver(parcels[1:], NOW)]

        assert [one.reception for one in replies] == [Reception.TAKEN] * 2
        assert list(receiver.arrived()) == [one.body for one in parcels]
        adapter.close()

    def test_an_event_goes_to_each_subscription(self) -> None:
        """It is one event, and two parcels."""
        adapter, receiver = self.adapter(), self.receiver()
        parcels = [
            a_parcel(1, receiver.url, id=f"envelope-{at}", subscription_id=f"subscription-{at}",
                     body=f'{{"event_id": "event-1", "to": {at}}}')
            for at in (1, 2)
        ]  # fmt: skip
        replies = adapter.deliver(parcels, NOW)

        assert [one.reception for one in replies] == [Reception.TAKEN] * 2
        assert sorted(receiver.arrived()) == sorted(one.body for one in parcels)
        adapter.close()

    def test_replies_can_be_written_down(self) -> None:
        """Short codes, no negative waits, nothing secret; and it may be closed twice."""
        adapter, receiver = self.adapter(), self.receiver()
        for number, answer in enumerate((Reception.TAKEN, Reception.LATER, Reception.REFUSED)):
            receiver.answer(f"event-{number}", answer)
        replies = adapter.deliver([a_parcel(n, receiver.url) for n in range(3)], NOW)

        assert all(len(one.code or "") <= _LONGEST_CODE for one in replies)
        assert all(one.retry_after is None or one.retry_after >= 0 for one in replies)
        assert _SECRET not in repr(replies)
        adapter.close()
        adapter.close()

    def test_one_bad_receiver_spoils_no_other_parcel(self) -> None:
        """The others of its batch are delivered all the same."""
        adapter, receiver = self.adapter(), self.receiver()
        receiver.answer("event-0", Reception.LATER)
        receiver.answer("event-1", Reception.REFUSED)
        parcels = [a_parcel(number, receiver.url) for number in range(8)]

        replies = adapter.deliver(parcels, NOW)

        assert [one.reception for one in replies[2:]] == [Reception.TAKEN] * 6
        assert {one.body for one in parcels[2:]} <= set(receiver.arrived())
        adapter.close()

    @pytest.mark.parametrize("url", _INSIDE)
    def test_nothing_is_delivered_to_what_is_refused(self, url: str) -> None:
        """A URL that may not be subscribed with is not delivered to either."""
        adapter = self.adapter()
        if adapter.refusal(url) is not None:
            [reply] = adapter.deliver([a_parcel(1, url)], NOW)
            assert reply.reception is Reception.REFUSED
        adapter.close()

    def test_a_batch_of_the_declared_size_is_taken(self) -> None:
        """And it is at least one."""
        adapter, receiver = self.adapter(), self.receiver()
        size = adapter.capabilities.batch

        waiting = [a_parcel(n, receiver.url) for n in range(size)]
        while waiting:  # what was not begun within its patience is UNTRIED, and comes again
            replies = [one.reception for one in adapter.deliver(waiting, NOW)]
            taken = replies.count(Reception.TAKEN)
            assert taken and replies == [Reception.TAKEN] * taken + [Reception.UNTRIED] * (
                len(waiting) - taken
            )
            waiting = waiting[taken:]

        assert size >= 1 and adapter.capabilities.patience > 0
        wanted = [a_parcel(n, receiver.url).body for n in range(size)]
        assert sorted(receiver.arrived()) == sorted(wanted)
        assert adapter.refusal(receiver.url) is None
        adapter.close()
