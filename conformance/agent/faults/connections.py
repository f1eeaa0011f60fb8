"""Faults in what is accepted and what is closed (RFC 6544 sections 3, 6.1, 7.1, 7.2, 8, 9.2 and 11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.connections import Closing
from conformance.agent.decisions.reopening import Reopening
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.candidates import Base
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address
    from conformance.wire.sdp import Media as Section

fault = Faults()


@fault("rtcp-connection-refused", "RFC4571-4-13", "closes connections that come for RTCP")
class RtcpConnectionRefused(Closing):
    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        return base.component == 1 and super().admits(stream, base, remote, others)


@fault("active-port-believed", "RFC6544-3-s01", "expects connections to come from the port in active candidates")
class ActivePortBelieved(Closing):
    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        told = {c.port for c in stream.remotes if (c.tcptype, c.address) == ("active", remote.ip)}
        return (not told or remote.port in told) and super().admits(stream, base, remote, others)


@fault("so-connection-refused", "RFC6544-7.2-02", "closes connections to its S-O candidates at once")
class SoConnectionRefused(Closing):
    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        return base.tcptype != "so" and super().admits(stream, base, remote, others)


@fault("unknown-address-refused", "RFC6544-7.2-02", "accepts connections from the addresses of candidates only")
class UnknownAddressRefused(Closing):
    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        known = {candidate.address for candidate in stream.remotes} or {remote.ip}
        return remote.ip in known and super().admits(stream, base, remote, others)


@fault("second-connection-refused", "RFC6544-7.2-02", "closes a second connection to a passive candidate at once")
class SecondConnectionRefused(Closing):
    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        second = any(other.base is base for other in others)
        return not second and super().admits(stream, base, remote, others)


@fault("broken-connection-shuts-all", "RFC6544-7.2-02", "accepts none after a connection that ended in its first check")
class BrokenConnectionShutsAll(Closing):
    _broke = False

    def closed_with(self, connection: Connection, others: Sequence[Connection]) -> Sequence[Connection]:
        self._broke |= not connection.outgoing and not connection.authenticated
        return super().closed_with(connection, others)

    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        return not self._broke and super().admits(stream, base, remote, others)


@fault("listens-once", "RFC6544-7.2-02", "stops listening after the first connection")
class ListensOnce(Closing):
    def listens_on(self, base: Base) -> bool:
        return False


@fault("early-connections-dropped", "RFC6544-7.2-02", "closes the connections that came before the answer")
class EarlyConnectionsDropped(Closing):
    def keeps_early_connection(self, connection: Connection) -> bool:
        return False


@fault("unselected-kept", "RFC6544-8-02", "keeps connections that were not selected")
class UnselectedKept(Closing):
    def keeps(self, connection: Connection) -> bool:
        return True


@fault("opened-connections-kept", "RFC6544-8-02", "keeps connections that it opened and that were not selected")
class OpenedConnectionsKept(Closing):
    def keeps(self, connection: Connection) -> bool:
        return connection.outgoing or super().keeps(connection)


@fault("silent-connections-kept", "RFC6544-8-02", "keeps connections on which nobody has authenticated")
class SilentConnectionsKept(Closing):
    def keeps(self, connection: Connection) -> bool:
        return not connection.authenticated or super().keeps(connection)


@fault("selected-closed", "RFC6544-11.1-01", "closes the selected connection with the others when ICE completes")
class SelectedClosed(Closing):
    def keeps(self, connection: Connection) -> bool:
        return False


@fault(
    "former-selected-kept",
    "RFC6544-9.2-04",
    "keeps the formerly selected connection when a restart has selected another pair",
)
class FormerSelectedKept(Closing):
    def keeps_former(self) -> bool:
        return True


@fault(
    "reused-connection-closed",
    "RFC6544-9.2-03",
    "closes the existing connection, as a former one, when the restart has selected it again",
)
class ReusedConnectionClosed(Closing):
    def keeps_reused(self, connection: Connection) -> bool:
        return False


@fault("idle-selected-closed", "RFC6544-11.1-04", "closes a selected connection nearly a second after completion")
class IdleSelectedClosed(Closing):
    def idle_limit(self) -> float | None:
        return 0.9


@fault(
    "broken-connection-ends-others",
    "RFC8445-7.2.5.2-s01",
    "closes its other connections too when one breaks on which a check has succeeded",
)
class BrokenConnectionEndsOthers(Closing):
    def closed_with(self, connection: Connection, others: Sequence[Connection]) -> Sequence[Connection]:
        return others if connection.authenticated else super().closed_with(connection, others)


@fault(
    "loss-never-noticed",
    "RFC6544-11.1-10",
    "neither restarts ICE nor shows another state when the selected connection cannot be reopened",
)
class LossNeverNoticed(Closing, Reopening):
    def notices_loss(self) -> bool:
        return False

    def shows_failure(self) -> bool:
        return False


@fault(
    "lost-passive-not-listening",
    "RFC6544-11.1-06",
    "stops listening once the connection to its selected passive candidate is lost",
)
class LostPassiveNotListening(Closing):
    def listens_after_loss(self, base: Base) -> bool:
        return False


@fault("selected-outlives-session", "RFC6544-11.1-02", "leaves the selected connection open when the session ends")
class SelectedOutlivesSession(Closing):
    def closes_with_session(self, connection: Connection) -> bool:
        return not connection.selected and super().closes_with_session(connection)


@fault("restart-closes-selected", "RFC6544-9.2-01", "closes the selected connections when ICE restarts")
class RestartClosesSelected(Closing):
    def closes_for_restart(self, connection: Connection) -> bool:
        return True


@fault("restart-closes-opened", "RFC6544-9.2-01", "closes selected connections that it opened when ICE restarts")
class RestartClosesOpened(Closing):
    def closes_for_restart(self, connection: Connection) -> bool:
        return connection.outgoing or super().closes_for_restart(connection)


@fault("lite-closes-matching", "RFC6544-6.1-03", "closes the connection that a lite peer's new offer names")
class LiteClosesMatching(Closing):
    def named_ends(self, stream: Stream, section: Section) -> dict[str, tuple[str, str]]:
        return stream.named

    def mismatches(self, connection: Connection, named: bool) -> bool:
        return True


@fault("lite-keeps-mismatch", "RFC6544-6.1-04", "keeps a connection that is not that of a lite peer's new offer")
class LiteKeepsMismatch(Closing):
    def named_ends(self, stream: Stream, section: Section) -> dict[str, tuple[str, str]]:
        return stream.named


@fault("restart-closes-selected-later", "RFC6544-9.2-01", "closes the selected connections one second into a restart")
class RestartClosesSelectedLater(Closing):
    def restart_limit(self, connection: Connection) -> float | None:
        return 1.0


@fault("restart-mends-nothing", "RFC8445-9-s01", "stays disconnected in a restart once a selected connection was lost")
class RestartMendsNothing(Closing):
    def restart_mends(self) -> bool:
        return False
