"""Throughput limits: how many may go now on several limits at once, and when the next may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scg_core.kernel.instant import Instant
from scg_core.ports.storage import Session
from scg_core.senders.rules.throughput import Grant, Limit


class Limits(Protocol):
    """Keeps what throughput limits remember; called within a transaction.

    An adapter that keeps it elsewhere than in the storage does not give back what a transaction
    that fails had taken: sending a little less is allowed, sending more is not.
    """

    def ask(
        self,
        session: Session,
        limits: Sequence[Limit],
        units: Sequence[int],
        now: Instant,
        *,
        spend: bool,
    ) -> Grant:
        """How many messages of these sizes, in order, may leave now under all the limits.

        With ``spend`` what is granted is taken, on all limits or on none; without, it is only
        told.

        Laws:
            - ``what_one_limit_refuses_no_limit_is_charged_for``
            - ``asking_without_spending_changes_nothing``
            - ``no_second_has_more_than_the_rate_and_the_burst``
            - ``a_message_may_go_when_it_was_said_that_it_may``
            - ``a_daily_number_is_asked_again_when_its_day_is_over``
            - ``two_that_share_a_limit_share_its_number``
        """
        ...

    def give_back(
        self, session: Session, limits: Sequence[Limit], given: Grant, units: int
    ) -> None:
        """Take back so many units of what was granted: they were never used.

        Laws:
            - ``what_is_given_back_of_a_day_may_be_taken_again``
            - ``a_rate_is_given_back_only_if_nobody_used_it_since``
        """
        ...
