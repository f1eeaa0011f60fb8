"""ICE restarts (RFC 6544 section 9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.describe import joined
from conformance.peer.events import Frame
from conformance.suites.dimensions import SIDES
from conformance.suites.establishing import await_selection
from conformance.suites.media import SENDING
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA, LOST
from conformance.verdict import Inconclusive, Missing, NotApplicable

if TYPE_CHECKING:
    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.events import Event
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

# Who offered first restarts: the roles stay (RFC 8445 section 9), and all readings agree on which they are.
RESTARTS_BY = {"offerer": "IUT", "answerer": "tester"}


def restart(
    upper: Upper,
    peer: Peer,
    by: str,
    peer_tcptypes: str = "active",
    candidates: list[Candidate] | None = None,
    *,
    streams: int = 1,
) -> Description:
    """Restart ICE with an offer of the "IUT" or of the "tester"; return the IUT's new description (preamble).

    `streams`: of so many, with candidates of our usual kind for each.
    """
    needed = {"IUT": "offerer", "tester": "answerer"}[by]
    if needed not in upper.pics.get("sides", SIDES):
        raise NotApplicable(f"the IUT's pics lack sides {needed}, which a restart by the {by} makes it")
    for connection in [connection for connection in peer.connections if connection.selected]:
        peer.settle(connection)  # an IUT that has not seen our success yet has selected nothing
    if by == "IUT":
        theirs = upper.restart()
        first = theirs.stream(0) if streams > 1 else theirs
        answers = [peer.restart_answer(first.sdp, peer_tcptypes, candidates=candidates)]
        answers += [peer.later_answer(theirs.stream(number).sdp, peer_tcptypes) for number in range(1, streams)]
        upper.accept(joined(answers), kind="answer")
        return theirs
    named = {"mid": "0"} if streams > 1 else {}
    offers = [peer.restart_offer(peer_tcptypes, candidates=candidates, **named)]
    offers += [peer.updated_offer(peer_tcptypes, mid=str(number)) for number in range(1, streams)]
    upper.accept(joined(offers), kind="offer")
    return upper.describe()


def await_connection_of_restart(peer: Peer, iut: Description) -> Connection:
    """Return the connection that the IUT opens for its restart, once its check there has told that (preamble).

    `iut`: its new description. Until it has read ours it may open connections for the session of before, whose checks
    have the former credentials, and ours are refused there.
    """
    fragments = iut.fragments or {iut.ufrag}

    def found() -> Connection | None:
        opened = (connection for connection in peer.connections if not connection.outgoing)
        return next((one for one in opened if any(map(is_of_restart, one.events))), None)

    def is_of_restart(event: Event) -> bool:
        return isinstance(event, Frame) and any(event.is_to(peer.ufrag, fragment) for fragment in fragments)

    peer.wait_until(lambda: found() is not None, peer.pixit.connect)
    connection = found()
    if connection is None:
        other = peer.await_connection()  # says so if none came at all
        raise Inconclusive(f"no connection came with a check of the restart's credentials; {other} was opened")
    return connection


def lite_restarted(upper: Upper, peer: Peer) -> tuple[Description, Connection]:
    """Bring ICE to completion with a lite IUT and restart it; return its new description and the former connection.

    Of the states that the IUT reports only those of the restart are kept.
    """
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active", agent="lite")
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    await_selection(upper, peer, selected)
    upper.states.clear()
    later = restart(upper, peer, "tester")
    selected.begin_anew(selected=True)
    return later, selected


def expect_restart(upper: Upper, peer: Peer, before: Description) -> None:
    """Let the application send until the IUT tells it that the connection is lost, or restarts ICE by itself.

    Most stacks leave the restart to the application, which can only know of the loss by a state. Many go on trying to
    connect and say so when consent has expired.
    """
    for _ in range(round(peer.pixit.consent / SENDING)):
        upper.try_to_send(DATA)
        if peer.wait_until(
            lambda: bool(set(LOST) & set(upper.states_since(0))), SENDING
        ):  # it may have said so at once
            return
    if upper.describe().ufrag != before.ufrag:
        return
    if not upper.reports_state:
        raise NotApplicable("the IUT does not restart ICE by itself, and reports no states")
    raise Missing(
        "the IUT neither restarts ICE nor tells its application of the lost connection",
        expected=f"an offer with new credentials, or one of the states {', '.join(LOST)}",
        actual=f"after {peer.pixit.consent:g} s the same credentials and the states {upper.states_since(0)}",
    )
