"""Decisions about connections: which are accepted, which closed, and when (RFC 6544 sections 7.2, 8, 9.2 and 11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.candidates import Base
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address
    from conformance.wire.sdp import Media as Section


class Closing(Topic):
    """What the agent accepts and what it closes."""

    # -- accepting -----------------------------------------------------------------------------------------

    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        """Whether a connection that has come to a base is used: wherever it comes from (RFC 6544 section 7.2).

        `others` are the session's other connections.
        """
        return True

    def accepts_after(self, seconds: float) -> bool:
        """Whether connections are accepted so long after gathering has begun: at any time (RFC 6544 section 7.2)."""
        return True

    def listens_on(self, base: Base) -> bool:
        """Whether a base that has just accepted a connection accepts others, too (RFC 6544 section 7.2)."""
        return True

    def keeps_early_connection(self, connection: Connection) -> bool:
        """Whether a connection stays that came before the answer (RFC 6544 section 7.2)."""
        return True

    # -- selection -----------------------------------------------------------------------------------------

    def keeps(self, connection: Connection) -> bool:
        """Whether a connection stays once its stream has completed: if it is selected (RFC 6544 section 8).

        One that may take the place of a lost one stays as well (section 11.1).
        """
        return connection.selected or connection.revives

    def keeps_former(self) -> bool:
        """Whether a restart that has selected another connection leaves the former one: no (RFC 6544 9.2)."""
        return False

    def keeps_reused(self, connection: Connection) -> bool:
        """Whether a connection that a restart has selected again is the selected one (RFC 6544 section 9.2)."""
        return True

    def idle_limit(self) -> float | None:
        """Return after how many seconds a selected connection is closed; None: never (RFC 6544 section 11.1)."""
        return None

    def restart_mends(self) -> bool:
        """Whether a restart makes good a selected connection that was lost (RFC 8445 section 9, RFC 6544 11.1)."""
        return True

    def restart_limit(self, connection: Connection) -> float | None:
        """Return after how many seconds of a restart a selected connection is closed; None: not by time.

        RFC 6544 section 9.2: it stays until the restart has selected a pair.
        """
        return None

    # -- ends ----------------------------------------------------------------------------------------------

    def closed_with(self, connection: Connection, others: Sequence[Connection]) -> Sequence[Connection]:
        """Return the connections to close because this one has broken: none (RFC 6544 section 7.1)."""
        return ()

    def notices_loss(self) -> bool:
        """Whether the loss of a selected connection is noticed and shown (RFC 6544 section 11.1)."""
        return True

    def listens_after_loss(self, base: Base) -> bool:
        """Whether the base of a lost connection goes on listening, so that it can come back (RFC 6544 11.1)."""
        return True

    def closes_with_session(self, connection: Connection) -> bool:
        """Whether the session's end closes a connection: each (RFC 6544 section 11.1)."""
        return True

    def closes_for_restart(self, connection: Connection) -> bool:
        """Whether a restart closes a selected connection: data goes on there meanwhile (RFC 6544 section 9.2)."""
        return False

    def closes_for_update(self, connection: Connection) -> bool:
        """Whether an exchange without a restart closes a selected connection: no (RFC 8839 section 4.4.3.1)."""
        return False

    def stays_completed(self) -> bool:
        """Whether an exchange without a restart leaves completed ICE as it is (RFC 8839 section 4.4.3.1)."""
        return True

    def shows_restart(self) -> bool:
        """Whether a restart makes the session's ICE run again (RFC 8839 sections 4.4.3.1.1 and 4.4.3.2)."""
        return True

    def ends_rejected(self, stream: Stream) -> bool:
        """Whether a stream that the answer does without is given up (RFC 3264 section 6, RFC 8839 section 4.3.3)."""
        return True

    def ends_removed(self, stream: Stream) -> bool:
        """Whether what is under way for a stream ends once it is removed or refused (RFC 8839 section 4.4.3.1)."""
        return True

    def ends_with_refused_offer(self) -> bool:
        """Whether ICE ends with a later offer that is refused: it goes on as before (RFC 8839 section 4.4)."""
        return False

    def named_ends(self, stream: Stream, section: Section) -> dict[str, tuple[str, str]]:
        """Return our end of each component's pair, by component, as a lite peer's new offer names it.

        That is a=remote-candidates (RFC 6544 section 6.1, RFC 8839 section 4.4.2.2).
        """
        words = (section.attribute("remote-candidates") or "").split()
        ends = zip(words[::3], words[1::3], words[2::3], strict=False)
        return {component: (ip, port) for component, ip, port in ends}

    def mismatches(self, connection: Connection, named: bool) -> bool:
        """Whether a connection of a lite agent is closed for a lite peer's new offer (RFC 6544 section 6.1).

        `named`: the offer names our end of it. A connection made in parallel with the offer stays if it is the pair's.
        """
        return not connection.outgoing and not named
