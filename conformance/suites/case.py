"""What the cases are made of: the requirement mark, and the few verbs that need both testers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from conformance.catalogue import requirement as look_up
from conformance.catalogue.capabilities import check_conditions
from conformance.peer.events import BindingSuccess, Data
from conformance.suites.dimensions import EVERY_CUT as EVERY_CUT
from conformance.suites.dimensions import SIDES as SIDES
from conformance.suites.dimensions import varied as varied
from conformance.suites.values import DATA
from conformance.verdict import Failed, NotApplicable
from conformance.wire.layers import RFC4571

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.channel import Channel
    from conformance.peer.events import Frame
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

F = TypeVar("F", bound="Callable[..., None]")

FAMILIES = ("IPv4", "IPv6")
_LOST = {"disconnected", "failed", "closed"}
_SENDING = 0.2  # seconds between two packets of the application
both_sides = pytest.mark.parametrize("side", SIDES)


RESTARTS_BY = {"offerer": "IUT", "answerer": "tester"}  # who offered first: readings of the roles do not differ then
ends = pytest.mark.parametrize("end", ["FIN", "RST"])
in_pieces = pytest.mark.parametrize(
    "cut", [(1,), (2,), (12,), tuple(range(1, 60))], ids=["in-length", "behind-length", "in-header", "octets"]
)


def both_families(function: F) -> F:
    """Make a case run over IPv4 and over IPv6, without its function having to know."""
    marked: F = pytest.mark.usefixtures("family")(pytest.mark.parametrize("family", FAMILIES, indirect=True)(function))
    return marked


def crosswise(function: F) -> F:
    """Make a case run with the IUT as offerer over IPv4 and as answerer over IPv6: each of either once."""
    pairs = list(zip(SIDES, FAMILIES, strict=True))
    vary = pytest.mark.parametrize(("side", "family"), pairs, indirect=["family"])
    marked: F = pytest.mark.usefixtures("family")(vary(function))
    return marked


def requirement(*identifiers: str, needs: str = "") -> Callable[[F], F]:
    """Mark a function as a case of these requirements.

    `needs` are further PICS conditions, separated by blanks ("offers:passive reports:data"); those of the
    requirements hold anyway. Raises at import for an unknown requirement or condition.
    """
    for identifier in identifiers:
        look_up(identifier)
    conditions = tuple(needs.split())
    check_conditions(conditions)
    mark = pytest.mark.requirement(*identifiers, needs=conditions)

    def decorate(function: F) -> F:
        marked: F = mark(function)
        return marked

    return decorate


def negotiate(
    upper: Upper,
    peer: Peer,
    side: str,
    *,
    tcptypes: str = "active passive",
    peer_tcptypes: str = "active passive",
    peer_candidates: list[Candidate] | None = None,
    peer_lite: bool = False,
    components: int = 1,
    media: str = "rtp",
    **wishes: Any,
) -> Description:
    """Exchange offer and answer with the IUT on this side of it; return the IUT's description (preamble)."""
    shape = peer.shape
    components = max(components, shape.components)
    mine: dict[str, Any] = {"candidates": peer_candidates, "components": components, "ice_lite": peer_lite}
    if side == "offerer":
        theirs = upper.offer(tcptypes, components=components, media=media, **wishes)
        _needs_family(theirs, wishes)
        upper.accept(peer.answer(theirs.sdp, peer_tcptypes, **mine), kind="answer")
    else:
        ours = peer.offer(peer_tcptypes, media=media, **mine)
        theirs = upper.answer(ours, tcptypes, components=components, media=media, **wishes)
        _needs_family(theirs, wishes)
    if shape.roles == "switched":
        if peer_tcptypes != "active":
            raise NotApplicable("the IUT may check first, and then no check of ours decides the roles")
        peer.switch_roles()
    return theirs


def needs_regular_nomination(check: Frame) -> None:
    """Raise `NotApplicable` where the IUT's first check nominates: what follows no longer shows what it believes."""
    if check.stun.use_candidate:
        raise NotApplicable("the IUT nominates in its first check (RFC6544-8-01), so a nomination shows nothing here")


def describe(upper: Upper, peer: Peer, side: str, **wishes: Any) -> Description:
    """Return the IUT's offer, or its answer to an offer of ours."""
    wishes = {"components": peer.shape.components, **wishes}
    if side == "offerer":
        return upper.offer(**wishes)
    return upper.answer(peer.offer(components=wishes["components"]), **wishes)


def establish_components(upper: Upper, peer: Peer, side: str, components: int) -> list[Channel]:
    """Bring ICE to completion for several components over connections that we open; return theirs in order."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", components=components)
    numbers = range(1, components + 1)
    channels = [peer.connect(iut.candidate(tcptype="passive", component=number)) for number in numbers]
    for channel in channels:
        peer.complete(iut, channel)
    for channel in channels:
        settle(upper, peer, channel)
    upper.forget_data()
    return channels


def establish(upper: Upper, peer: Peer, side: str, *, media: str = "rtp", opener: str | None = None) -> Channel:
    """Bring ICE to completion and return the selected connection, ready for media (preamble).

    `opener`: who opens it, "tester" or "IUT"; without it whoever can: the tester where there is a passive candidate.
    """
    if opener is None and peer.shape.components > 1:
        return establish_components(upper, peer, side, peer.shape.components)[0]
    if opener_of(upper, opener) == "tester":
        iut = negotiate(upper, peer, side, peer_tcptypes="active", media=media)
        selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    else:
        iut = negotiate(upper, peer, side, peer_tcptypes="passive", media=media)
        selected = peer.complete(iut, peer.await_connection())
    settle(upper, peer, selected)
    upper.forget_data()
    peer.forget_arrivals()  # of an IUT's other pairs
    return selected


def _needs_family(iut: Description, wishes: Mapping[str, Any]) -> None:
    """Raise `NotApplicable` where the IUT has no address of the case's family, unless the case wishes for addresses."""
    if "addresses" not in wishes:
        iut.needs_family()


def opener_of(upper: Upper, wished: str | None) -> str:
    """Return who opens the connection; n/a where the IUT declares that it does not do its part."""
    passive, active = "passive" in upper.pics.get("offers", []), "active" in upper.pics.get("connects", [])
    if wished is None and not (passive or active):
        raise NotApplicable("the IUT's pics lack offers passive and connects active: nobody opens a connection")
    opener = wished or ("tester" if passive else "IUT")
    if opener == "IUT" and not active:
        raise NotApplicable("the IUT's pics lack connects active")
    return opener


def settle(upper: Upper, peer: Peer, selected: Channel) -> None:
    """Wait, as a preamble, until the IUT itself knows of the selection.

    A stack may tell no state, or be connected before it has read our answer to its nomination.
    """
    upper.ready(within=peer.pixit.complete)
    peer.settle(selected)


def restart(
    upper: Upper, peer: Peer, by: str, peer_tcptypes: str = "active", candidates: list[Candidate] | None = None
) -> Description:
    """Restart ICE with an offer of the "IUT" or of the "tester"; return the IUT's new description (preamble)."""
    needed = {"IUT": "offerer", "tester": "answerer"}[by]
    if needed not in upper.pics.get("sides", SIDES):
        raise NotApplicable(f"the IUT's pics lack sides {needed}, which a restart by the {by} makes it")
    for channel in [channel for channel in peer.channels if channel.selected]:
        peer.settle(channel)  # an IUT that has not seen our success yet has selected nothing
    if by == "IUT":
        theirs = upper.restart()
        upper.accept(peer.restart_answer(theirs.sdp, peer_tcptypes, candidates=candidates), kind="answer")
        return theirs
    upper.accept(peer.restart_offer(peer_tcptypes, candidates=candidates), kind="offer")
    return upper.describe()


def negotiate_dtls(
    upper: Upper, peer: Peer, side: str, *, iut_is: str = "active", peer_tcptypes: str, tcptypes: str = "active passive"
) -> Description:
    """Exchange offer and answer so that a=setup makes the IUT DTLS's client ("active") or its server (preamble).

    Both sides offer actpass, as RFC 5763 section 5 has it, so an answering IUT chooses; if it chooses otherwise, the
    case is n/a.
    """
    if side == "offerer":
        theirs = upper.offer(tcptypes)
        ours = peer.answer(theirs.sdp, peer_tcptypes, setup={"active": "passive", "passive": "active"}[iut_is])
        upper.accept(ours, kind="answer")
        return theirs
    theirs = upper.answer(peer.offer(peer_tcptypes, setup="actpass"), tcptypes)
    if theirs.media().setup != iut_is:
        raise NotApplicable(f"answering actpass, the IUT chose a=setup:{theirs.media().setup}")
    return theirs


def establish_dtls(upper: Upper, peer: Peer, side: str, *, iut_is: str = "active") -> Channel:
    """Bring ICE to completion below DTLS, over a connection that either side opened (preamble)."""
    if "passive" in upper.pics.get("offers", []):
        iut = negotiate_dtls(upper, peer, side, iut_is=iut_is, peer_tcptypes="active")
        return peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    iut = negotiate_dtls(upper, peer, side, iut_is=iut_is, peer_tcptypes="passive")
    return peer.complete(iut, peer.await_connection())


def await_another_connection(peer: Peer) -> Channel:
    """Wait for a further connection as a preamble: n/a for an IUT that opens one alone, which other cases judge."""
    try:
        return peer.expect_connection()
    except Failed as failure:
        raise NotApplicable(f"the IUT opened no further connection, which another case judges: {failure}") from failure


def expect_reopened(upper: Upper, peer: Peer, component: int = 1) -> Channel:
    """Let the IUT's application send until the IUT has opened a connection again (RFC 6544 section 11.1).

    Again and again, because what is sent before the IUT has seen the loss asks for nothing.
    """
    attempts = round(peer.pixit.connect / _SENDING)
    for _ in range(attempts):
        upper.try_to_send(DATA, component)
        if peer.wait_until(lambda: peer.was_met, _SENDING):
            return peer.expect_connection()
    raise Failed(
        "the IUT did not reopen the selected pair's connection",
        expected="the IUT connects to the remote candidate of the selected pair",
        actual=f"no connection within {peer.pixit.connect:g} s, in which its application sent {attempts} packets",
    )


def await_reopened(upper: Upper, peer: Peer) -> Channel:
    """Let the IUT reopen the connection as a preamble: n/a if it does not, which another case judges."""
    try:
        return expect_reopened(upper, peer)
    except Failed as failure:
        raise NotApplicable(f"{failure}, which another case judges") from failure


def reopen(upper: Upper, peer: Peer, side: str, opener: str) -> Channel:
    """Bring ICE to completion, lose the connection, and return the one in its place, checked both ways (preamble)."""
    peer.lose(establish(upper, peer, side, opener=opener), "RST")
    iut = upper.description
    assert iut is not None, "ICE has completed"
    if opener == "IUT":
        return peer.revive(iut, await_reopened(upper, peer))
    peer.wait(peer.pixit.silence)
    return peer.revive(iut, peer.connect(iut.candidate(tcptype="passive")))


def expect_restart(upper: Upper, peer: Peer, before: Description) -> None:
    """Let the application send until the IUT tells it that the connection is lost, or restarts ICE by itself.

    Most stacks leave the restart to the application, which can only know of the loss by a state. Many go on trying to
    connect and say so when consent has expired.
    """
    for _ in range(round(peer.pixit.consent / _SENDING)):
        upper.try_to_send(DATA)
        if peer.wait_until(lambda: bool(_LOST & set(upper.states_since(0))), _SENDING):  # it may have said so at once
            return
    if upper.describe().ufrag != before.ufrag:
        return
    if "state" not in upper.pics.get("reports", []):
        raise NotApplicable("the IUT does not restart ICE by itself, and reports no states")
    raise Failed(
        "the IUT neither restarts ICE nor tells its application of the lost connection",
        expected=f"an offer with new credentials, or one of the states {', '.join(sorted(_LOST))}",
        actual=f"after {peer.pixit.consent:g} s the same credentials and the states {upper.states_since(0)}",
    )


def expect_media_when_ready(upper: Upper, peer: Peer, channel: Channel, octets: bytes) -> None:
    """Let the IUT's application send when the stack says that it is connected; where it never says, until it comes.

    For a body that judges by what comes over the connection whether ICE has completed.
    """
    if upper.reports_state:
        upper.wait_state("connected", "completed", within=peer.pixit.complete)
    within = peer.pixit.response if upper.reports_state else peer.pixit.complete
    expect_media(upper, peer, channel, octets, within=within)


def expect_answers(peer: Peer, asked: Iterable[tuple[Description, Channel]], *, within: float) -> None:
    """Send a check on each of these connections, with this description's credentials, and expect a success to each."""
    for iut, channel in asked:
        channel.send(RFC4571() / peer.check(iut, component=channel.component))
        channel.expect(BindingSuccess, within=within)


def expect_media(upper: Upper, peer: Peer, channel: Channel, octets: bytes, *, within: float | None = None) -> None:
    """Let the IUT's application send until this packet comes over a connection; the IUT may refuse it before."""
    for _ in range(round((peer.pixit.response if within is None else within) / _SENDING)):
        upper.try_to_send(octets)
        if channel.wait_for(Data(octets), within=_SENDING):
            break
    channel.expect(Data(octets), within=_SENDING)


def require_lite_over_tcp(peer: Peer, *, within: float) -> None:
    """Raise `NotApplicable` if the IUT connects to us: then it is no lite agent at all, which other cases judge."""
    try:
        peer.expect_no_connection(within=within)
    except Failed as failure:
        raise NotApplicable(f"the lite IUT checks over TCP as well, which another case judges: {failure}") from failure
