"""An ordinary session: where the IUT lacks in it what a case has missed, what the case did is not the reason.

A case about null frames waits for the answer to a check. An IUT that answers no check at all has not failed for null
frames. So when something did not come, one more session is held, as plain as can be, up to the step at which the same
thing has to come. If it does not come there either, the case is inconclusive and says so; a case that is about this
very step, as its requirements tell, stays failed.
"""

from __future__ import annotations

import enum
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from conformance.iut.upper import DELIVERY
from conformance.peer.connecting import CONNECTION
from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess, Data
from conformance.peer.premises import cites
from conformance.suites.checks import await_success
from conformance.suites.establishing import await_selection
from conformance.suites.media import ORDINARY, await_delivered, require_media
from conformance.suites.negotiation import negotiate
from conformance.verdict import CaseOutcome, Inconclusive, Missing, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.iut.upper import Upper
    from conformance.peer.tester import Peer

# What an ordinary session shows by itself; "14-" leaves the subsections out. Cases about it need no other session.
_SHOWN = (
    *("RFC3264", "RFC4571-2-01", "RFC4571-2-s01", "RFC4571-2-s03", "RFC8839-4.3", "RFC8839-5.1", "RFC8839-5.4"),
    *("RFC6544-3", "RFC6544-4.4", "RFC6544-4.5", "RFC6544-5", "RFC6544-6", "RFC6544-8", "RFC6544-10"),
    *("RFC6544-7.1-01", "RFC6544-7.1-02", "RFC6544-7.1-03", "RFC6544-7.1-s01", "RFC6544-7.1-s05"),
    *("RFC6544-7.2-01", "RFC6544-7.2-02", "RFC6544-7.2-03", "RFC6544-7.2-s03", "RFC6544-11.1-01", "RFC6544-11.1-08"),
    *("RFC8445-5", "RFC8445-6.1.1", "RFC8445-6.1.2.2", "RFC8445-7.1", "RFC8445-7.2.2", "RFC8445-7.2.5.3-s01"),
    *("RFC8445-7.3-", "RFC8445-7.3.1.1-s01", "RFC8445-7.3.1.3", "RFC8445-7.3.1.4-s02", "RFC8445-8.1.1", "RFC8445-12"),
    *("RFC8489-5", "RFC8489-6.2.2", "RFC8489-6.3.1", "RFC8489-9.1.1", "RFC8489-9.1.2", "RFC8489-14"),
)


class Step(enum.IntEnum):
    """What an ordinary session comes to, one after the other."""

    CONNECTION = 1
    CHECK = 2
    ANSWER = 3
    SELECTION = 4
    DELIVERY = 5
    DATA = 6


def is_shown(requirements: Sequence[str]) -> bool:
    """Whether a case is about what an ordinary session shows by itself."""
    return cites(requirements, _SHOWN)


def step_of(failure: Missing) -> Step | None:
    """Return the step of an ordinary session at which has to come what is missing."""
    wanted = failure.wanted
    if wanted == CONNECTION:
        return Step.CONNECTION
    if wanted == DELIVERY:
        return Step.DELIVERY
    if isinstance(wanted, BindingRequest):
        return Step.SELECTION if wanted.use_candidate else Step.CHECK
    if isinstance(wanted, (AnyResponse, BindingError, BindingSuccess)):
        return Step.ANSWER
    return Step.DATA if isinstance(wanted, Data) else None


def steps(upper: Upper, peer: Peer, side: str, opener: str) -> Iterator[Step]:
    """Hold an ordinary session; yield each step that it has come to. `opener`: of the connection, "tester" or "IUT"."""
    if opener == "IUT":
        iut = negotiate(upper, peer, side, peer_tcptypes="passive")
        connection = peer.await_connection()
        yield Step.CONNECTION
        connection.await_frame(BindingRequest, within=peer.pixit.response)
        yield Step.CHECK
        await_success(peer, iut, connection)
    else:
        iut = negotiate(upper, peer, side, peer_tcptypes="active")
        connection = peer.connect(iut.candidate(tcptype="passive"))
        yield Step.CONNECTION
        await_success(peer, iut, connection)
        connection.await_frame(BindingRequest, within=peer.pixit.response)
        yield Step.CHECK
    await_success(peer, iut, connection)
    yield Step.ANSWER
    selected = peer.complete(iut, connection)
    await_selection(upper, peer, selected)
    yield Step.SELECTION
    await_delivered(upper, peer, selected)
    yield Step.DELIVERY
    require_media(upper, peer, selected, ORDINARY)
    yield Step.DATA


def lacks(upper: Upper, peer: Peer, side: str, opener: str, step: Step) -> str:
    """Return why the IUT does not come to a step in an ordinary session; nothing if it does, or has no such session."""
    try:
        next(done for done in steps(upper, peer, side, opener) if done >= step)
    except NotApplicable:
        return ""
    except CaseOutcome as outcome:
        return str(outcome)
    return ""


def opener_in(peer: Peer, failure: Missing) -> str:
    """Return who opens the connection on which something is missing, "tester" or "IUT"; nothing if there is none."""
    if failure.wanted == CONNECTION:
        return "IUT"
    if not peer.connections:
        return ""
    return "tester" if peer.connections[-1].outgoing else "IUT"


def side_of(upper: Upper) -> str:
    """Return the IUT's side in a session; nothing if there was no exchange."""
    if not upper.exchanged:
        return ""
    return "answerer" if upper.exchanged[0][0] == "tester" else "offerer"


@contextmanager
def judged_by_an_ordinary_session(
    upper: Upper, peer: Peer, requirements: Sequence[str], another: Callable[[], tuple[Upper, Peer]]
) -> Iterator[None]:
    """Turn a failure for something that did not come into `Inconclusive` where ordinary sessions lack it as well.

    `another`: makes the testers of a further session.
    """
    try:
        yield
    except Missing as failure:
        step, side, opener = step_of(failure), side_of(upper), opener_in(peer, failure)
        if step is None or not side or not opener or upper.agent != "full" or is_shown(requirements):
            raise
        try:
            upper.close()
        except CaseOutcome:
            raise failure from None
        new_upper, new_peer = another()
        try:
            text = lacks(new_upper, new_peer, side, opener, step)
        finally:
            new_peer.close()
            with suppress(CaseOutcome):
                new_upper.close()
        if not text:
            raise
        raise Inconclusive(
            f"{failure}; nor does an ordinary session have it: {text}", expected=failure.expected, actual=failure.actual
        ) from failure
