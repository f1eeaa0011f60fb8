"""What the IUT's application sends.

Where DTLS stands above ICE, the application can send nothing before the handshake is over. What leaves then is the
handshake: the IUT is its client and, as long as it has no answer, sends its ClientHello again (RFC 6347 section 4.2.4).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, Data
from conformance.peer.secure import AnyDtls
from conformance.suites.framing import let_handshake_begin, misframed
from conformance.suites.values import DATA, rtp
from conformance.verdict import Failed, Inconclusive, Missing, NotApplicable
from conformance.wire.rfc4571 import frame as framed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.events import Expectation
    from conformance.peer.tester import Peer

ORDINARY = rtp(9, b"nothing special")
SENDING = 0.2  # seconds between two packets of the application
_RECORD = re.compile(rb"\x16\xfe[\xfd\xff]")  # a handshake's, of DTLS 1.0 or 1.2 (1.3 says 1.2 until it is agreed on)


def send_each(upper: Upper, packets: Iterable[bytes], component: int = 1) -> None:
    """Let the IUT's application send these, one after the other."""
    for packet in packets:
        upper.send(packet, component)


def needs_sending(upper: Upper, octets: bytes) -> None:
    """Let the IUT's application send a packet that a stack may refuse for its size: n/a where it does."""
    try:
        upper.send(octets)
    except Inconclusive as refusal:
        upper.check_alive()
        raise NotApplicable(f"the stack does not send {len(octets)} octets at once: {refusal}") from refusal


def came(upper: Upper, peer: Peer, connection: Connection, octets: bytes, *, stream: int = 0) -> bool:
    """Let the IUT's application send until this comes over a connection, in a frame or not; return whether it does.

    Where DTLS stands above ICE: wait for a record of its handshake that no expectation has taken.
    """
    if upper.secured:
        return peer.wait_until(lambda: any(map(_handshakes_on, peer.alike(connection))), peer.pixit.complete)
    for _ in range(round(peer.pixit.response / SENDING)):
        upper.try_to_send(octets, connection.component, stream=stream)
        if peer.wait_until(lambda: any(octets in one.octets for one in _nominated(peer, connection)), SENDING):
            return True
    return False


def _nominated(peer: Peer, connection: Connection) -> list[Connection]:
    """Return the connection, and those like it that the IUT has nominated as well: it may send on any of them."""
    return [connection, *(one for one in peer.alike(connection) if one.selected and one is not connection)]


def _having(connections: Iterable[Connection], wanted: Expectation, otherwise: Connection) -> Connection:
    """Return the first of these connections on which this has come."""
    return next((one for one in connections if one.has(wanted)), otherwise)


def expect_coming(
    upper: Upper, peer: Peer, connection: Connection, octets: bytes, otherwise: str, *, stream: int = 0
) -> None:
    """Let the IUT's application send until this comes over a connection, in a frame or not; see `came`."""
    if not came(upper, peer, connection, octets, stream=stream):
        raise Missing(
            otherwise,
            expected=f"what the application sends comes over {connection}",
            actual="it does not come there",
            wanted=Data(),
            on=connection,
        )


def expect_completed(upper: Upper, peer: Peer, connection: Connection, otherwise: str) -> None:
    """Expect that what the application sends comes over a connection, or that the stack says that ICE has completed."""
    if not came(upper, peer, connection, DATA) and "completed" not in upper.states_since(0):
        raise Missing(
            otherwise,
            expected="what the application sends comes there, or the state completed",
            actual="neither",
            wanted=Data(),
            on=connection,
        )


def require_media(upper: Upper, peer: Peer, connection: Connection, octets: bytes) -> None:
    """Wait until what the application sends comes over a connection, in a frame or not (preamble)."""
    if not came(upper, peer, connection, octets):
        raise Inconclusive(f"the application's data does not come over {connection}")


def carrier(peer: Peer, connection: Connection, since: float) -> Connection:
    """Return the connection over which the IUT has sent data last, since this time in `time.monotonic` seconds.

    It is this one, or another of the IUT's to the same candidate of ours: a controlling agent of RFC 5245 nominates by
    each check, and goes over to the best pair that has become valid. If no data have come, it is this one.
    """

    def latest(one: Connection) -> float:
        return max((e.time for e in one.events if e.time >= since and Data().fulfilled_by(e)), default=0.0)

    return max((connection, *peer.alike(connection)), key=latest)  # the first of equal ones


def carries(upper: Upper, connection: Connection, octets: bytes, since: int = 0) -> bool:
    """Whether this, or what DTLS sends in its place, has come over a connection, behind so many octets."""
    return bool(_RECORD.search(connection.octets, since)) if upper.secured else octets in connection.octets[since:]


def _handshakes_on(connection: Connection) -> bool:
    framed = any(AnyDtls().fulfilled_by(event) for event in connection.events)
    return connection.has(AnyDtls()) or (not framed and bool(_RECORD.search(connection.octets)))


def unframed_data(upper: Upper, connections: Sequence[Connection]) -> list[str]:
    """Return what the application, or DTLS in its place, has sent on these connections without a frame."""
    found = misframed(connections)
    return found.bare_data + (found.length + found.between if upper.secured else [])


def expect_sent(upper: Upper, peer: Peer, connection: Connection, packets: Sequence[bytes]) -> None:
    """Expect that what the application has sent comes in frames that hold it and nothing else."""
    if upper.secured:
        expect_media(upper, peer, connection, b"".join(packets))
    else:
        connection.expect_data(b"".join(packets), within=peer.pixit.response)


def await_octets_of(upper: Upper, peer: Peer, connection: Connection, packets: Sequence[bytes]) -> None:
    """Let the IUT's application send these packets; wait until their octets have come, framed or not (preamble).

    Where DTLS stands above ICE: wait until its handshake has begun.
    """
    if upper.secured:
        let_handshake_begin(peer, connection)
        if not any(_RECORD.search(one.octets) for one in peer.alike(connection)):
            raise Inconclusive(f"no DTLS handshake began on {connection} within {peer.pixit.complete:g} s")
        return
    wanted = len(connection.octets) + sum(map(len, packets))
    send_each(upper, packets)
    peer.wait_until(lambda: len(connection.octets) >= wanted and packets[-1] in connection.octets, peer.pixit.response)
    if packets[-1] not in connection.octets:
        raise Inconclusive(f"the last of {len(packets)} packets of the application did not come on {connection}")


def await_sent(upper: Upper, peer: Peer, connection: Connection, octets: bytes = ORDINARY) -> None:
    """Let the IUT's application send an ordinary packet until it comes over a connection, in a frame (preamble)."""
    try:
        expect_media(upper, peer, connection, octets)
    except Failed as failure:
        raise Inconclusive(f"ordinary data does not come: {failure}") from failure
    connection.begin_anew(selected=True)


def await_delivered(
    upper: Upper, peer: Peer, connection: Connection, octets: bytes = ORDINARY, *, stream: int = 0
) -> None:
    """Send a frame with an ordinary packet and wait until the application has received just that (preamble).

    Where DTLS stands above ICE, only one packet of ours shows that it is delivered: that is the case's.
    """
    if upper.secured:
        return
    upper.forget_data()
    connection.send(framed(octets))
    try:
        upper.expect_data(octets, component=connection.component, stream=stream, within=peer.pixit.response)
    except Failed as failure:
        raise Inconclusive(f"ordinary data is not delivered: {failure.actual}") from failure
    upper.forget_data()


def note_beginning(peer: Peer, connection: Connection) -> None:
    """Note whether (D)TLS begins on a valid pair before it is nominated: both readings are lawful."""
    peer.wait_until(lambda: any(AnyDtls().fulfilled_by(event) for event in connection.events), peer.pixit.silence)
    nominated = any(BindingRequest(use_candidate=True).fulfilled_by(event) for event in connection.events)
    early = any(AnyDtls().fulfilled_by(event) for event in connection.events) and not nominated
    peer.readings.append(
        "(D)TLS began on a valid pair before it was nominated, as RFC 8445 section 12.1 allows"
        if early
        else "(D)TLS did not begin before the nomination, as RFC 5245 section 11.1.1 has it"
    )


def note_delivery(upper: Upper, peer: Peer, octets: bytes) -> None:
    """Note whether data on a connection without a valid check is given to the application: both readings are lawful.

    Where DTLS stands above ICE, that cannot be seen.
    """
    if upper.secured:
        return
    peer.wait_until(lambda: upper.has_received(octets), peer.pixit.silence)
    peer.readings.append(
        "data on a connection without a valid check is delivered, as RFC 5245 section 11.2 has it for any candidate"
        if upper.has_received(octets)
        else "data on a connection without a valid check is not delivered, as RFC 6544 section 12 has it"
    )


def expect_completion(upper: Upper, peer: Peer, connection: Connection) -> None:
    """Expect a sign that ICE goes on to its end on a connection of a controlling IUT: a nomination, state or data.

    Data are what the application sends, or what the stack itself begins with (DTLS).
    """
    first = next(event for event in connection.events if BindingRequest().fulfilled_by(event))
    nominations = BindingRequest(use_candidate=True)

    def seen() -> bool:
        upper.try_to_send(DATA, connection.component)
        nominated = any(nominations.fulfilled_by(event) for event in connection.events if event is not first)
        media = any(Data().fulfilled_by(event) for event in connection.events)
        return nominated or media or DATA in connection.octets or upper.is_connected

    for _ in range(round(max(peer.pixit.complete, peer.pixit.decides) / SENDING)):
        if seen() or peer.wait_until(lambda: not connection.is_open, SENDING):
            break
    if not seen():
        raise Missing(
            "the success response was not taken",
            expected="a nomination, a state or data that shows that the pair has become valid",
            actual="none of these in the time that it may take to nominate",
        )


def expect_media(
    upper: Upper, peer: Peer, connection: Connection, octets: bytes, *, within: float | None = None
) -> None:
    """Let the IUT's application send until this packet comes over a connection; the IUT may refuse it before."""
    if upper.secured:
        peer.wait_until(lambda: any(each.has(AnyDtls()) for each in peer.alike(connection)), peer.pixit.complete)
        _having(peer.alike(connection), AnyDtls(), connection).expect(AnyDtls, within=0)
        return
    wanted = Data(octets)
    for _ in range(round((peer.pixit.response if within is None else within) / SENDING)):
        upper.try_to_send(octets, connection.component)
        if peer.wait_until(lambda: any(one.has(wanted) for one in _nominated(peer, connection)), SENDING):
            break
    _having(_nominated(peer, connection), wanted, connection).expect(wanted, within=SENDING)


def expect_media_when_ready(upper: Upper, peer: Peer, connection: Connection, octets: bytes) -> None:
    """Let the IUT's application send when the stack says that it is connected; where it never says, until it comes.

    For a body that judges by what comes over the connection whether ICE has completed.
    """
    upper.allow_for_connecting(within=peer.pixit.complete)
    within = peer.pixit.response if upper.reports_state else peer.pixit.complete
    expect_media(upper, peer, connection, octets, within=within)
