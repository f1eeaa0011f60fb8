"""An ordinary session: where the IUT lacks in it what a case has missed, what the case did is not the reason.

A case about null frames waits for the answer to a check. An IUT that answers no check at all has not failed for null
frames. So when something did not come, one more session is held, as plain as can be, up to the step at which the same
thing has to come. If it does not come there either, the case is inconclusive and says so; a case that is about this
very step, as its requirements tell, stays failed.
"""

from __future__ import annotations

import enum
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.iut.upper import DELIVERY
from conformance.peer.connecting import CONNECTION
from conformance.peer.connection import OPEN
from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess, Data
from conformance.peer.premises import cites
from conformance.suites.checks import await_success
from conformance.suites.establishing import await_selection
from conformance.suites.media import await_delivered, await_sent
from conformance.suites.negotiation import negotiate
from conformance.verdict import CaseOutcome, Failed, Inconclusive, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.iut.upper import Upper
    from conformance.peer.tester import Peer

# What an ordinary session shows by itself; "14-" leaves the subsections out. Cases about it need no other session.
_SHOWN = (
    *("RFC3264", "RFC4571-2-01", "RFC4571-2-s01", "RFC4571-2-s03", "RFC8839-5.1", "RFC8839-5.3"),
    *("RFC6544-3", "RFC6544-4.4", "RFC6544-4.5", "RFC6544-5", "RFC6544-6", "RFC6544-8"),
    *("RFC6544-10.1-01", "RFC6544-10.1-02", "RFC6544-10.2-01", "RFC6544-10.2-s01", "RFC6544-10.2-s02"),
    *("RFC6544-7.1-01", "RFC6544-7.1-02", "RFC6544-7.1-03", "RFC6544-7.1-s01", "RFC6544-7.1-s02"),
    *(
        "RFC6544-7.1-s05",
        "RFC6544-11.1-04",
        "RFC8839-4.2.1.4",
        "RFC8839-4.3",
        "RFC8839-5.4",
        "RFC8445-8.2",
        "RFC8489-6.3.1.2",
    ),
    *("RFC6544-7.2-01", "RFC6544-7.2-02", "RFC6544-7.2-03", "RFC6544-7.2-s03", "RFC6544-11.1-01", "RFC6544-11.1-08"),
    *("RFC8445-5", "RFC8445-6.1.1", "RFC8445-6.1.2.2", "RFC8445-7.1", "RFC8445-7.2.2", "RFC8445-7.2.5.3-s01"),
    *("RFC8445-7.3-", "RFC8445-7.3.1.1-s01", "RFC8445-7.3.1.3", "RFC8445-7.3.1.4-s02", "RFC8445-8.1.1", "RFC8445-12"),
    *("RFC8489-5", "RFC8489-6.2.2", "RFC8489-6.3.1.1", "RFC8489-9.1.1", "RFC8489-9.1.2", "RFC8489-14"),
)


class Step(enum.IntEnum):
    """What an ordinary session comes to, one after the other."""

    CHECK = 1
    ANSWER = 2
    SELECTION = 3
    DELIVERY = 4
    DATA = 5


@dataclass(frozen=True, slots=True)
class Session:
    """What a case's session was like: the IUT's `side`, who opened the connection in question, and how many we did."""

    side: str
    opener: str  # "tester" or "IUT"
    agent: str = "full"
    connections: int = 1


def is_shown(requirements: Sequence[str]) -> bool:
    """Whether a case is about what an ordinary session shows by itself: by the sentence that it tests, its first."""
    return cites(requirements[:1], _SHOWN)


def step_of(failure: Failed) -> Step | None:
    """Return the step of an ordinary session at which has to come what is missing."""
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
        return Step.ANSWER
    return Step.DATA if isinstance(wanted, Data) else None


def steps(upper: Upper, peer: Peer, like: Session) -> Iterator[Step]:
    """Hold an ordinary session; yield each step that it has come to."""
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
    await_delivered(upper, peer, selected)
    yield Step.DELIVERY
    for _ in range(2):
        await_sent(upper, peer, selected)
    yield Step.DATA


def lacks(upper: Upper, peer: Peer, like: Session, step: Step) -> str:
    """Return why the IUT does not come to a step in an ordinary session; nothing if it does, or has no such session."""
    try:
        next(done for done in steps(upper, peer, like) if done >= step)
    except NotApplicable:
        return ""
    except CaseOutcome as outcome:
        return str(outcome)
    return ""


def session_of(upper: Upper, peer: Peer, failure: Failed) -> Session | None:
    """Return what a case's session was like; None if nothing was exchanged, or no connection is known."""
    if not upper.exchanged or not (peer.connections or failure.wanted == CONNECTION):
        return None
    by_the_iut = failure.wanted == CONNECTION or not peer.connections[-1].outgoing
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
        step, like = step_of(failure), session_of(upper, peer, failure)
        if step is None or like is None or is_shown(requirements):
            raise
        try:
            upper.close()
        except CaseOutcome:
            raise failure from None
        new_upper, new_peer = another()
        try:
            text = lacks(new_upper, new_peer, like, step)
        finally:
            new_peer.close()
            with suppress(CaseOutcome):
                new_upper.close()
        if not text:
            raise
        raise Inconclusive(
            f"{failure}; nor does an ordinary session have it: {text}", expected=failure.expected, actual=failure.actual
        ) from failure
