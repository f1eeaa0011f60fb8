"""Faults in selected connections that are lost and come back (RFC 6544 section 11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.reopening import Reopening
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from conformance.agent.pairs import Connection, Pair

fault = Faults()


@fault("lost-connection-not-reopened", "RFC6544-11.1-05", "does not reopen the selected connection that it opened")
class LostConnectionNotReopened(Reopening):
    def reopens(self, pair: Pair) -> bool:
        return pair.local.tcptype == "passive" and super().reopens(pair)


@fault(
    "lost-so-connection-not-reopened",
    "RFC6544-11.1-05",
    "waits for the peer to reopen the connection of a selected pair of S-O candidates",
)
class LostSoConnectionNotReopened(Reopening):
    def reopens(self, pair: Pair) -> bool:
        return pair.local.tcptype != "so" and super().reopens(pair)


@fault(
    "passive-side-reopens",
    "RFC6544-11.1-06",
    "connects to the peer's active candidate when the connection from there is lost",
)
class PassiveSideReopens(Reopening):
    def reopens(self, pair: Pair) -> bool:
        return pair.local.tcptype == "passive" or super().reopens(pair)


@fault("reopens-once", "RFC6544-11.1-05", "does not reopen a connection that it has reopened before")
class ReopensOnce(Reopening):
    def reopens_after(self, connection: Connection) -> bool:
        return not connection.revived and super().reopens_after(connection)


@fault("reopened-without-check", "RFC6544-11.1-07", "sends no check on a connection that it has reopened")
class ReopenedWithoutCheck(Reopening):
    def checks_reopened(self, connection: Connection) -> bool:
        return False


@fault(
    "reopened-not-checked-back",
    "RFC6544-11.1-09",
    "sends no check in return on a connection that the peer has reopened",
)
class ReopenedNotCheckedBack(Reopening):
    def checks_returned(self, connection: Connection) -> bool:
        return False


@fault(
    "reopened-so-not-checked-back",
    "RFC6544-11.1-09",
    "sends no check in return on a connection to its S-O candidate that the peer has reopened",
)
class ReopenedSoNotCheckedBack(Reopening):
    def checks_returned(self, connection: Connection) -> bool:
        return connection.base.tcptype != "so" and super().checks_returned(connection)


@fault(
    "media-before-check-on-reopened",
    "RFC6544-11.1-s01",
    "sends data on a connection that it has reopened before its check has succeeded",
)
class MediaBeforeCheckOnReopened(Reopening):
    def trusts_reopened(self, connection: Connection) -> bool:
        return True


@fault("media-not-resumed", "RFC6544-11.1-s01", "sends no data on a reopened connection that was checked")
class MediaNotResumed(Reopening):
    def resumes(self, connection: Connection) -> bool:
        return False
