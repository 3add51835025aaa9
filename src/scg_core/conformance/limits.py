"""What every ``Limits`` must do.

An adapter joins with a class that makes an empty one, and a storage to ask it within::

    class TestMyLimits(LimitsContract):
        def empty(self) -> tuple[Limits, Storage]:
            return MyLimits(...), my_storage()
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from scg_core.conformance.samples import NOW
from scg_core.kernel.gcra import Rate
from scg_core.kernel.instant import DAY, SECOND, Instant, later
from scg_core.ports.limits import Limits
from scg_core.ports.storage import Storage
from scg_core.senders.rules.throughput import Grant, Limit


class LimitsContract(ABC):
    """The laws of ``ports.limits``, one test each."""

    limits: Limits
    storage: Storage

    @abstractmethod
    def empty(self) -> tuple[Limits, Storage]:
        """Limits that nothing was taken of, and a storage."""

    def setup_method(self) -> None:
        """Each law begins with limits that nothing was taken of."""
        self.limits, self.storage = self.empty()

    def teardown_method(self) -> None:
        """Let go of the storage."""
        self.storage.close()

    def ask(
        self, limits: list[Limit], units: list[int], at: Instant = NOW, *, spend: bool = True
    ) -> Grant:
        """Ask in a transaction of its own."""
        with self.storage.transaction("ask") as session:
            return self.limits.ask(session, limits, units, at, spend=spend)

    def give_back(self, limits: list[Limit], given: Grant, units: int) -> None:
        """Give back in a transaction of its own."""
        with self.storage.transaction("give back") as session:
            self.limits.give_back(session, limits, given, units)

    def test_what_one_limit_refuses_no_limit_is_charged_for(self) -> None:
        """Three limits, of which the last lets one go: the others have lost one, not five."""
        wide, wider, narrow = Limit("wide", None, 6), Limit("wider", None, 6), Limit("n", None, 1)

        assert self.ask([wide, wider, narrow], [1] * 5).count == 1
        assert self.ask([wide], [1] * 9).count == 5
        assert self.ask([wider], [1] * 9).count == 5

    def test_asking_without_spending_changes_nothing(self) -> None:
        """Only what leaves is counted."""
        one = [Limit("one", Rate(2))]
        for _ in range(5):
            assert self.ask(one, [1] * 9, spend=False).count == 2
        assert self.ask(one, [1] * 9).count == 2
        held = self.ask(one, [1], spend=False)

        assert held.count == 0 and held.held_by == "one"
        assert held.next_at is not None and held.next_at > NOW

    def test_no_second_has_more_than_the_rate_and_the_burst(self) -> None:
        """Asked at every fiftieth of a second, with messages of one to three segments."""
        one, sent = [Limit("one", Rate(7.5, burst=2))], []
        for tick in range(250):
            at = later(NOW, tick * SECOND // 50)
            size = 1 + tick % 3
            sent += [(at, size)] * self.ask(one, [size], at).count
        for begin, _ in sent:
            inside = sum(size for at, size in sent if begin <= at < begin + SECOND)
            assert inside <= 7.5 + 3

        assert sum(size for _, size in sent) >= 5 * 7.5 * 0.8, "far less than the rate went"

    def test_a_message_may_go_when_it_was_said_that_it_may(self) -> None:
        """``next_at`` is kept: who comes back then is let through."""
        one = [Limit("one", Rate(0.5))]
        self.ask(one, [1])
        at = self.ask(one, [1]).next_at
        assert at is not None

        assert at <= later(NOW, 2 * SECOND), "far later than the rate asks for"
        assert self.ask(one, [1], at).count == 1

    def test_a_daily_number_is_asked_again_when_its_day_is_over(self) -> None:
        """Not before there is anything to be had, and not a day too late."""
        one = Limit("one", None, 1)
        self.ask([one], [1])

        assert self.ask([one], [1]).next_at == one.next_day(NOW)

    def test_two_that_share_a_limit_share_its_number(self) -> None:
        """What one has taken the other does not get; a limit of another key is another limit."""
        shared, first, second = Limit("all", None, 3), Limit("a", None, 9), Limit("b", None, 9)

        assert self.ask([first, shared], [1] * 2).count == 2
        assert self.ask([second, shared], [1] * 9).count == 1
        assert self.ask([second], [1] * 9).count == 8

    def test_what_is_given_back_of_a_day_may_be_taken_again(self) -> None:
        """On that day, all of it; the next one knows nothing of it."""
        all_of_it = [Limit("all of it", None, 3)]
        self.give_back(all_of_it, self.ask(all_of_it, [1] * 9), 3)
        assert self.ask(all_of_it, [1] * 9).count == 3
        one, tomorrow = [Limit("one", None, 3)], later(NOW, DAY)
        given = self.ask(one, [1] * 9)
        self.give_back(one, given, 2)
        assert self.ask(one, [1] * 9).count == 2
        assert self.ask(one, [1], tomorrow).count == 1
        self.give_back(one, given, 3)

        assert self.ask(one, [1] * 9, tomorrow).count == 2

    def test_a_rate_is_given_back_only_if_nobody_used_it_since(self) -> None:
        """Else two could leave closer together than the rate lets them."""
        one = [Limit("one", Rate(0.1))]
        given = self.ask(one, [1])
        self.give_back(one, given, 1)
        given = self.ask(one, [1])
        assert given.count == 1
        now = later(NOW, 12 * SECOND)
        assert self.ask(one, [1], now).count == 1
        self.give_back(one, given, 1)

        assert self.ask(one, [1], later(now, SECOND)).count == 0
