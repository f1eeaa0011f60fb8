"""Faults in restarts, and in what follows a restart or a second exchange: what the first session does not show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.connections import Closing
from conformance.agent.decisions.consenting import Consenting
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.decisions.nomination import Nomination
from conformance.agent.faults.model import Faults
from conformance.agent.faults.texts import Text, sections, texts, value

if TYPE_CHECKING:
    from conformance.agent.candidates import Base
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Credentials, Stream

fault = Faults()
written, offered, read = texts(fault, "written"), texts(fault, "offered"), texts(fault, "read")


class _Restarts(Nomination):
    """Counts the restarts of a session; the role of the next one is not settled yet when it begins."""

    restarts = 0

    def role_in_restart(self, controlling: bool, *, ours: bool) -> bool:
        self.restarts += 1
        return super().role_in_restart(controlling, ours=ours)


# -- former connections --------------------------------------------------------------------------------------------


@fault("restart-closes-second-stream", "RFC6544-9.2-01", "closes the second stream's connection when ICE restarts")
class RestartClosesSecondStream(Closing):
    def closes_for_restart(self, connection: Connection) -> bool:
        return connection.stream == 1 or super().closes_for_restart(connection)


@fault("restart-closes-so", "RFC6544-9.2-01", "closes selected connections of S-O candidates when ICE restarts")
class RestartClosesSo(Closing):
    def closes_for_restart(self, connection: Connection) -> bool:
        return connection.base.tcptype == "so" or super().closes_for_restart(connection)


@fault("restart-closes-relayed", "RFC6544-9.2-01", "closes selected connections that go by a relay when ICE restarts")
class RestartClosesRelayed(Closing):
    def closes_for_restart(self, connection: Connection) -> bool:
        return connection.base.relay is not None or super().closes_for_restart(connection)


@fault("restart-closes-ipv6", "RFC6544-9.2-01", "closes selected connections over IPv6 when ICE restarts")
class RestartClosesIpv6(Closing):
    def closes_for_restart(self, connection: Connection) -> bool:
        return ":" in connection.base.ip or super().closes_for_restart(connection)


@fault("second-restart-closes-selected", "RFC6544-9.2-01", "closes selected connections in its second restart")
class SecondRestartClosesSelected(_Restarts, Closing):
    def closes_for_restart(self, connection: Connection) -> bool:
        return self.restarts > 0 or super().closes_for_restart(connection)


@fault("restart-closes-opened-later", "RFC6544-9.2-01", "closes connections that it opened one second into a restart")
class RestartClosesOpenedLater(Closing):
    def restart_limit(self, connection: Connection) -> float | None:
        return 1.0 if connection.outgoing else super().restart_limit(connection)


@fault("unselected-kept-after-restart", "RFC6544-8-02", "keeps unselected connections once ICE has been restarted")
class UnselectedKeptAfterRestart(_Restarts, Closing):
    def keeps(self, connection: Connection) -> bool:
        pair = connection.pair
        former = pair is not None and (pair.nominated or (pair.valid is not None and pair.valid.nominated))
        return (self.restarts > 0 and not former) or super().keeps(connection)


@fault("restarted-outlives-session", "RFC6544-11.1-02", "leaves the connection of a restart open at the session's end")
class RestartedOutlivesSession(_Restarts, Closing):
    def closes_with_session(self, connection: Connection) -> bool:
        return not self.restarts and super().closes_with_session(connection)


# -- the new session -----------------------------------------------------------------------------------------------


@fault("restart-not-listening", "RFC6544-7.2-01", "listens on none of the candidates of a restart")
class RestartNotListening(Gathering):
    def listens(self, stream: Stream, base: Base, answered: bool) -> bool:
        return stream.former is None and super().listens(stream, base, answered)


@fault("restart-nominates-at-once", "RFC6544-8-01", "nominates with every check once ICE has been restarted")
class RestartNominatesAtOnce(_Restarts):
    def use_candidate(self, pair: Pair, controlling: bool) -> bool:
        return (self.restarts > 0 and controlling) or super().use_candidate(pair, controlling)


@fault("restart-checks-for-old-user", "RFC8445-7.2.2-s01", "checks with the user names of before in a restart")
class RestartChecksForOldUser(Checks):
    def user_name(self, who: Credentials) -> str:
        return super().user_name(getattr(who, "former", None) or who)


@fault("consent-ends-with-restart", "RFC7675-5.1-11", "checks no consent once a restart has completed")
class ConsentEndsWithRestart(_Restarts, Consenting):
    def asks_consent(self, connection: Connection, restarting: bool) -> bool:
        return (restarting or not self.restarts) and super().asks_consent(connection, restarting)


# -- descriptions --------------------------------------------------------------------------------------------------


@offered("second-stream-not-restarted", "RFC8445-9-03", "keeps the second stream's credentials when it restarts")
def _second_stream_not_restarted(said: Text) -> str:
    before, now = sections(said.said), said.sections
    if not said.restarts or len(now) < 3 or len(before) < 3:
        return said.text
    for name in ("ice-ufrag", "ice-pwd"):
        now[2] = re.sub(rf"a={name}:\S+", f"a={name}:{value(before[2], name)}", now[2])
    return "".join(now)


@written("restart-active-with-a-port", "RFC6544-4.5-01", "states a port in active candidates once ICE was restarted")
def _restart_active_with_a_port(said: Text) -> str:
    return said.sub(r" 9 typ host tcptype active", " 40123 typ host tcptype active") if said.restarts else said.text


@written("restart-without-tcptype", "RFC6544-4.5-s02", "writes candidates without tcptype once ICE was restarted")
def _restart_without_tcptype(said: Text) -> str:
    return said.sub(r" tcptype (active|passive|so)", "") if said.restarts else said.text


@written("restart-without-setup", "RFC6544-4.5-03", "leaves a=setup out once ICE was restarted")
def _restart_without_setup(said: Text) -> str:
    return said.without("setup") if said.restarts else said.text


@written("restart-with-short-password", "RFC8839-5.4-s02", "has a password of 21 characters once ICE was restarted")
def _restart_with_short_password(said: Text) -> str:
    return said.sub(r"^(a=ice-pwd:.{21}).*\r$", r"\1\r") if said.restarts else said.text
