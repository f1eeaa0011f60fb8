"""Consent to send: when the IUT asks for it, and what it does without (RFC 7675)."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, Data, Frame
from conformance.peer.recorded import sent_at
from conformance.suites.establishing import establish, establish_components, establish_streams
from conformance.suites.media import carrier
from conformance.suites.places import selected_at
from conformance.suites.values import DATA
from conformance.verdict import Inconclusive, JudgedElsewhere, Missing, NotApplicable
from conformance.wire.layers import RFC4571, binding_success

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer

LONGEST = 6.0  # seconds from one check of consent to the next (RFC 7675 section 5.1)
SHORTEST = 4.0
TOLERANCE = 0.4  # of timers and of this machine
LASTS = 30.0  # seconds: a longer period than 5 s breaks a SHOULD, no check before consent ends a MUST
_SENDING = 0.8  # from one packet of the application to the next
_SURELY = 2.0  # seconds behind the end of consent


def consenting(upper: Upper, peer: Peer, side: str) -> Connection:
    """Bring ICE to completion; return the selected connection, on which only what comes now counts (preamble)."""
    selected = establish(upper, peer, side)
    selected.begin_anew(selected=True)
    return selected


def asked(connection: Connection, since: float) -> list[Frame]:
    """Return the IUT's requests that came on a connection since this time, in `time.monotonic` seconds."""
    return [
        event
        for event in connection.events
        if isinstance(event, Frame) and event.time >= since and BindingRequest().fulfilled_by(event)
    ]


def needs_consent_checks(upper: Upper, peer: Peer, side: str, count: int) -> list[Frame]:
    """Return the first checks of consent on the connection that carries the data (preamble).

    So many, or what came in twice the time that they may take: only slow agents pay. The application sends meanwhile.
    """
    selected = consenting(upper, peer, side)
    begun = time.monotonic()

    def found() -> list[Frame]:
        return asked(carrier(peer, selected, begun), begun)

    for _ in range(round(2 * count * LONGEST / _SENDING)):
        _let_send(upper, selected.component)
        if peer.wait_until(lambda: len(found()) >= count, _SENDING):
            break
    if len(found()) < 2:
        raise JudgedElsewhere(f"{len(found())} checks of consent came", case="RFC7675-5.1/consent_is_checked_over_tcp")
    return found()


def intervals(peer: Peer, checks: list[Frame]) -> list[float]:
    """Return the seconds between one and the next, as the IUT sent them."""
    return [later - earlier for earlier, later in pairwise(sent_at(peer.recorded(), checks))]


def expect_consent_check(upper: Upper, peer: Peer, selected: Connection) -> tuple[Connection, Frame]:
    """Expect that the IUT asks for consent where it sends before consent ends; return the connection and the request.

    The application sends meanwhile. The connection is the selected one, or the one to which the IUT has gone over.
    """
    begun = time.monotonic()
    if unasked(upper, peer, [selected]):
        raise Missing(
            f"the IUT asked for no consent on {carrier(peer, selected, begun)}",
            expected=f"a Binding request within {LASTS:g} s",
            actual="none, and data",
        )
    connection = carrier(peer, selected, begun)
    return connection, asked(connection, begun)[0]


def consenting_on(upper: Upper, peer: Peer, side: str, where: str) -> list[Connection]:
    """Bring ICE to completion on connections "opened" by the IUT, of two "components" or "streams" (preamble).

    Or on one of when it was "restarted".
    """
    if where == "restarted":
        return [connection for _, connection in selected_at(upper, peer, side, where)]
    if where == "components":
        return establish_components(upper, peer, side, 2)
    if where == "streams":
        return establish_streams(upper, peer, side)
    return [establish(upper, peer, side, opener="IUT")]


def unasked(upper: Upper, peer: Peer, connections: Sequence[Connection]) -> list[Connection]:
    """Let the application send over each connection; return those on which the IUT does not ask before consent ends.

    A longer interval than 6 seconds breaks a SHOULD of its own (RFC 7675 section 5.1); only slow agents pay for it.
    Where the IUT sends nothing it need not ask: inconclusive. Where it goes over to another connection, as a
    controlling agent of RFC 5245 may, it must ask there: before that, what it sent had the consent of ICE's checks.
    """
    begun = time.monotonic()
    own = len({connection.component for connection in connections}) < len(connections)  # a stream each

    def missing() -> list[Connection]:
        return [one for one in (carrier(peer, each, begun) for each in connections) if not asked(one, begun)]

    for _ in range(round(LASTS / _SENDING)):
        for number, connection in enumerate(connections):
            _let_send(upper, connection.component, stream=number if own else 0)
        if peer.wait_until(lambda: not missing(), _SENDING):
            break
    left = missing()
    for one in left:
        if not any(event.time >= begun + LASTS / 2 and Data().fulfilled_by(event) for event in one.events):
            end = f"the last {LASTS / 2:g} of {LASTS:g} s"
            raise Inconclusive(f"no data came on {one} in {end}, and without data it need not ask for consent")
    return left


def _let_send(upper: Upper, component: int, *, stream: int = 0) -> None:
    """Let the application send, if it can: what a stack sends by itself, as DTLS, needs consent too."""
    with suppress(NotApplicable):
        upper.try_to_send(DATA, component, stream=stream)


def needs_consent_check(upper: Upper, peer: Peer, selected: Connection) -> Frame:
    """Return the first request for consent, while the application sends (preamble)."""
    try:
        _, request = expect_consent_check(upper, peer, selected)
    except Missing as failure:
        raise JudgedElsewhere("no check of consent came", case="RFC7675-5.1/consent_is_checked_over_tcp") from failure
    return request


def expect_silence_without_consent(upper: Upper, peer: Peer, selected: Connection) -> None:
    """Let the application send; expect that none of it comes over the connection, or another like it, any more."""
    connections = dict.fromkeys((selected, *peer.alike(selected)))
    for connection in connections:
        connection.begin_anew(selected=True)
    for _ in range(4):
        upper.try_to_send(DATA, selected.component)
        selected.expect_nothing(Data, within=peer.pixit.silence)
    for connection in connections:
        connection.expect_nothing(Data, within=0)


def let_consent_expire(
    peer: Peer, selected: Connection, answer: Callable[[Connection, Frame], None] = lambda _connection, _request: None
) -> None:
    """Answer no check, or only by `answer`, until consent has surely ended."""
    peer.answering = False
    for connection in peer.alike(selected):
        connection.on_request = answer
    peer.wait(LASTS + _SURELY)


def unauthenticated(connection: Connection, request: Frame) -> None:
    """Answer a request by a success that somebody else has made."""
    connection.send_between(RFC4571() / binding_success(request.stun.transaction_id, connection.seen_from, "wrong" * 5))


def require_data(upper: Upper, peer: Peer, selected: Connection) -> None:
    """Inconclusive unless data come over the connection, or another like it, while there is consent."""
    for _ in range(4):
        upper.try_to_send(DATA, selected.component)
        if peer.wait_until(lambda: any(one.has(Data(DATA)) for one in peer.alike(selected)), peer.pixit.silence):
            return
    raise Inconclusive("no data come while there is consent")


def answer_late(peer: Peer, selected: Connection) -> None:
    """Answer by success, now that consent has ended, whatever the IUT has asked for it."""
    for connection in peer.alike(selected):
        for request in asked(connection, 0.0):
            connection.send(RFC4571() / peer.success(connection, request))
    peer.wait(peer.pixit.silence)
