"""Decisions about pairs: who meets whom, who connects, which pairs there are (RFC 6544 sections 6.2 and 9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from conformance.agent.decisions.topic import Topic
from conformance.agent.pairs import meets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Local
    from conformance.agent.config import StreamPlan
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Stream
    from conformance.wire.candidate import Candidate


class Pairs(Protocol):
    """The pairs of a check list, best first, and how many were discarded of it."""

    pairs: list[Pair]
    discarded: int


List = TypeVar("List", bound=Pairs)


class Pairing(Topic):
    """Whom the agent pairs."""

    def makes_checks(self) -> bool:
        """Whether there are check lists: a lite agent has none (RFC 6544 section 6.2)."""
        return not self.config.lite

    def checks_from(self, mine: list[Local]) -> list[Local]:
        """Return the candidates from which checks are made: a lite agent's none (RFC 6544 sections 4.4 and 6.2)."""
        return [] if self.config.lite else mine

    def meets(self, own: str, theirs: str) -> bool:
        """Whether candidates of these tcptypes are paired: the table of RFC 6544 section 6.2."""
        return meets(own, theirs)

    def components(self, plan: StreamPlan) -> int:
        """Return how many components get candidates: as many as were agreed (RFC 8445 5.1.1, RFC 4571 section 4)."""
        return plan.components

    def pairs_components(self, own: int, theirs: int) -> bool:
        """Whether candidates of these components are paired: of the same alone (RFC 8445 section 6.1.2.2)."""
        return own == theirs

    def limits_components(self) -> bool:
        """Whether ICE does with the components that both sides have (RFC 8445 section 6.1.2.2)."""
        return True

    def between(self, pair: Pair) -> object:
        """Return what a pair's check goes between: of several alike one is kept (RFC 8445 section 6.1.2.4)."""
        return pair.ends

    def gives_way(self, lists: Sequence[List], most: int) -> List | None:
        """Return the list that has to give up its lowest pair, None within the limit: in turn (RFC 8445 6.1.2.5)."""
        if sum(len(checks.pairs) for checks in lists) <= most:
            return None
        return max(lists, key=lambda checks: (bool(checks.pairs), -checks.discarded))

    def waits_for_foundation(self, pair: Pair) -> bool:
        """Whether a pair is frozen while another one of its foundation is checked (RFC 8445 section 6.1.2.6)."""
        return True

    def thaws(self, pair: Pair) -> bool:
        """Whether a frozen pair is checked when nothing waits, nor its foundation (RFC 8445 section 6.1.4.2)."""
        return True

    def thaws_with_success(self, pair: Pair) -> bool:
        """Whether a frozen pair may be checked once one of its foundation succeeded (RFC 8445 section 7.2.5.3.3)."""
        return True

    def next_list(self, turn: int) -> int:
        """Return which check list, modulo their number, is served next: one after the other (RFC 8445 6.1.4.2)."""
        return turn

    def triggered_first(self) -> bool:
        """Whether triggered checks go before all others (RFC 8445 section 6.1.4.2)."""
        return True

    def opens(self, pair: Pair) -> bool:
        """Whether it is for us to open a pair's connection, so that the pair is kept (RFC 6544 section 6.2)."""
        return pair.local.tcptype != "passive"

    def pairs_late(self, local: Local) -> bool:
        """Whether a candidate of ours that is trickled is paired like the others (RFC 8838 section 10)."""
        return True

    def takes_late(self, remote: Candidate) -> bool:
        """Whether a candidate that the peer trickles is taken (RFC 8838 section 11)."""
        return True

    def opens_recognised(self, pair: Pair) -> bool:
        """Whether a connection is opened for a pair that has one, once its candidate is told: no (RFC 6544 7.1)."""
        return False

    def learns_remotes(self) -> bool:
        """Whether a check from an unknown address makes a peer-reflexive candidate (RFC 6544 section 7.2)."""
        return True

    def uses_existing(self, pair: Pair) -> bool:
        """Whether a pair that matches an existing connection is checked there (RFC 6544 section 9.2)."""
        return True

    def keeps_existing(self, pair: Pair) -> bool:
        """Whether a pair that matches an existing connection is in the check list at all (RFC 6544 section 9.2)."""
        return True

    def goes_first(self, pair: Pair) -> int:
        """Return what counts for more than a pair's priority: nothing, whatever its transport (RFC 6544 section 7)."""
        return 0

    def gives_up(self, stream: Stream) -> bool:
        """Whether a list whose pairs have all failed fails although candidates may still come (RFC 8838 section 8)."""
        return False

    def fails_hopeless(self, stream: Stream, controlling: bool) -> bool:
        """Whether a list with nothing left to succeed fails, once the peer had its time (RFC 8445 section 7.2.5.4)."""
        return True

    def concludes(self) -> bool:
        """Whether a nomination ends the checks of its component (RFC 8445 section 8.1.2)."""
        return True

    def ends_list(self, connection: Connection) -> bool:
        """Whether the whole check list fails with one connection that breaks: only its pair does (RFC 6544 7.1)."""
        return False
