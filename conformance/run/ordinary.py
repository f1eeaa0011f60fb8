"""An ordinary session: where the IUT lacks in it what a case has missed, what the case did is not the reason.

A case about null frames waits for the answer to a check. An IUT that answers no check at all has not failed for null
frames. So when something did not come, one more session is held, as plain as can be, up to the step at which the same
thing has to come. If it does not come there either, the case is inconclusive and says so. A case about what such a
session shows by itself stays failed if the session goes wrong where the sentence shows: see `shown`.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.iut.upper import DELIVERY, STUN_AMONG_DATA
from conformance.peer.connecting import CONNECTION
from conformance.peer.connection import OPEN, Connection
from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess, Data
from conformance.peer.premises import cites
from conformance.run.shown import Step, steps_shown, way_to
from conformance.suites.checks import await_success
from conformance.suites.establishing import await_selection
from conformance.suites.media import await_delivered, await_sent
from conformance.suites.negotiation import negotiate
from conformance.verdict import CaseOutcome, Failed, Inconclusive, JudgedElsewhere, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.iut.upper import Upper
    from conformance.peer.tester import Peer


_TOLD_APART = ("RFC6544-10.2-s01", "RFC6544-10.2-s02", "RFC7983")  # what is about STUN among data


@dataclass(frozen=True, slots=True)
class Session:
    """What a case's session was like: the IUT's `side`, who opened the connection in question, and how many we did."""

    side: str
    opener: str  # "tester" or "IUT"
    agent: str = "full"
    connections: int = 1


def step_of(failure: Failed, *, selected: bool = False) -> Step | None:
    """Return the step of an ordinary session at which has to come what is missing; `selected`: a pair was."""
    wanted = failure.wanted
    if wanted == OPEN:
        return Step.SELECTION
    if wanted == CONNECTION:
        return Step.CHECK  # a connection without a check is not one that was asked for
    if wanted == DELIVERY:
        return Step.DELIVERY
    if isinstance(wanted, BindingRequest):
        return Step.SELECTION if wanted.use_candidate else Step.CHECK
    if isinstance(wanted, (AnyResponse, BindingError, BindingSuccess)):
        return Step.LATE_ANSWER if selected else Step.ANSWER
    return Step.DATA if isinstance(wanted, Data) else None


def steps(upper: Upper, peer: Peer, like: Session, wanted: Step) -> Iterator[Step]:
    """Hold an ordinary session that leads to a step; yield each step that it has come to."""
    if like.opener == "IUT":
        iut = negotiate(upper, peer, like.side, peer_tcptypes="passive")
        connection = peer.await_connection()
        connection.await_frame(BindingRequest, within=peer.pixit.response)
        yield Step.CHECK
        await_success(peer, iut, connection)
    else:
        iut = negotiate(upper, peer, like.side, peer_tcptypes="active", agent=like.agent)
        connection = peer.connect(iut.candidate(tcptype="passive"))
        await_success(peer, iut, connection)
        if like.agent != "lite":
            connection.await_frame(BindingRequest, within=peer.pixit.response)
        yield Step.CHECK
        if like.connections > 1:
            await_success(peer, iut, peer.connect(iut.candidate(tcptype="passive")))
    await_success(peer, iut, connection)
    yield Step.ANSWER
    selected = peer.complete(iut, connection)
    await_selection(upper, peer, selected)
    yield Step.SELECTION
    if wanted is Step.LATE_ANSWER:
        await_success(peer, iut, selected)
    elif wanted is Step.DELIVERY:
        await_delivered(upper, peer, selected)
    else:
        for _ in range(2):
            await_sent(upper, peer, selected)
    yield wanted


def lacks(upper: Upper, peer: Peer, like: Session, wanted: Step) -> tuple[Step, str] | None:
    """Return the step that the IUT does not come to in an ordinary session, and why; None if it comes to `wanted`.

    None as well if it has no such session.
    """
    left = way_to(wanted)
    try:
        for done in steps(upper, peer, like, wanted):
            left.remove(done)
            if not left:
                break
    except NotApplicable:
        return None
    except CaseOutcome as outcome:
        return left[0], str(outcome)
    return None


def session_of(upper: Upper, peer: Peer, failure: Failed) -> Session | None:
    """Return what a case's session was like; None if nothing was exchanged, or no connection is known."""
    if not upper.exchanged or not (peer.connections or failure.wanted == CONNECTION):
        return None
    latest = failure.on if isinstance(failure.on, Connection) else next(iter(peer.connections[-1:]), None)
    by_the_iut = failure.wanted == CONNECTION or (latest is not None and not latest.outgoing)
    return Session(
        side="answerer" if upper.exchanged[0][0] == "tester" else "offerer",
        opener="IUT" if by_the_iut else "tester",
        agent=upper.agent,
        connections=sum(connection.outgoing for connection in peer.connections),
    )


@contextmanager
def judged_by_an_ordinary_session(
    upper: Upper, peer: Peer, requirements: Sequence[str], another: Callable[[], tuple[Upper, Peer]]
) -> Iterator[None]:
    """Turn a failure into `Inconclusive` where ordinary sessions lack what did not come, or ended, as well.

    `another`: makes the testers of a further session.
    """
    try:
        yield
    except Failed as failure:
        if failure.wanted == STUN_AMONG_DATA and not cites(requirements, _TOLD_APART):
            raise JudgedElsewhere(
                "the IUT delivers STUN messages among the data", case="RFC6544-10.2/checks_are_not_delivered_as_media"
            ) from failure
        like = session_of(upper, peer, failure)
        step = step_of(failure, selected=any(connection.selected for connection in peer.connections))
        if step is None or like is None:
            raise
        shown = steps_shown(requirements[0], like.opener)
        if shown.issuperset(way_to(step)):
            raise
        try:
            upper.close()
        except CaseOutcome:
            raise failure from None
        new_upper, new_peer = another()
        try:
            lacking = lacks(new_upper, new_peer, like, step)
        finally:
            new_peer.close()
            with suppress(CaseOutcome):
                new_upper.close()
        if lacking is None or lacking[0] in shown:
            raise
        raise Inconclusive(
            f"{failure}; nor does an ordinary session have it: {lacking[1]}",
            expected=failure.expected,
            actual=failure.actual,
        ) from failure
