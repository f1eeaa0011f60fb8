"""What the IUT's checks and responses hold, on connections of several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, BindingSuccess, Frame
from conformance.peer.identity import GREAT, SMALL
from conformance.suites.driving import check_each, drive
from conformance.suites.establishing import establish
from conformance.suites.negotiation import negotiate
from conformance.suites.places import ask_each, connected_at
from conformance.suites.restarts import restart
from conformance.wire.attributes import Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, short_term_key
from conformance.wire.layers import RFC4571

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapy.packet import Packet

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer
    from conformance.wire.stun import Message

_MOST_PRIORITY = 2**31 - 1
MAX_OTHER = 8191  # RFC 6544 section 4.2
# RESPONSE-ADDRESS, CHANGE-REQUEST, SOURCE-ADDRESS, CHANGED-ADDRESS, PASSWORD, REFLECTED-FROM (RFC 3489 section 11.2).
_OF_RFC3489 = (0x0002, 0x0003, 0x0004, 0x0005, 0x0007, 0x000B)
_OF_CHECKS = (Attribute.PRIORITY, Attribute.USE_CANDIDATE, Attribute.ICE_CONTROLLED, Attribute.ICE_CONTROLLING)


def exchange_checks(upper: Upper, peer: Peer, side: str, where: str, *, nominate: bool = True) -> Description:
    """Have connections checked by both sides, and nominated; return the IUT's description. Judge nothing.

    Not `nominate`: they are checked, and the time for a nomination passes.
    `where`: connections that the IUT "opened" or "accepted", those of two "components" or "streams", or one after ICE
    "restarted".
    """
    if where == "streams":
        asked = connected_at(upper, peer, side, "stream")
        ask_each(peer, asked, until=BindingRequest)
        for stream, connection in asked if nominate else ():
            drive(peer, stream, [connection])
        if not nominate:
            peer.wait(peer.pixit.retransmission)
        assert upper.description is not None
        return upper.description
    if where == "restarted":
        establish(upper, peer, side, opener="tester")
        former = list(peer.connections)  # one for each component that the IUT described
        iut = restart(upper, peer, "IUT" if side == "offerer" else "tester")
        for connection in former:
            peer.set_aside(connection)
        connections = [peer.connect(iut.candidate(tcptype="passive"))]
    elif where == "opened":
        iut = negotiate(upper, peer, side, peer_tcptypes="passive")
        connections = [peer.await_connection(listener) for listener in peer.listeners]
    else:
        components = 2 if where == "components" else 1
        iut = negotiate(upper, peer, side, peer_tcptypes="active", components=components)
        passive = [iut.candidate(tcptype="passive", component=n + 1) for n in range(components)]
        connections = [peer.connect(candidate) for candidate in passive]
    if nominate:
        drive(peer, iut, connections)
    else:
        check_each(peer, iut, connections, until=BindingRequest)
        peer.wait(peer.pixit.retransmission)
    return iut


def priorities_on(connection: Connection) -> set[int]:
    """Return the values of PRIORITY in the IUT's checks on a connection."""
    requests = [event for event in connection.events if isinstance(event, Frame) and event.message is not None]
    found = (request.stun.priority for request in requests if request.stun.is_request)
    return {priority for priority in found if priority is not None}


def usual_or_at(upper: Upper, peer: Peer, side: str, where: str) -> tuple[Description, Connection]:
    """Return a connection at one of the `places`, or the "selected" one once ICE has completed, and its stream."""
    if where != "selected":
        return connected_at(upper, peer, side, where)[-1]
    connection = establish(upper, peer, side)
    assert upper.description is not None
    return upper.description, connection


def answered_check(upper: Upper, peer: Peer, side: str, where: str) -> tuple[Connection, Description, Frame]:
    """Have a check of ours answered with success; return the connection, the IUT's description and the response.

    `where`: on a connection at one of the `places`, or on the "selected" one once ICE has completed.
    """
    iut, connection = usual_or_at(upper, peer, side, where)
    connection.send(RFC4571() / peer.check(iut, component=connection.component))
    return connection, iut, connection.await_frame(BindingSuccess, within=peer.pixit.response)


def conflicting_check(peer: Peer, iut: Description) -> Packet:
    """Return a check that claims the IUT's own role, with a tie-breaker by which the IUT keeps it."""
    peer.controlling = not peer.controlling
    peer.tie_breaker = SMALL if peer.controlling else GREAT
    return peer.check(iut)


# -- what is right of a check -------------------------------------------------------------------------------------


def _names_both(peer: Peer, iut: Description, request: Frame) -> bool:
    return request.stun.username in {f"{peer.ufrag}:{fragment}" for fragment in iut.fragments or {iut.ufrag}}


def _is_protected(peer: Peer, _: Description, request: Frame) -> bool:
    return request.integrity(short_term_key(peer.pwd)) is Check.VALID


def _has_a_fingerprint(_peer: Peer, _iut: Description, request: Frame) -> bool:
    return request.fingerprint is Check.VALID


def _has_a_peer_reflexive_priority(_: Peer, iut: Description, request: Frame) -> bool:
    hosts = {candidate.priority for candidate in iut.media().candidates if candidate.type.lower() == "host"}
    priority = request.stun.priority
    return priority is not None and 1 <= priority <= _MOST_PRIORITY and priority not in hosts


def _has_a_local_preference_of_its_own(_: Peer, iut: Description, request: Frame) -> bool:
    """Whether PRIORITY has the other-pref of a candidate of its component, or that of an only address."""
    worth = request.stun.priority or 0
    mine = [c for c in iut.media().candidates if c.is_tcp and c.component == 256 - (worth & 0xFF)]
    return worth >> 8 & 0x1FFF in {MAX_OTHER, *(candidate.other_preference for candidate in mine)}


def _is_of_rfc5389(_peer: Peer, _iut: Description, request: Frame) -> bool:
    return not any(attribute.type in _OF_RFC3489 for attribute in request.stun.attributes)


def _does_not_nominate_as_controlled(_peer: Peer, _iut: Description, request: Frame) -> bool:
    return not request.stun.use_candidate or request.stun.has(Attribute.ICE_CONTROLLING)  # its role is judged elsewhere


def _says_controlling(_peer: Peer, _iut: Description, request: Frame) -> bool:
    return request.stun.has(Attribute.ICE_CONTROLLING) and not request.stun.has(Attribute.ICE_CONTROLLED)


def _says_controlled(_peer: Peer, _iut: Description, request: Frame) -> bool:
    return request.stun.has(Attribute.ICE_CONTROLLED) and not request.stun.has(Attribute.ICE_CONTROLLING)


# By the words of a failure (RFC 8445 sections 7.1 and 7.2).
RESPECTS: dict[str, Callable[[Peer, Description, Frame], bool]] = {
    "our user name fragment, a colon and its own": _names_both,
    "a right MESSAGE-INTEGRITY": _is_protected,
    "a right FINGERPRINT": _has_a_fingerprint,
    "the PRIORITY of a peer-reflexive candidate": _has_a_peer_reflexive_priority,
    "a PRIORITY by the formula": _has_a_local_preference_of_its_own,
    "without attributes of RFC 3489": _is_of_rfc5389,
    "without USE-CANDIDATE": _does_not_nominate_as_controlled,
    "ICE-CONTROLLING alone": _says_controlling,
    "ICE-CONTROLLED alone": _says_controlled,
}


def wrong_checks(peer: Peer, iut: Description, respect: str) -> list[str]:
    """Return, in words, what is wrong in one respect, a key of `RESPECTS`, with any of the IUT's checks so far.

    They are those of one session in which nobody has changed roles. Raises `StunError` if nothing else is wrong, and
    an attribute that this is about does not decode.
    """
    problems, malformed = [], None
    for request in _checks(peer):
        try:
            right = RESPECTS[respect](peer, iut, request)
        except StunError as error:
            malformed = malformed or error
        else:
            problems += [] if right else [f"{request}: not {respect}"]
    if malformed is not None and not problems:
        raise malformed
    return problems


def repeated_identifiers(peer: Peer) -> list[str]:
    """Return, in words, which of the IUT's checks have the transaction id of another request."""
    sent: dict[bytes, bytes] = {}
    return [
        f"{request} has the transaction id of another request"
        for request in _checks(peer)
        if sent.setdefault(request.stun.transaction_id, request.octets) != request.octets
    ]


def values_of(peer: Peer, *kinds: Attribute) -> list[bytes]:
    """Return the values, as octets, of these attributes in the IUT's checks so far."""
    return [
        attribute.value for check in _checks(peer) for attribute in check.stun.attributes if attribute.type in kinds
    ]


def checks_attributes(message: Message) -> list[str]:
    """Return the names of attributes in a message that belong into checks alone (RFC 8445 section 16.1)."""
    return [kind.name for kind in _OF_CHECKS if message.has(kind)]


def tie_breakers(peer: Peer) -> set[int]:
    """Return the tie-breakers of the IUT's checks so far, of either role."""
    said = (value for check in _checks(peer) for value in (check.stun.ice_controlling, check.stun.ice_controlled))
    return {value for value in said if value is not None}


def _checks(peer: Peer) -> Iterator[Frame]:
    """Yield the IUT's checks so far.

    Requests for consent (RFC 7675), which come behind a connection's first check and need neither PRIORITY nor role,
    are no checks.
    """
    for connection in peer.connections:
        requests = (event for event in connection.events if isinstance(event, Frame) and event.message is not None)
        for number, request in enumerate(request for request in requests if request.stun.is_request):
            if number == 0 or any(request.stun.has(kind) for kind in _OF_CHECKS):
                yield request
