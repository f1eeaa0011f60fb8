"""Consent to send: when the IUT asks for it, and what it does without (RFC 7675)."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.peer.events import BindingRequest, Data, Frame
from conformance.peer.recorded import sent_at
from conformance.suites.establishing import establish, establish_components, establish_streams
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


def asked(selected: Connection, since: int) -> list[Frame]:
    """Return the IUT's requests on a connection behind so many events."""
    return [
        event for event in selected.events[since:] if isinstance(event, Frame) and BindingRequest().fulfilled_by(event)
    ]


def needs_consent_checks(upper: Upper, peer: Peer, side: str, count: int) -> list[Frame]:
    """Return the first checks of consent on the selected connection (preamble).

    So many, or what came in twice the time that they may take: only slow agents pay. The application sends meanwhile.
    """
    selected = consenting(upper, peer, side)
    since = len(selected.events)
    for _ in range(round(2 * count * LONGEST / _SENDING)):
        _let_send(upper, selected.component)
        if peer.wait_until(lambda: len(asked(selected, since)) >= count, _SENDING):
            break
    found = asked(selected, since)
    if len(found) < 2:
        raise JudgedElsewhere(f"{len(found)} checks of consent came", case="RFC7675-5.1/consent_is_checked_over_tcp")
    return found


def intervals(peer: Peer, checks: list[Frame]) -> list[float]:
    """Return the seconds between one and the next, as the IUT sent them."""
    return [later - earlier for earlier, later in pairwise(sent_at(peer.recorded(), checks))]


def expect_consent_check(upper: Upper, peer: Peer, selected: Connection) -> Frame:
    """Expect that the IUT asks for consent on a connection before it ends, while its application sends."""
    since = len(selected.events)
    if unasked(upper, peer, [selected]):
        raise Missing(
            f"the IUT asked for no consent on {selected}",
            expected=f"a Binding request within {LASTS:g} s",
            actual="none, and data",
        )
    return asked(selected, since)[0]


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
    Where the IUT sends nothing it need not ask: inconclusive. So it is where it goes over to another connection, as a
    controlling agent of RFC 5245 may: what it sent on the former one before that had the consent of ICE's checks.
    """
    since = [len(connection.events) for connection in connections]
    begun = time.monotonic()
    own = len({connection.component for connection in connections}) < len(connections)  # a stream each

    def missing() -> list[Connection]:
        return [one for one, count in zip(connections, since, strict=True) if not asked(one, count)]

    for _ in range(round(LASTS / _SENDING)):
        for number, connection in enumerate(connections):
            _let_send(upper, connection.component, stream=number if own else 0)
        if peer.wait_until(lambda: not missing(), _SENDING):
            break
    left = missing()
    for one, count in zip(connections, since, strict=True):
        late = (event for event in one.events[count:] if event.time >= begun + LASTS / 2)
        if one in left and not any(map(Data().fulfilled_by, late)):
            end = f"the last {LASTS / 2:g} of {LASTS:g} s"
            raise Inconclusive(f"no data came on {one} in {end}, and without data it need not ask for consent")
    return left


def _let_send(upper: Upper, component: int, *, stream: int = 0) -> None:
    """Let the application send, if it can: what a stack sends by itself, as DTLS, needs consent too."""
    with suppress(NotApplicable):
        upper.try_to_send(DATA, component, stream=stream)


def needs_consent_check(upper: Upper, peer: Peer, selected: Connection) -> Frame:
    """Return the first request for consent, while the application sends (preamble)."""
    since = len(selected.events)
    if unasked(upper, peer, [selected]):
        raise JudgedElsewhere("no check of consent came", case="RFC7675-5.1/consent_is_checked_over_tcp")
    return asked(selected, since)[0]


def expect_silence_without_consent(upper: Upper, peer: Peer, selected: Connection) -> None:
    """Let the application send; expect that none of it comes over the connection any more."""
    selected.begin_anew(selected=True)
    for _ in range(4):
        upper.try_to_send(DATA, selected.component)
        selected.expect_nothing(Data, within=peer.pixit.silence)


def let_consent_expire(
    peer: Peer, selected: Connection, answer: Callable[[Connection, Frame], None] = lambda _connection, _request: None
) -> None:
    """Answer no check, or only by `answer`, until consent has surely ended."""
    peer.answering = False
    selected.on_request = answer
    peer.wait(LASTS + _SURELY)


def unauthenticated(connection: Connection, request: Frame) -> None:
    """Answer a request by a success that somebody else has made."""
    connection.send_between(RFC4571() / binding_success(request.stun.transaction_id, connection.seen_from, "wrong" * 5))


def require_data(upper: Upper, peer: Peer, selected: Connection) -> None:
    """Inconclusive unless data come over the connection while there is consent."""
    for _ in range(4):
        upper.try_to_send(DATA, selected.component)
        if selected.wait_for(Data(DATA), within=peer.pixit.silence):
            return
    raise Inconclusive("no data come while there is consent")


def answer_late(peer: Peer, selected: Connection) -> None:
    """Answer by success, now that consent has ended, whatever the IUT has asked for it."""
    for request in asked(selected, 0):
        selected.send(RFC4571() / peer.success(selected, request))
    peer.wait(peer.pixit.silence)
