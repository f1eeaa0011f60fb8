"""The IUT as a TURN client of ours: what it asks, in which order, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.establishing import await_selection
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.servers import gathered, relayed
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing, NotApplicable
from conformance.wire.attributes import Attribute
from conformance.wire.integrity import Check, check_integrity, check_integrity_sha256
from conformance.wire.longterm import MD5, SHA256
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.servers import Allocation, Asked, Server
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

CREDENTIALS = (
    Attribute.USERNAME,
    Attribute.USERHASH,
    Attribute.REALM,
    Attribute.NONCE,
    Attribute.MESSAGE_INTEGRITY,
    Attribute.MESSAGE_INTEGRITY_SHA256,
    Attribute.PASSWORD_ALGORITHM,
    Attribute.PASSWORD_ALGORITHMS,
)
_INTEGRITY = (Attribute.MESSAGE_INTEGRITY, Attribute.MESSAGE_INTEGRITY_SHA256)
_UDP = 17
_CROSSING = 0.25  # seconds behind our answer in which a request may come that left before it
_ALGORITHM = "the IUT names no password algorithm, as a client by RFC 5389"


def needs(held: object, why: str) -> None:
    """Raise `NotApplicable` unless the IUT does what a case judges, and need not."""
    if not held:
        raise NotApplicable(why)


def gather(upper: Upper, peer: Peer, side: str, server: Server, *, allocated: bool = True) -> None:
    """Have the IUT gather from a TURN server. Inconclusive unless it asks for an allocation and, if so, gets it."""
    peer.answering = False  # an answerer that is connected already may gather no more
    obtain_description(upper, peer, side, ice_servers=[server.entry])
    if not server.requests(Method.ALLOCATE):
        raise Inconclusive("the IUT asked for no allocation")
    peer.wait_until(lambda: any(map(is_signed, server.requests(Method.ALLOCATE))), peer.pixit.response)
    if allocated and not server.allocations:
        raise Inconclusive("the IUT got no allocation")


def let_gather(upper: Upper, peer: Peer, side: str, server: Server, *, within: float) -> None:
    """Have the IUT gather from a TURN server for so long at most, where it may never come to an end (preamble)."""
    peer.answering = False
    upper.open(side, ice_servers=[server.entry])
    if side == "answerer":
        upper.accept(peer.offer(), kind="offer")
    described = upper.begin_describing()
    if peer.wait_until(described, within):
        upper.describe()
    else:
        upper.exchanged.append(("unknown", SessionDescription([])))  # what it calls itself cannot be told
    if not server.requests(Method.ALLOCATE):
        raise Inconclusive("the IUT asked for no allocation")


def allocates(server: Server, *, signed: bool = True) -> list[Asked]:
    """Return the IUT's Allocate requests, with credentials or without: for TCP, or if none is, for UDP."""
    asked = [one for one in server.requests(Method.ALLOCATE) if is_signed(one) is signed]
    found = [one for one in asked if not _is_of_udp(one)] or asked
    if not found:
        raise Inconclusive(f"there is no Allocate {'with' if signed else 'without'} credentials")
    return found


def asked_again(server: Server, code: int) -> list[Asked]:
    """Return the Allocates with credentials that follow one that was answered by a code.

    They come on its connection, or on one that had no challenge of its own: what another connection has learnt by a
    401 says nothing of how the IUT took this answer.
    """
    asked = server.requests(Method.ALLOCATE)
    challenged = {id(one.connection) for one in asked if not is_signed(one)}
    refused: set[int] = set()
    found = []
    for one in asked:
        place = id(one.connection)
        if is_signed(one) and (place in refused or (refused and place not in challenged)):
            found.append(one)
        if one.code == code:
            refused.add(place)
    return found


def needs_asked_again(server: Server, code: int) -> list[Asked]:
    """Return the Allocates that follow one that was answered by a code (preamble)."""
    found = asked_again(server, code)
    if not found:
        raise JudgedElsewhere("the IUT does not ask again", case="RFC8489-9.2.5/stale_nonce_is_replaced")
    return found


def _is_of_udp(one: Asked) -> bool:
    """Whether it is one of several allocations, for UDP, that an IUT with UDP candidates may ask for over TCP."""
    wanted = one.message.first(Attribute.REQUESTED_TRANSPORT)
    return wanted is not None and wanted.value[:1] == bytes([_UDP])


def asked_where_allocated(server: Server) -> list[Connection]:
    """Return the connections on which a further Allocate came while an allocation was there already.

    The same one again, of which the response was late, is no further one.
    """
    held: set[int] = set()
    known: set[bytes] = set()
    found = []
    for one in list(server.asked):
        if one.message.method == Method.ALLOCATE:
            if one.message.transaction_id in known:
                continue
            known.add(one.message.transaction_id)
            found += [one.connection] if id(one.connection) in held else []
            held |= {id(one.connection)} if not one.code else set()
        elif one.message.method == Method.REFRESH and one.message.lifetime == 0:
            held.discard(id(one.connection))
    return found


def is_signed(one: Asked) -> bool:
    """Whether a request has any credentials."""
    return any(one.message.has(kind) for kind in CREDENTIALS)


def later(server: Server) -> list[Asked]:
    """Return the first request of each other method behind the first granted Allocate of its connection."""
    found: dict[tuple[int, int], Asked] = {}
    for one in server.requests(Method.CREATE_PERMISSION, Method.REFRESH, Method.CONNECT):
        found.setdefault((id(one.connection), one.message.method), one)
    if not found:
        raise NotApplicable("the IUT sends nothing about its allocation")
    return list(found.values())


def wrong_keys(server: Server, asked: Sequence[Asked]) -> list[str]:
    """Return which of these requests have an integrity that is there and not right."""
    problems = []
    for one in asked:
        key = server.core.key_of(one.message)
        checks = {check_integrity(one.octets, key), check_integrity_sha256(one.octets, key)}
        problems += [f"{name(one)} has a wrong integrity"] if Check.INVALID in checks else []
    return problems


def lacking(asked: Sequence[Asked], *kinds: Attribute) -> list[str]:
    """Return which of these requests lack an attribute."""
    return [f"{name(one)} has no {kind.spelling}" for one in asked for kind in kinds if not one.message.has(kind)]


def unsigned(asked: Sequence[Asked]) -> list[str]:
    """Return which of these requests have neither kind of integrity."""
    return [f"{name(one)} has no integrity" for one in asked if not any(one.message.has(kind) for kind in _INTEGRITY)]


def values(asked: Sequence[Asked], kind: Attribute) -> set[bytes]:
    """Return the values of an attribute in these requests."""
    return {found.value for one in asked if (found := one.message.first(kind)) is not None}


def with_algorithm(asked: Sequence[Asked]) -> list[Asked]:
    """Return those requests that name a password algorithm; n/a if none does."""
    found = [one for one in asked if one.message.has(Attribute.PASSWORD_ALGORITHM)]
    if not found:
        raise NotApplicable(_ALGORITHM)
    return found


def name(one: Asked) -> str:
    """Return a request in words."""
    return f"a {Method(one.message.method).name.replace('_', ' ').title().replace(' ', '')}"


def await_asked(peer: Peer, server: Server, method: Method, *, within: float) -> Asked:
    """Wait for a request of a method and return the first one (preamble)."""
    if not peer.wait_until(lambda: bool(server.requests(method)), within):
        raise Inconclusive(f"no {method.name} came within {within:g} s")
    return server.requests(method)[0]


def expect_asked(peer: Peer, server: Server, wanted: Callable[[Asked], bool], what: str, *, within: float) -> Asked:
    """Expect a request that fulfils a condition."""
    peer.wait_until(lambda: any(map(wanted, server.asked)), within)
    found = next(filter(wanted, server.asked), None)
    if found is None:
        raise Missing(
            f"the IUT did not send {what}",
            expected=what,
            actual=", ".join(name(one) for one in server.asked[-4:]) or "no request at all",
        )
    return found


def expect_bind(peer: Peer, server: Server) -> Asked:
    """Expect ConnectionBind, with credentials, on a new connection to the server."""
    return expect_asked(
        peer, server, _is_bind, "ConnectionBind on a new connection to the server", within=peer.pixit.response
    )


def await_bind(peer: Peer, server: Server) -> Asked:
    """Wait for ConnectionBind (preamble)."""
    return await_asked(peer, server, Method.CONNECTION_BIND, within=peer.pixit.response)


def _is_bind(one: Asked) -> bool:
    return one.message.method == Method.CONNECTION_BIND


def repeated(peer: Peer, server: Server, method: Method, code: int, *, within: float) -> int:
    """Watch how many requests of a method come on connections on which one was answered by a code.

    The same request once more, right behind the answer, may have left before the answer came: it was sent again for
    lack of an answer, which RFC8489-6.2.2 judges.
    """
    refused = [one for one in server.requests(method) if one.code == code]
    if not refused:
        raise Inconclusive(f"no {method.name} was answered by {code}")
    peer.wait(within)
    first = {id(one.connection): one for one in reversed(refused)}
    later = [one for one in server.requests(method) if one.time > first.get(id(one.connection), one).time]
    return sum(not _may_have_crossed(one, first[id(one.connection)]) for one in later)


def _may_have_crossed(again: Asked, refused: Asked) -> bool:
    """Whether a request is another one's repetition that may have been under way when that was answered."""
    return again.octets == refused.octets and again.time - refused.answered < _CROSSING


def needs_redirection(other: Server) -> None:
    """N/a where the IUT does not follow redirections, as it may."""
    if not other.asked:
        raise NotApplicable("the IUT does not go where a 300 (Try Alternate) sends it, as it may")


def needs_refresh(server: Server) -> list[Asked]:
    """Return the requests to refresh (preamble): RFC8656-8/allocation_is_refreshed_in_time judges that there is one."""
    found = [one for one in server.requests(Method.REFRESH) if one.message.lifetime != 0]
    if not found:
        raise JudgedElsewhere("the IUT refreshes nothing", case="RFC8656-8/allocation_is_refreshed_in_time")
    return found


def relayed_or_none(upper: Upper, peer: Peer, side: str, server: Server) -> list[Candidate]:
    """Have the IUT gather from a server that gives it nothing of use; return its relayed candidates."""
    peer.answering = False
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    allocates(server)
    return relayed(iut)


def needs_algorithms(upper: Upper, peer: Peer, side: str) -> None:
    """N/a where the IUT, offered a list of password algorithms, names none: it is a client by RFC 5389."""
    server = peer.turn_server()
    server.manner.algorithms = (SHA256, MD5)
    gather(upper, peer, side, server, allocated=False)
    with_algorithm(allocates(server))


def usual_allocates(upper: Upper, peer: Peer, side: str) -> int:
    """Return how many allocations the IUT asks a server for that grants them, in a session of its own (preamble)."""
    server = peer.turn_server()
    gather(upper, peer, side, server)
    upper.close()
    return len(allocates(server))


def redirecting(peer: Peer) -> tuple[Server, Server]:
    """Return a TURN server that sends each client to another one, and that other one, which has the same user."""
    server, other = peer.turn_server(), peer.turn_server()
    other.share_login(server)
    server.manner.refusals[Method.ALLOCATE], server.manner.always = [300], {300}
    server.manner.alternate = other.address
    return server, other


def is_held(allocation: Allocation) -> bool:
    """Whether an allocation stands: its control connection is open."""
    return allocation.control.is_open


def sources_after_mismatch(peer: Peer, server: Server) -> int:
    """Wait until the IUT asks for no more allocations; return from how many addresses it did, for a component."""

    def sources() -> int:
        return len({one.connection.remote_address for one in allocates(server)})

    seen = 0
    while sources() > seen:
        seen = sources()
        peer.wait(peer.pixit.silence)
    return seen


def granted(server: Server) -> list[Asked]:
    """Return the Allocate requests for TCP that were granted."""
    return [one for one in allocates(server) if not one.code]


def relayed_of(iut: Description) -> Candidate:
    """Return the IUT's passive relayed candidate (preamble)."""
    found = gathered(iut, "relay", "passive")
    if not found:
        raise Inconclusive("the IUT has no passive relayed candidate")
    return found[0]


def exchange(upper: Upper, peer: Peer, side: str, server: Server, tcptypes: str = "active passive") -> Description:
    """Exchange descriptions, the IUT being given a TURN server.

    Ours has TCP candidates of these tcptypes, and beside an IUT whose relayed addresses are UDP ones a UDP candidate.
    """
    ours = peer.candidates(tcptypes) + ([peer.udp().candidate()] if upper.relays_udp_alone else [])
    return negotiate(upper, peer, side, peer_candidates=ours, ice_servers=[server.entry])


def permitted(peer: Peer, server: Server) -> Allocation:
    """Return the UDP allocation for which the IUT has created a permission for us: of several it may keep one."""

    def found() -> list[Allocation]:
        return [one for one in server.allocations if one.transport == _UDP and peer.address in one.permissions]

    peer.wait_until(lambda: bool(found()), peer.pixit.response)
    return next(iter(found()), server.udp_allocation())


def complete_on_relay(upper: Upper, peer: Peer, server: Server, side: str = "answerer") -> Connection:
    """Bring ICE to completion on a relayed address, of TCP or of UDP; return its control connection (preamble)."""
    if not upper.relays_udp_alone:
        return server.control_of(use_relay(upper, peer, server, side))
    ours = peer.udp()
    ours.direct = False
    iut = negotiate(upper, peer, side, peer_candidates=[ours.candidate()], ice_servers=[server.entry])
    allocation = permitted(peer, server)
    server.join(allocation, ours)
    ours.send(peer.check(iut), allocation.relayed)
    ours.await_frame(BindingSuccess, within=peer.pixit.response)
    ours.await_frame(BindingRequest, within=peer.pixit.response)
    if peer.controlling:
        ours.send(peer.check(iut, use_candidate=True), allocation.relayed)
        ours.await_frame(BindingSuccess, within=peer.pixit.response)
    elif not peer.wait_for_nomination(lambda: ours.selected == allocation.relayed):
        raise Inconclusive(f"the controlling IUT did not nominate the pair of its relayed address {allocation.relayed}")
    return allocation.control


def use_relay(upper: Upper, peer: Peer, server: Server, side: str = "answerer") -> Connection:
    """Bring ICE to completion on a connection of ours to a relayed candidate (preamble)."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    selected = peer.complete(iut, server.connect(relayed_of(iut)))
    await_selection(upper, peer, selected)
    return selected


def needs_refused(peer: Peer, server: Server, code: int, *, within: float) -> Asked:
    """Wait for a Refresh that the server refuses by a code (preamble)."""

    def refused() -> Asked | None:
        asked = server.requests(Method.REFRESH)  # one with LIFETIME 0 is for an allocation that is not needed
        return next((one for one in asked if one.code == code and one.message.lifetime != 0), None)

    peer.wait_until(lambda: refused() is not None, within)
    found = refused()
    if found is None:
        raise JudgedElsewhere("the IUT refreshes nothing", case="RFC8656-8/allocation_is_refreshed_in_time")
    server.manner.refusals.pop(Method.REFRESH)
    return found


def renewed(server: Server, one: Asked) -> bool:
    """Whether a request is a Refresh with the server's nonce of now."""
    refreshes = one.message.method == Method.REFRESH and one.message.lifetime != 0
    return refreshes and one.message.nonce == server.core.nonce


def expect_given_up(upper: Upper, peer: Peer, server: Server, control: Connection) -> None:
    """Expect that nothing more is asked about an allocation whose Refresh got 437.

    The connection of a TCP allocation is of no use any more and ends. On that of a UDP allocation another may follow.
    """
    if not upper.relays_udp_alone:
        control.expect_end(within=peer.pixit.close)
        return
    about = (Method.REFRESH, Method.CREATE_PERMISSION, Method.CHANNEL_BIND, Method.CONNECT)
    known = len(server.requests(*about))
    peer.wait_until(lambda: not control.is_open, server.manner.lifetime)  # in which a further Refresh would fall due
    later = [one for one in server.requests(*about)[known:] if one.connection is control and one.message.lifetime != 0]
    anew = [one for one in server.requests(Method.ALLOCATE) if one.connection is control and not one.code][1:]
    if not later or anew or not control.is_open:
        return
    raise Failed(
        "the IUT goes on with an allocation that is gone",
        expected="nothing about it after 437 (Allocation Mismatch)",
        actual=f"{name(later[0])} on the same connection",
    )


def attempted(upper: Upper, peer: Peer, side: str, server: Server) -> int:
    """Tell the IUT of a connection of ours to its relayed candidate; return the CONNECTION-ID (preamble)."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    return server.attempt(relayed_of(iut))


def connect_asked(upper: Upper, peer: Peer, side: str, server: Server) -> Asked:
    """Exchange descriptions with a passive candidate of ours; return the IUT's first Connect for it (preamble)."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive", ice_servers=[server.entry])
    return await_asked(peer, server, Method.CONNECT, within=peer.pixit.connect)


def connect_answered(upper: Upper, peer: Peer, side: str, server: Server) -> Asked:
    """Have a Connect of the IUT's answered with success, and return the request (preamble)."""
    asked = connect_asked(upper, peer, side, server)
    if not peer.wait_until(lambda: bool(server.connection_ids), peer.pixit.response):
        raise Inconclusive("no Connect of the IUT's could be answered with success")
    return asked


def expect_data_connection(peer: Peer, server: Server) -> None:
    """Expect a connection to the server that is none of those on which allocations were asked for."""

    def further() -> bool:
        controls = {id(one.connection) for one in server.requests(Method.ALLOCATE)}
        return any(id(one) not in controls for one in server.connections)

    if not peer.wait_until(further, peer.pixit.response):
        raise Missing(
            f"the IUT opened no further connection to {server.address}:{server.port}",
            expected="a connection for the data, to the server's address",
            actual=f"{len(server.connections)} connections, all of them with requests for allocations",
        )


def most_together(server: Server) -> int:
    """Return how many Connects for one peer have come on one connection, none of them answered."""
    named = [(id(one.connection), one.message.xor_peer_address) for one in server.requests(Method.CONNECT)]
    return max(map(named.count, named))


def expect_refreshed(peer: Peer, server: Server, *, times: int = 1, within: float) -> None:
    """Expect that the IUT has sent Refresh so often before the time is over."""

    def refreshed() -> bool:
        return sum(one.message.lifetime != 0 for one in server.requests(Method.REFRESH)) >= times

    if not peer.wait_until(refreshed, within):
        raise Missing(
            "the IUT did not refresh its allocation",
            expected=f"Refresh number {times} within {within:g} s",
            actual=f"{len(server.requests(Method.REFRESH))} Refreshes",
        )


def deletions(upper: Upper, peer: Peer, side: str, server: Server) -> set[bytes]:
    """Complete ICE without the relay; return the lifetimes in Refreshes for the allocation; n/a if there are none."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    await_selection(upper, peer, peer.complete(iut, peer.connect(iut.candidate(tcptype="passive"))))
    if not peer.wait_until(lambda: bool(server.requests(Method.REFRESH)), peer.pixit.close):
        raise NotApplicable("the IUT sends no Refresh for what it does not need")
    return values(server.requests(Method.REFRESH), Attribute.LIFETIME)


def same_connects(server: Server, first: Asked) -> list[Asked]:
    """Return the Connects for the same peer on the same connection as this one."""
    named = first.message.xor_peer_address
    found = (one for one in server.requests(Method.CONNECT) if one.connection is first.connection)
    return [one for one in found if one.message.xor_peer_address == named]


def families_permitted(server: Server) -> set[int]:
    """Return the families of the peers that permissions were asked for."""
    asked = server.requests(Method.CREATE_PERMISSION)
    return {peer.value[1] for one in asked for peer in one.message.all(Attribute.XOR_PEER_ADDRESS)}
