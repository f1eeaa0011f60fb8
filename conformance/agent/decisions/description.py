"""Decisions about descriptions: ours, and what is read in the peer's (RFC 6544 sections 4.3 to 4.5, RFC 8839)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic
from conformance.agent.pairs import usable_candidate

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conformance.agent.candidates import Local
    from conformance.agent.config import StreamPlan
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import Media as Section

# RFC 4145 section 4.1: what an answer may say, what we prefer first. The default of an offer is "active".
_ANSWERS = {
    "active": ("passive", "holdconn"),
    "passive": ("active", "holdconn"),
    "actpass": ("active", "passive", "holdconn"),
    "holdconn": ("holdconn",),
}
NO_RTCP = ("RS:0", "RR:0")  # RFC 8839 section 4.2.2, RFC 4571 section 4


class Description(Topic):
    """How the agent describes itself, and what it reads."""

    # -- ours ----------------------------------------------------------------------------------------------

    def states(self, local: Local, mine: Sequence[Local]) -> bool:
        """Whether a candidate of ours stands in our descriptions: each that we have does (RFC 6544 section 4.5).

        `mine` are all of the stream that could.
        """
        return True

    def default_over_udp(self, transports: Collection[bool]) -> bool:
        """Whether an offer's default candidate is UDP: where there is any (RFC 6544 section 4.3).

        `transports` has True if there are UDP candidates, False if there are TCP candidates.
        """
        return True in transports

    def default_direction(self, over_udp: bool) -> str:
        """Return the direction of an offer's default candidate, "" of UDP: active, for a lite agent passive.

        RFC 6544 section 4.3.
        """
        if over_udp:
            return ""
        return "passive" if self.config.lite else "active"

    def formats(self, plan: StreamPlan, formats: tuple[str, ...]) -> tuple[str, ...]:
        """Return the formats of an offer's media line: for RTP payload types (RFC 4571 section 4)."""
        return formats

    def answer_setup(self, offered: str, able: Collection[str]) -> str:
        """Return a=setup of an answer, which the offer's constrains (RFC 6544 section 4.5, RFC 4145 section 4.1)."""
        allowed = _ANSWERS.get(offered.lower(), _ANSWERS["active"])
        return next(setup for setup in allowed if setup in able)

    def connection(self, settled: bool, offered: str | None) -> str:
        """Return a=connection: the existing one in an update, unless the offer asks for a new one (RFC 4145 5)."""
        return "existing" if settled and offered != "new" else "new"

    def states_setup(self) -> bool:
        """Whether media sections over TCP have a=setup (RFC 6544 section 4.5)."""
        return True

    def declares_lite(self) -> bool:
        """Whether a lite agent states a=ice-lite (RFC 6544 section 4.4)."""
        return True

    def answers_mismatch(self, section: Section) -> bool:
        """Whether a=ice-mismatch answers a section with which ICE goes on: never (RFC 6544 section 6)."""
        return False

    def ends_candidates(self) -> bool:
        """Whether it is said that there are no more candidates, which RFC 8838 section 8.2 wants."""
        return True

    def describes_hosts_at_once(self) -> bool:
        """Whether a description before all candidates are known waits for host candidates (RFC 8838 section 4)."""
        return False

    def written(self, text: str) -> str:
        """Return a description as it is handed out (RFC 8839 section 4)."""
        return text

    def offered(self, text: str) -> str:
        """Return an offer, written as it is, with all of its sections (RFC 3264 section 5)."""
        return text

    def written_answer(self, text: str) -> str:
        """Return an answer, written as it is, with a section for each of the offer's (RFC 3264 section 6)."""
        return text

    def trickled(self, candidate: Candidate) -> str:
        """Return a candidate as it is trickled (RFC 8838 section 9)."""
        return str(candidate)

    def updates(self) -> bool:
        """Whether there is an updated offer where the exchange asks for one (RFC 8445 section 8.2, RFC 8839 4.4.1)."""
        return True

    # -- the peer's ----------------------------------------------------------------------------------------

    def read(self, text: str) -> str:
        """Return the peer's description as it came (RFC 8839 section 4). Raises `Rejected` for what cannot be used."""
        return text

    def refuses_new_terms(self) -> bool:
        """Whether a later offer is refused that changes its options without a restart (RFC 8839 section 4.4.2.1)."""
        return True

    def takes_answer_without_ice(self, later: bool) -> bool:
        """Whether the session goes on, without ICE, when an answer has nothing of it (RFC 8839 4.3.3, 4.4.3.1)."""
        return True

    def restarts_after_fallback(self) -> bool:
        """Whether the offer after an answer without ICE restarts it (RFC 8839 section 4.4.3.1)."""
        return True

    def waits_for_checks(self) -> bool:
        """Whether an answer waits for checks that the offer takes for done (RFC 8839 section 4.4.2)."""
        return True

    def keeps_pair_states(self) -> bool:
        """Whether pairs keep their states in an exchange while ICE runs (RFC 8839 section 4.4.3.1)."""
        return True

    def understands(self, candidate: Candidate) -> Candidate | None:
        """Return a candidate of the peer's in the usual form; None for one that cannot be paired.

        A direction is known whatever its letters' case (RFC 6544 section 4.5), extensions say nothing against a
        candidate, and what is no IP address is not looked up (RFC 8839 section 5.1).
        """
        return usable_candidate(candidate)
