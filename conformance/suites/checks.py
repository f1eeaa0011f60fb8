"""Checks of both sides: sending ours, awaiting the IUT's, and answers that make no pair valid."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.peer.events import (
    AnyResponse,
    BindingError,
    BindingRequest,
    BindingSuccess,
    Data,
    Frame,
    as_expectation,
)
from conformance.suites.framing import await_answer_octets
from conformance.suites.values import LOST
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing, NotApplicable
from conformance.wire.attributes import Attribute
from conformance.wire.layers import (
    RFC4571,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable

    from scapy.packet import Packet

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.listener import Listener
    from conformance.peer.tester import Peer
    from conformance.wire.attributes import Address

_CLAIMS = {"controlling": Attribute.ICE_CONTROLLING, "controlled": Attribute.ICE_CONTROLLED}
_MOST = 32  # connections that are looked at
_PREFERENCES = 0xFFFFFF  # of a priority: local preference and component, all but the type (RFC 8445 section 5.1.2.1)


def needs_regular_nomination(check: Frame) -> None:
    """Raise `NotApplicable` where the IUT's first check nominates: a nomination then shows nothing about responses."""
    if check.stun.use_candidate:
        raise JudgedElsewhere("the IUT nominates in its first check", case="RFC6544-8/first_check_does_not_nominate")


def await_unanswered_nomination(peer: Peer, connection: Connection, first: Frame) -> Frame:
    """Return the IUT's nomination, which has no answer yet: its first check or, that answered, a later one."""
    if first.stun.use_candidate:
        return first
    connection.send(RFC4571() / peer.success(connection, first))
    return peer.await_nomination(connection)


def needs_valid_pairs_to_show(upper: Upper, peer: Peer, first: Frame) -> None:
    """Raise `NotApplicable` where nothing shows that a pair has become valid by the answer that we are about to give.

    That is so if the IUT nominates in its first check, and tells nothing else, or nominates before the answer.
    """
    if not first.stun.use_candidate and peer.wait_until(
        lambda: any(check.stun.use_candidate for check in peer.checks()), peer.pixit.silence
    ):
        raise JudgedElsewhere(
            "the IUT nominates before its check is answered", case="RFC6544-8/nomination_waits_for_a_success"
        )
    if first.stun.use_candidate and not (upper.secured or upper.reports_state):
        raise JudgedElsewhere(
            "the IUT nominates in its first check, and nothing else shows a valid pair",
            case="RFC6544-8/first_check_does_not_nominate",
        )


def expect_no_valid_pair(upper: Upper, peer: Peer, first: Frame) -> None:
    """Watch that the answer to the IUT's first check has made no pair valid: the IUT, controlling, does not nominate.

    Where its first check nominates already, a valid pair is selected at once: its state or its media show that.
    """
    early = first.stun.use_candidate

    def shown() -> bool:
        if early:
            return upper.is_connected or any(each.has(Data()) for each in peer.connections)
        return any(check.stun.use_candidate for check in peer.checks())

    if peer.watch(shown, peer.pixit.retransmission):
        raise Failed(
            "the IUT took the pair for a valid one",
            expected="no nomination; nor a state or media of a selected pair",
            actual="its state or its media show a selected pair" if early else "a nomination",
        )


def needs_closed(connection: Connection, *, within: float) -> None:
    """Give the IUT the time to close a connection whose answer was not STUN; n/a where it does not."""
    if not connection.wait_for_end(within=within):
        raise JudgedElsewhere(
            f"the IUT did not close {connection} within {within:g} s",
            case="RFC6544-7.1/answer_that_is_no_stun_closes_the_connection",
        )


def needs_another_connection(peer: Peer) -> Connection:
    """Return a further connection of the IUT; n/a where it opens only one."""
    try:
        return peer.expect_connection()
    except Failed as failure:
        raise JudgedElsewhere(
            f"the IUT opened no further connection: {failure.actual}",
            case="RFC6544-7.1/refused_connection_fails_only_its_pair",
        ) from failure


def needs_lite_over_tcp(peer: Peer, *, within: float) -> None:
    """Raise `NotApplicable` if the IUT connects to us: then it is not a lite agent at all."""
    try:
        peer.expect_no_connection(within=within)
    except Failed as failure:
        raise JudgedElsewhere(
            f"the lite IUT checks over TCP as well: {failure.actual}",
            case="RFC6544-7/lite_agent_does_not_check_our_candidates",
        ) from failure


def needs_new_request(first: Frame, second: Frame) -> None:
    """Raise `NotApplicable` where a check is the one of before, to the octet."""
    if first.octets == second.octets:
        raise JudgedElsewhere("the IUT sends its check again", case="RFC8489-6.2.2/check_is_not_retransmitted")


def needs_ids_of_their_own(first: Frame, second: Frame) -> None:
    """Raise `NotApplicable` where two checks have one transaction id, so that a response is one to both."""
    if first.stun.transaction_id == second.stun.transaction_id:
        raise JudgedElsewhere(
            "its checks share a transaction id", case="RFC8489-5/every_check_has_an_identifier_of_its_own"
        )


def needs_xored(response: Frame, source: Address) -> None:
    """Raise `NotApplicable` where a response has our address as it is, and not XORed."""
    found = response.stun.first(Attribute.XOR_MAPPED_ADDRESS)
    if found is not None and found.value[2:4] == source.port.to_bytes(2, "big"):
        raise JudgedElsewhere("the mapped address is not XORed", case="RFC8489-14.2/mapped_address_is_xored")


def priority_of(request: Frame) -> int:
    """Return PRIORITY of a check; n/a where it has none."""
    if request.stun.priority is None:
        raise JudgedElsewhere("the check has no PRIORITY", case="RFC8445-7.1.1/check_carries_priority")
    return request.stun.priority


def tie_breaker_of(request: Frame) -> int:
    """Return the tie-breaker of a check, of either role; n/a where it has none."""
    said = [request.stun.ice_controlling, request.stun.ice_controlled]
    found = [value for value in said if value is not None]
    if not found:
        raise _claims_no_role()
    return found[0]


def claims_role(request: Frame, role: str) -> bool:
    """Whether a check claims this role, "controlling" or "controlled"; n/a where it claims none."""
    claimed = _roles_of(request)
    if not claimed:
        raise _claims_no_role()
    return role in claimed


def _roles_of(request: Frame) -> set[str]:
    """Return the roles that a check claims: by the attribute that it has, whether its value decodes or not."""
    return {role for role, kind in _CLAIMS.items() if request.stun.has(kind)}


def _claims_no_role() -> JudgedElsewhere:
    return JudgedElsewhere(
        "the check claims no role", case="RFC8445-7.1.3/every_check_of_the_controlling_agent_says_so"
    )


def user_name_of(request: Frame) -> str:
    """Return USERNAME of a check; n/a where it has none."""
    if request.stun.username is None:
        raise JudgedElsewhere("the check has no USERNAME", case="RFC8489-9.1.2/requests_have_user_name_and_integrity")
    return request.stun.username


def await_checked(peer: Peer, connection: Connection) -> None:
    """Wait until a check of the IUT's on a connection has been answered with success (preamble)."""
    if not peer.wait_until(lambda: connection.checked, peer.pixit.response):
        raise Inconclusive(f"no check of the IUT's has succeeded on {connection}")


def await_success(peer: Peer, iut: Description, connection: Connection, **change: Any) -> Frame:
    """Send a check and wait for its success response (preamble); `change`: see `Peer.check`."""
    request = peer.check(iut, component=connection.component, **change)
    connection.send(RFC4571() / request)
    return connection.await_frame(BindingSuccess(request.transaction_id), within=peer.pixit.response)


def await_successes(peer: Peer, iut: Description, connections: Iterable[Connection]) -> None:
    """Send a check on each connection and wait for its success response (preamble)."""
    for connection in connections:
        await_success(peer, iut, connection)


def expect_successes(peer: Peer, iut: Description, connections: Iterable[Connection]) -> None:
    """Send a check on each connection, one after the other, and expect that it is answered with success at once."""
    for connection in connections:
        request = peer.check(iut, component=connection.component)
        connection.send(RFC4571() / request)
        connection.expect(BindingSuccess(request.transaction_id), within=peer.pixit.response)


def expect_answers(peer: Peer, asked: Iterable[tuple[Description, Connection]]) -> None:
    """Send a check with these credentials on each connection, and expect that it is answered with success."""
    for iut, connection in asked:
        request = peer.check(iut, component=connection.component)
        connection.send(RFC4571() / request)
        expect_answer(peer, iut, connection, request)


def expect_answer(peer: Peer, iut: Description, connection: Connection, *requests: Packet) -> None:
    """Expect that these checks, sent on a connection, are answered with success; none given: the last one.

    Where they are not, ordinary checks on a new connection tell whether what is special here is the reason: the case is
    inconclusive if those are not answered either.
    """
    wanted = [BindingSuccess(request.transaction_id) for request in requests] or [BindingSuccess()]
    try:
        for one in wanted:
            connection.expect(one, within=peer.pixit.response)
    except Missing as failure:
        if not connection.has(AnyResponse(one.transaction_id)):
            _require_ordinary_answers(peer, iut, connection, failure)
        raise


def expect_refusal(
    peer: Peer, iut: Description, connection: Connection, *codes: int, request: Packet | None = None
) -> Frame:
    """Expect that a check on a connection is refused with one of these codes, or with any; see `expect_answer`.

    It is the check sent last, or this one: on a selected connection there may be other responses. Where a success comes
    instead, nothing is missing that a refusal of the IUT's own check, or an ordinary session, could explain.
    """
    identifier = None if request is None else bytes(request.transaction_id)
    try:
        return connection.expect(BindingError(*codes, transaction_id=identifier), within=peer.pixit.response)
    except Missing as failure:
        if connection.has(BindingSuccess(identifier)):
            raise Failed(
                str(failure),
                expected=failure.expected,
                actual=failure.actual,
                wanted=failure.wanted,
                on=failure.on,
            ) from failure
        if not connection.has(AnyResponse(identifier)):
            _require_ordinary_answers(peer, iut, connection, failure)
        raise


def expect_check(peer: Peer, iut: Description, connection: Connection) -> Frame:
    """Expect a check of the IUT's on a connection of ours; see `expect_answer`."""
    try:
        return connection.expect(BindingRequest, within=peer.pixit.connect)
    except Missing as failure:
        _require_ordinary_answers(peer, iut, connection, failure)
        raise


def expect_answer_octets(peer: Peer, iut: Description, connection: Connection, request: Packet) -> None:
    """Expect an answer to this check, in a frame or not; `expect_answer` says what else is looked at."""
    try:
        await_answer_octets(peer, connection, request.transaction_id)
    except Inconclusive as failure:
        _require_ordinary_answers(peer, iut, connection, failure)
        raise Missing(
            f"the check is not answered on {connection}",
            expected="an answer to the check, as to an ordinary one",
            actual=f"none within {peer.pixit.response:g} s",
        ) from failure


def _require_ordinary_answers(peer: Peer, iut: Description, connection: Connection, failure: Exception) -> None:
    """Raise `Inconclusive` unless two checks, whole and on a new connection, are answered.

    That excuses silence alone. An answer that is wrong is wrong, here as there. Where a case is about a role conflict,
    a check in our role is no ordinary one: then one in the other role must succeed.
    """
    passive = [c for c in iut.hosts("passive") if c.component == connection.component]
    if not passive:
        return
    try:
        ordinary = peer.connect(iut.candidate(tcptype="passive", component=connection.component))
    except (Inconclusive, NotApplicable) as refusal:
        raise Inconclusive(f"{failure}; nor can an ordinary check be made: {refusal}") from failure
    ordinary.divide = lambda octets: (octets, (), 0.0)
    if peer.shape.roles == "switched":  # it brings the conflict to light, which some agents repair without an answer
        _has(AnyResponse, peer, iut, ordinary)
    for _ in range(2):
        if not (_has(AnyResponse, peer, iut, ordinary) or _has(BindingSuccess, peer, iut, ordinary, other_role=True)):
            raise Inconclusive(f"{failure}; but an ordinary check on {ordinary} is not answered either") from failure
    peer.set_aside(ordinary)  # the case's session is one without it


def _has(
    answer: type[AnyResponse | BindingSuccess],
    peer: Peer,
    iut: Description,
    connection: Connection,
    *,
    other_role: bool = False,
) -> bool:
    """Whether a check gets such an answer."""
    request = peer.check(iut, controlling=peer.controlling != other_role, component=connection.component)
    connection.send(RFC4571() / request)
    return connection.wait_for(answer(request.transaction_id), within=peer.pixit.response)


def expect_connections_from(peer: Peer, addresses: Iterable[str]) -> None:
    """Expect a connection of the IUT's, with a check on it, from each of these addresses."""
    wanted = set(addresses)

    def checking() -> set[str]:
        return {one.remote_address.ip for one in peer.connections if one.has(BindingRequest())}

    if not peer.wait_until(lambda: wanted <= checking(), peer.pixit.connect):
        missing = ", ".join(sorted(wanted - checking()))
        raise Missing(
            f"no check came from {missing}",
            expected=f"a connection with a check from each of {', '.join(sorted(wanted))}",
            actual=f"checks from {', '.join(sorted(checking())) or 'no address'} within {peer.pixit.connect:g} s",
        )


def refuse_checks(peer: Peer) -> None:
    """Answer every check of the IUT's with an error that it cannot recover from, from now on."""
    peer.answering = False
    peer.before_answer = lambda connection, request: connection.send_between(
        RFC4571() / peer.error(request, 400, "Bad Request")
    )


def needs_failure(upper: Upper, *, within: float) -> None:
    """Wait until the stack reports a failure; n/a where it does not."""
    if not upper.wait_state(*LOST, within=within):
        raise JudgedElsewhere(
            f"the IUT reports no failure within {within:g} s",
            case="RFC8445-6.1.2.1/component_without_a_pair_fails_the_checklist",
        )


def needs_open(connection: Connection, why: str) -> Connection:
    """Raise `NotApplicable` where the IUT has closed a connection, as it may."""
    if not connection.is_open:
        raise NotApplicable(f"the IUT has closed {connection}: {why}")
    return connection


def expect_checks_at_each(peer: Peer) -> None:
    """Expect a connection to each of our passive candidates, and a check on it."""
    for listener in peer.listeners:
        peer.expect_connection(listener).expect(BindingRequest, within=peer.pixit.response)


def await_checks_have_begun(peer: Peer, connection: Connection, *, within: float) -> None:
    """Wait, as a preamble, until the IUT has answered our check on a connection, or checks by itself on any."""
    if not peer.wait_until(lambda: bool(peer.checks()) or connection.has(as_expectation(BindingSuccess)), within):
        raise Inconclusive(f"the IUT neither answered our check on {connection} nor sent one within {within:g} s")


def expect_no_connection_from_passive(peer: Peer, iut: Description) -> None:
    """Watch that the IUT opens no connection for a pair of a passive local candidate of its own.

    A connection comes from one if that is its port, or if PRIORITY of its first check has the candidate's preferences
    (RFC 8445 section 7.1.1), which no active one has. From an active candidate it may lawfully come, also from one
    that the description leaves out: RFC 6544 section 6.2 pairs it, to us it is peer-reflexive.
    """
    active = {candidate.priority & _PREFERENCES for candidate in iut.hosts("active")}
    passive = iut.candidates(tcptype="passive")
    ports = {candidate.port for candidate in passive}
    preferences = {candidate.priority & _PREFERENCES for candidate in passive} - active
    lawful: set[Address] = set()
    while len(lawful) < _MOST:
        try:
            return peer.expect_no_connection(but_from=lawful)
        except Failed as failure:
            opened = [one for one in peer.connections if not one.outgoing and one.remote_address not in lawful]
            peer.wait_until(partial(_all_checked, opened), peer.pixit.response)
            for one in opened:
                priority = one.first_priority
                if one.remote_address.port in ports:
                    raise
                if (priority or 0) & _PREFERENCES in preferences:
                    _needs_right_preferences(peer, active, failure)
                    raise
                if priority is None:
                    raise Inconclusive(f"{failure.actual}: no check came there that tells its candidate") from failure
                lawful.add(one.remote_address)
        if len(lawful) == 1 and not active:
            peer.readings.append("it connects from an active candidate that its description leaves out")
    raise Inconclusive(f"the IUT opened {len(lawful)} connections, none of them from its passive candidates")


def _needs_right_preferences(peer: Peer, active: Collection[int], failure: Failed) -> None:
    """Raise `JudgedElsewhere` where PRIORITY does not tell from which candidate of the IUT's a connection comes.

    It tells that of an IUT one of whose checks has the preferences of an active candidate that it has described.
    """
    found = partial(_any_has_preferences, peer, active)
    if active and not peer.wait_until(found, peer.pixit.response):
        raise JudgedElsewhere(
            f"{failure.actual}, from an active candidate or a passive one: the checks of both have the same PRIORITY",
            case="RFC8445-7.1.1/priority_of_every_check_follows_the_formula",
        ) from failure


def _any_has_preferences(peer: Peer, preferences: Container[int]) -> bool:
    """Whether a check on a connection that the IUT opened has these preferences in its PRIORITY."""
    opened = (connection for connection in peer.connections if not connection.outgoing)
    return any((connection.first_priority or 0) & _PREFERENCES in preferences for connection in opened)


def expect_no_connection_for(peer: Peer, iut: Description, active: Listener) -> None:
    """Watch that the IUT does not connect to an active candidate of ours.

    JudgedElsewhere where it may be for a pair with an active one of its own.
    """
    try:
        peer.expect_no_connection(active)
    except Failed as failure:
        if iut.hosts("active"):
            raise JudgedElsewhere(f"{failure}", case="RFC6544-6.2/active_is_not_paired_with_active") from failure
        raise


def _all_checked(connections: Iterable[Connection]) -> bool:
    """Whether a check with a PRIORITY has come on each of these connections."""
    return all(connection.first_priority is not None for connection in connections)


def other_names(iut: Description, peer: Peer) -> dict[str, str]:
    """Return user names that are not the IUT's, by what is wrong with them (RFC 8445 section 7.3)."""
    if iut.ufrag.swapcase() == iut.ufrag:
        raise NotApplicable(f"the IUT's fragment {iut.ufrag} has no letters")
    return {
        "other-case": f"{iut.ufrag.swapcase()}:{peer.ufrag}",
        "longer": f"{iut.ufrag}x:{peer.ufrag}",
        "shorter": f"{iut.ufrag[:-1]}:{peer.ufrag}",
        "reversed": f"{peer.ufrag}:{iut.ufrag}",
    }


def roles_said(peer: Peer, *, since: int = 0) -> set[str]:
    """Return the roles that the IUT's checks have claimed so far, behind its first so many."""
    return {role for check in peer.checks()[since:] for role in _roles_of(check)}


def needs_controlled(peer: Peer) -> None:
    """Raise `JudgedElsewhere` where the IUT claims to be controlling although we are: it nominates as such."""
    claimed = ["controlling" in _roles_of(check) for check in peer.checks()]
    if any(claimed[:1]):
        raise JudgedElsewhere(
            "the IUT claims to be controlling", case="RFC8445-6.1.1/offerer_controls_between_full_agents"
        )
    if any(claimed):
        raise JudgedElsewhere("the IUT has become controlling", case="RFC8445-7.3.1.1/different_roles_are_no_conflict")


def expect_role(peer: Peer, role: str, *, since: int, within: float) -> None:
    """Expect that a check of the IUT's claims a role; inconclusive where none behind its first so many claims any."""
    if peer.wait_until(lambda: role in roles_said(peer), within):
        return
    if not roles_said(peer, since=since):
        raise Inconclusive(f"no further check within {within:g} s tells the IUT's role")
    further = len(peer.checks()) - since
    raise Failed(
        f"none of its checks claims to be {role}",
        expected=f"a check that claims to be {role}",
        actual=f"{further} further checks within {within:g} s, none of them",
    )


# -- answers that make no pair valid -------------------------------------------------------------------------------

# Passwords of success responses whose integrity is wrong or missing (RFC 8489 section 9.1.4).
UNAUTHENTICATED: dict[str, str | None] = {"wrong-password": "wrong" * 5, "no-integrity": None}
# Error responses that a client cannot recover from (RFC 8489 section 6.3.4).
REFUSED = (499, "Refused")  # ends a transaction (RFC 8489 section 6.3.4), and no rule is about this code alone
ERRORS: dict[int, str] = {300: "Try Alternate", 400: "Bad Request", 401: "Unauthenticated", 500: "Server Error"}
