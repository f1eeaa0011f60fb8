"""Faults that one connection of one component does not show.

They are on the second stream or component, on IPv6, on connections that the agent opened, or on those of S-O and
relayed candidates.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.connections import Closing
from conformance.agent.decisions.framing import Framing
from conformance.agent.decisions.media import Data
from conformance.agent.decisions.nomination import Nomination
from conformance.agent.decisions.pairing import Pairing
from conformance.agent.decisions.reopening import Reopening
from conformance.agent.decisions.responses import Responses
from conformance.agent.faults.model import Faults
from conformance.wire.stun import MAGIC_COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.messages import IncomingCheck, OutgoingCheck
    from conformance.agent.pairs import Connection, Pair
    from conformance.wire.attributes import Address, RawAttribute
    from conformance.wire.candidate import Candidate

fault = Faults()


def _is_ipv6(connection: Connection) -> bool:
    return ":" in connection.base.ip


def _stream_of(pair: Pair) -> int:
    return pair.connection.stream if pair.connection is not None else 0


# -- protection of requests ----------------------------------------------------------------------------------------


@fault("second-component-trusted", "RFC8489-9.1.3-07", "looks at no protection of requests for its second component")
class SecondComponentTrusted(Responses):
    def authenticates(self, connection: Connection) -> bool:
        return connection.component == 1 and super().authenticates(connection)


@fault("second-stream-trusted", "RFC8489-9.1.3-07", "looks at no protection of requests for its second stream")
class SecondStreamTrusted(Responses):
    def authenticates(self, connection: Connection) -> bool:
        return connection.stream == 0 and super().authenticates(connection)


@fault("so-connections-trusted", "RFC8489-9.1.3-07", "looks at no protection of requests to its S-O candidates")
class SoConnectionsTrusted(Responses):
    def authenticates(self, connection: Connection) -> bool:
        return connection.base.tcptype != "so" and super().authenticates(connection)


@fault("relayed-connections-trusted", "RFC8489-9.1.3-07", "looks at no protection of requests that come by a relay")
class RelayedConnectionsTrusted(Responses):
    def authenticates(self, connection: Connection) -> bool:
        return connection.base.relay is None and super().authenticates(connection)


@fault("ipv6-connections-trusted", "RFC8489-9.1.3-07", "looks at no protection of requests over IPv6")
class Ipv6ConnectionsTrusted(Responses):
    def authenticates(self, connection: Connection) -> bool:
        return not _is_ipv6(connection) and super().authenticates(connection)


@fault("response-fingerprint-unchecked", "RFC8489-6.3-s04", "believes responses whatever their FINGERPRINT")
class ResponseFingerprintUnchecked(Responses):
    def takes_for_stun(self, payload: bytes) -> bool:
        is_success = payload[:2] == b"\1\1" and payload[4:8] == MAGIC_COOKIE.to_bytes(4, "big")
        return is_success or super().takes_for_stun(payload)

    def fingerprint_holds(self, octets: bytes) -> bool:
        return octets[0] == 1 or super().fingerprint_holds(octets)


# -- responses -----------------------------------------------------------------------------------------------------


@fault("ipv6-xored-with-cookie-alone", "RFC8489-14.2-s01", "leaves the transaction id out where it XORs IPv6 addresses")
class Ipv6XoredWithCookieAlone(Responses):
    _plain = b""

    def mapped_address(self, source: Address) -> Address:
        self._plain = ipaddress.ip_address(source.ip).packed
        return super().mapped_address(source)

    def success_attributes(self, mapped: RawAttribute, user_name: str) -> list[RawAttribute]:
        if len(self._plain) == 16:
            mapped = replace(mapped, value=mapped.value[:8] + self._plain[4:])
        return super().success_attributes(mapped, user_name)


@fault("opened-mapped-address-own", "RFC8489-6.3.1.1-s03", "says its own address where it opened the connection")
class OpenedMappedAddressOwn(Responses):
    def seen_from(self, connection: Connection) -> Address:
        own = connection.local if connection.outgoing and not connection.is_udp else None
        return own or super().seen_from(connection)


@fault("second-component-answers-bare", "RFC6544-7.2-03", "answers checks of its second component without LENGTH")
class SecondComponentAnswersBare(Framing):
    def frames_response(self, connection: Connection, message: bytes) -> bool:
        return connection.component == 1 and super().frames_response(connection, message)


@fault("second-stream-answers-bare", "RFC6544-7.2-03", "answers checks of its second stream without LENGTH")
class SecondStreamAnswersBare(Framing):
    def frames_response(self, connection: Connection, message: bytes) -> bool:
        return connection.stream == 0 and super().frames_response(connection, message)


@fault("opened-answers-bare", "RFC6544-7.2-03", "answers checks without LENGTH on connections that it opened")
class OpenedAnswersBare(Framing):
    def frames_response(self, connection: Connection, message: bytes) -> bool:
        return not connection.outgoing and super().frames_response(connection, message)


# -- checks --------------------------------------------------------------------------------------------------------


@fault("second-component-checks-bare", "RFC6544-7.1-03", "sends checks of its second component without LENGTH")
class SecondComponentChecksBare(Framing):
    def frames_check(self, connection: Connection) -> bool:
        return connection.component == 1 and super().frames_check(connection)


@fault(
    "second-component-priority-of-first",
    "RFC8445-7.1.1-01",
    "says the first component's PRIORITY in checks of the second",
)
class SecondComponentPriorityOfFirst(Checks):
    def check_priority(self, pair: Pair, worth: int) -> int:
        return super().check_priority(pair, worth) + (pair.component - 1)


@fault("second-component-triggers-none", "RFC8445-7.3.1.4-s02", "sends no checks in return for its second component")
class SecondComponentTriggersNone(Responses):
    def triggers(self, check: IncomingCheck, connection: Connection) -> bool:
        return connection.component == 1 and super().triggers(check, connection)


@fault("second-stream-triggers-none", "RFC8445-7.3.1.4-s02", "sends no checks in return for its second stream")
class SecondStreamTriggersNone(Responses):
    def triggers(self, check: IncomingCheck, connection: Connection) -> bool:
        return connection.stream == 0 and super().triggers(check, connection)


@fault("late-second-component-ignored", "RFC8838-11-s01", "ignores trickled candidates of the second component")
class LateSecondComponentIgnored(Pairing):
    def takes_late(self, remote: Candidate) -> bool:
        return remote.component == 1 and super().takes_late(remote)


@fault("attempts-counted-by-stream", "RFC6544-12-03", "has five attempts outstanding for each stream")
class AttemptsCountedByStream(Checks):
    def may_attempt(self, attempts: Sequence[Connection]) -> bool:
        counts = [sum(attempt.stream == stream for attempt in attempts) for stream in (0, 1)]
        return super().may_attempt(attempts) or 0 < min(counts) < self.config.max_attempts


# -- nomination and selection --------------------------------------------------------------------------------------


@fault("second-component-nominated-at-once", "RFC6544-8-01", "nominates the second component with every check")
class SecondComponentNominatedAtOnce(Nomination):
    def use_candidate(self, pair: Pair, controlling: bool) -> bool:
        return (pair.component == 2 and controlling) or super().use_candidate(pair, controlling)


@fault("second-stream-nominated-at-once", "RFC6544-8-01", "nominates the second stream with every check")
class SecondStreamNominatedAtOnce(Nomination):
    def use_candidate(self, pair: Pair, controlling: bool) -> bool:
        return (_stream_of(pair) == 1 and controlling) or super().use_candidate(pair, controlling)


@fault("second-component-nomination-unsaid", "RFC8445-7.1.2-01", "nominates the second component without a word")
class SecondComponentNominationUnsaid(Checks):
    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        of_second = check.priority & 0xFF == 256 - 2
        return super().check_attributes(replace(check, use_candidate=False) if of_second else check)


@fault("second-stream-nomination-unsaid", "RFC8445-7.1.2-01", "nominates the second stream's pair without a word")
class SecondStreamNominationUnsaid(Checks):
    _first = ""  # user name of the first stream that nominates

    def check_attributes(self, check: OutgoingCheck) -> list[RawAttribute]:
        if check.use_candidate:
            self._first = self._first or check.user_name
        other = check.user_name != self._first
        return super().check_attributes(replace(check, use_candidate=False) if other else check)


# -- data ----------------------------------------------------------------------------------------------------------


@fault("media-over-first-component", "RFC6544-10.1-01", "sends both components' data over the first one's connection")
class MediaOverFirstComponent(Data):
    def carrier(self, selected: Connection, every: Iterable[Connection]) -> Connection:
        first = (c for c in every if c.selected and (c.stream, c.component) == (selected.stream, 1) and c.is_open)
        return next(first, super().carrier(selected, every))


# -- what is closed ------------------------------------------------------------------------------------------------


@fault("second-component-unselected-kept", "RFC6544-8-02", "keeps unselected connections of the second component")
class SecondComponentUnselectedKept(Closing):
    def keeps(self, connection: Connection) -> bool:
        return connection.component == 2 or super().keeps(connection)


@fault("so-unselected-kept", "RFC6544-8-02", "keeps connections of S-O candidates that were not selected")
class SoUnselectedKept(Closing):
    def keeps(self, connection: Connection) -> bool:
        return connection.base.tcptype == "so" or super().keeps(connection)


@fault("second-component-outlives-session", "RFC6544-11.1-02", "leaves the second component's connection open")
class SecondComponentOutlivesSession(Closing):
    def closes_with_session(self, connection: Connection) -> bool:
        return connection.component == 1 and super().closes_with_session(connection)


@fault("opened-outlives-session", "RFC6544-11.1-02", "leaves connections that it opened open at the end")
class OpenedOutlivesSession(Closing):
    def closes_with_session(self, connection: Connection) -> bool:
        return not connection.outgoing and super().closes_with_session(connection)


@fault("update-closes-opened", "RFC4145-5.1-05", "closes connections that it opened in an update")
class UpdateClosesOpened(Closing):
    def closes_for_update(self, connection: Connection) -> bool:
        return connection.outgoing or super().closes_for_update(connection)


@fault("second-component-not-reopened", "RFC6544-11.1-05", "does not reopen the connection of its second component")
class SecondComponentNotReopened(Reopening):
    def reopens(self, pair: Pair) -> bool:
        return pair.component == 1 and super().reopens(pair)
