"""Faults that come late, or a second time, or on other connections than the first: what a short look does not show."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.connections import Closing
from conformance.agent.decisions.consenting import Consenting
from conformance.agent.decisions.description import Description
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.decisions.responses import Responses
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from conformance.agent.messages import OutgoingCheck
    from conformance.agent.pairs import Connection
    from conformance.wire.attributes import RawAttribute

fault = Faults()


@fault("idle-selected-closed-later", "RFC6544-11.1-04", "closes a selected connection ten seconds after completion")
class IdleSelectedClosedLater(Closing):
    def idle_limit(self) -> float | None:
        return 10.0


@fault("listens-for-ten-seconds", "RFC6544-7.2-01", "accepts connections for ten seconds only")
class ListensForTenSeconds(Closing):
    def accepts_after(self, seconds: float) -> bool:
        return seconds < 10.0 and super().accepts_after(seconds)


@fault("servers-left-after-10-seconds", "RFC8445-5.1.1.4-01", "leaves servers ten seconds after they have answered")
class ServersLeftAfter10Seconds(Gathering):
    def server_patience(self) -> float | None:
        return 10.0


@fault("consent-on-accepted-alone", "RFC7675-5.1-11", "checks no consent on connections that it has opened")
class ConsentOnAcceptedAlone(Consenting):
    def asks_consent(self, connection: Connection, restarting: bool) -> bool:
        return not connection.outgoing and super().asks_consent(connection, restarting)


@fault("consent-of-first-component", "RFC7675-5.1-11", "checks the consent of the first component only")
class ConsentOfFirstComponent(Consenting):
    def asks_consent(self, connection: Connection, restarting: bool) -> bool:
        return connection.component == 1 and super().asks_consent(connection, restarting)


@fault("consent-of-first-stream", "RFC7675-5.1-11", "checks the consent of the first stream only")
class ConsentOfFirstStream(Consenting):
    def asks_consent(self, connection: Connection, restarting: bool) -> bool:
        return connection.stream == 0 and super().asks_consent(connection, restarting)


@fault(
    "restart-closes-second-component-later",
    "RFC6544-9.2-01",
    "closes the second component's selected connection one second into a restart",
)
class RestartClosesSecondComponentLater(Closing):
    def restart_limit(self, connection: Connection) -> float | None:
        return 1.0 if connection.component == 2 else super().restart_limit(connection)


_CREDENTIALS: WeakKeyDictionary[Description, list[str]] = WeakKeyDictionary()


@fault("second-restart-keeps-fragment", "RFC8445-9-03", "keeps the user name fragment in its second restart")
class SecondRestartKeepsFragment(Description):
    def written(self, text: str) -> str:
        text = super().written(text)
        found = re.search(r"a=ice-ufrag:(\S+)", text)
        known = _CREDENTIALS.setdefault(self, [])
        if found and found[1] not in known:
            known.append(found[1])
        return re.sub(r"a=ice-ufrag:\S+", f"a=ice-ufrag:{known[1]}", text) if len(known) > 2 else text


# -- once ICE has completed ------------------------------------------------------------------------------------


@fault(
    "selected-connections-trusted",
    "RFC8489-9.1.3-07",
    "looks at no protection of requests once a connection is selected",
)
class SelectedConnectionsTrusted(Responses):
    def authenticates(self, connection: Connection) -> bool:
        return not connection.selected and super().authenticates(connection)


@fault(
    "selected-response-without-integrity",
    "RFC8489-9.1.3-11",
    "sends success responses without MESSAGE-INTEGRITY once the connection is selected",
)
class SelectedResponseWithoutIntegrity(Responses):
    def protects_success(self, *, selected: bool) -> bool:
        return not selected and super().protects_success(selected=selected)


@fault(
    "selected-response-without-fingerprint",
    "RFC8445-7.3-08",
    "sends success responses without FINGERPRINT once the connection is selected",
)
class SelectedResponseWithoutFingerprint(Responses):
    def fingerprints_success(self, *, selected: bool) -> bool:
        return not selected and super().fingerprints_success(selected=selected)


@fault("consent-without-integrity", "RFC7675-5.1-s03", "asks for consent without MESSAGE-INTEGRITY")
class ConsentWithoutIntegrity(Checks):
    def protects_check(self, check: OutgoingCheck) -> bool:
        return not check.kept and super().protects_check(check)


@fault("consent-user-name-reversed", "RFC7675-5.1-s03", "puts its own fragment first where it asks for consent")
class ConsentUserNameReversed(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        own = ":".join(reversed(check.user_name.split(":")))
        return super().check_attributes(replace(check, user_name=own) if check.kept else check)


@fault("second-stream-unselected-kept", "RFC6544-8-02", "keeps unselected connections of the second stream")
class SecondStreamUnselectedKept(Closing):
    def keeps(self, connection: Connection) -> bool:
        return connection.stream == 1 or super().keeps(connection)


@fault("second-stream-outlives-session", "RFC6544-11.1-02", "leaves the second stream's connection open at the end")
class SecondStreamOutlivesSession(Closing):
    def closes_with_session(self, connection: Connection) -> bool:
        return connection.stream == 0 and super().closes_with_session(connection)
