"""Offer and answer with the IUT (preambles)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from conformance.iut.trickle import OPTION, without_candidates
from conformance.iut.upper import Rejected
from conformance.peer import describe
from conformance.verdict import Failed, Inconclusive, NotApplicable
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.shape import Shape
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

STREAMS = 2
_OTHER_END = {"active": "passive", "passive": "active"}


def obtain_description(upper: Upper, peer: Peer, side: str, **wishes: Any) -> Description:
    """Return the IUT's offer, or its answer to an offer of ours.

    Where it is to ask servers, it cannot connect to us: libwebrtc asks no further once it is connected. Nor as a lite
    agent: pion would, and its answer now and then has an active candidate that it has made for ours by then
    (RFC6544-7/lite_agent_does_not_check_our_candidates judges that).
    """
    wishes = {"components": peer.shape.components, **wishes}
    if side == "offerer":
        return upper.offer(**wishes)
    ours = "active" if wishes.get("ice_servers") or wishes.get("agent") == "lite" else "active passive"
    return upper.answer(peer.offer(ours, components=wishes["components"]), **wishes)


def credentials_of_sessions(upper: Upper, peer: Peer, side: str, count: int) -> tuple[list[str], list[str]]:
    """Return the IUT's fragments and passwords in so many sessions, one after the other."""
    found = descriptions_of_sessions(upper, peer, side, count)
    return [iut.ufrag for iut in found], [iut.pwd for iut in found]


def descriptions_of_sessions(upper: Upper, peer: Peer, side: str, count: int, **wishes: Any) -> list[Description]:
    """Return the IUT's description in each of so many sessions, one after the other."""
    found = []
    for _ in range(count):
        found.append(obtain_description(upper, peer, side, **wishes))
        upper.close()
    return found


def expect_description(
    upper: Upper, peer: Peer, side: str, clause: str, *, about: str = "", **wishes: Any
) -> Description:
    """Return the IUT's description; see `expect_well_formed`."""
    return expect_well_formed(lambda: obtain_description(upper, peer, side, **wishes), clause, about=about)


def expect_well_formed(obtain: Callable[[], Description], clause: str, *, about: str = "") -> Description:
    """Return the IUT's description. The case fails if it is malformed against this clause, "RFC 8839 section 5.4".

    `about`: only if the flaw is about what this word names.
    """
    try:
        return obtain()
    except Inconclusive as failure:
        flaw = failure.__cause__
        if not isinstance(flaw, SdpError) or flaw.clause != clause or about not in flaw.what:
            raise
        raise Failed(
            f"the IUT's description is malformed: {flaw.what}",
            expected=f"what {clause} allows",
            actual=f"{flaw.what} at {flaw.where}",
        ) from failure


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
    peer_says: Sequence[str] = (),
    may_reject: bool = False,
    says: Mapping[str, Any] | None = None,
    **wishes: Any,
) -> Description:
    """Exchange offer and answer, the IUT being the offerer or the answerer (`side`); return the IUT's description.

    `peer_says`: further attributes of our session level. `says`: what our description says otherwise than usual, as the
    lower tester's `offer` and `answer` take it. `may_reject`: what is strange in our description, the IUT may lawfully
    reject; then the case is n/a.
    """
    if may_reject:
        try:
            return negotiate(
                upper,
                peer,
                side,
                tcptypes=tcptypes,
                peer_tcptypes=peer_tcptypes,
                peer_candidates=peer_candidates,
                components=components,
                media=media,
                peer_says=peer_says,
                says=says,
                **wishes,
            )
        except Rejected as rejection:
            raise NotApplicable(f"{rejection}, which it may") from rejection
    shape = peer.shape
    components = max(components, shape.components)
    mine: dict[str, Any] = {"candidates": peer_candidates, "components": components, "ice_lite": peer_lite}
    mine["session_attributes"] = list(peer_says)
    mine |= says or {}
    told = _role_to_tell(upper, shape, side)
    wishes |= {"role": told} if told else {}
    is_usual = peer_candidates is None and peer.has_usual_credentials and not (peer_lite or peer_says or says)
    with _usual_description() if is_usual else contextlib.nullcontext():
        if side == "offerer":
            theirs = upper.offer(tcptypes, components=components, media=media, **wishes)
            _needs_family(theirs, wishes)
            answer = peer.answer(theirs.sdp, peer_tcptypes, **mine)
            _take_role(peer, told=bool(told))
            upper.accept(answer, kind="answer")
        else:
            ours = peer.offer(peer_tcptypes, media=media, **mine)
            _take_role(peer, told=bool(told))
            theirs = upper.answer(ours, tcptypes, components=components, media=media, **wishes)
            _needs_family(theirs, wishes)
    return theirs


@contextlib.contextmanager
def _usual_description() -> Iterator[None]:
    """Turn the refusal of a description that is like those of all cases into `Inconclusive`: no case is about it."""
    try:
        yield
    except Rejected as refusal:
        raise Inconclusive(f"{refusal}, a description of ours that is like any") from refusal


def _role_to_tell(upper: Upper, shape: Shape, side: str) -> str:
    """Return the role that the IUT's caller shall set in this variant; nothing where a role conflict does that."""
    if shape.roles != "switched" or "role" not in upper.pics.get("obeys", []):
        return ""
    return "controlled" if side == "offerer" else "controlling"


def _take_role(peer: Peer, *, told: bool) -> None:
    """Take the other role where the variant says so, before a check of the IUT's can come."""
    if peer.shape.roles == "switched":
        peer.switch_roles()
        peer.role_is_told = told


def negotiate_dtls(
    upper: Upper, peer: Peer, side: str, *, iut_is: str = "active", peer_tcptypes: str, tcptypes: str = "active passive"
) -> Description:
    """Exchange offer and answer so that a=setup makes the IUT DTLS's client ("active") or its server ("passive").

    Both sides offer actpass (RFC 5763 section 5), so an answering IUT chooses. If it chooses the other role, the case
    is n/a.
    """
    with _usual_description():
        if side == "offerer":
            theirs = upper.offer(tcptypes)
            upper.accept(peer.answer(theirs.sdp, peer_tcptypes, setup=_OTHER_END[iut_is]), kind="answer")
            return theirs
        theirs = upper.answer(peer.offer(peer_tcptypes, setup="actpass"), tcptypes)
    if theirs.media().setup != iut_is:
        raise NotApplicable(f"answering actpass, the IUT chose a=setup:{theirs.media().setup}")
    return theirs


def negotiate_streams(
    upper: Upper,
    peer: Peer,
    side: str,
    *,
    peer_tcptypes: str = "active",
    peer_candidates: Sequence[list[Candidate] | None] = (None,) * STREAMS,
) -> list[Description]:
    """Exchange descriptions of two streams; return what the IUT says of each.

    Each stream has candidates of ours of its own. Our credentials are the same in both, which RFC 8839 section 5.4
    allows.
    """
    if side == "offerer":
        theirs = upper.offer(streams=STREAMS)
        streams = [theirs.stream(n) for n in range(STREAMS)]
        mine = zip(streams, peer_candidates, strict=True)
        answers = [peer.answer(stream.sdp, peer_tcptypes, candidates=ours) for stream, ours in mine]
        upper.accept(describe.joined(answers), kind="answer")
        return streams
    offers = [peer.offer(peer_tcptypes, mid=str(n), candidates=ours) for n, ours in enumerate(peer_candidates)]
    theirs = upper.answer(describe.joined(offers))
    return [theirs.stream(n) for n in range(STREAMS)]


def negotiate_trickled(
    upper: Upper,
    peer: Peer,
    side: str,
    *,
    tcptypes: str = "active passive",
    described: Sequence[Candidate] = (),
    **wishes: Any,
) -> Description:
    """Exchange descriptions that wait for no candidates (RFC 8838); ours has only those in `described`.

    The case then trickles ours by `upper.trickle` and takes the IUT's by `upper.await_candidates`.
    """
    upper.open(side, tcptypes=tcptypes, **wishes)
    says = [f"ice-options:{OPTION}"]
    if side == "offerer":
        theirs = upper.describe(trickle=True)
        answer = peer.answer(theirs.sdp, candidates=described, session_attributes=says)
        upper.accept(answer if described else without_candidates(answer), kind="answer")
        return theirs
    offer = peer.offer(candidates=described, session_attributes=says)
    upper.accept(offer if described else without_candidates(offer), kind="offer")
    return upper.describe(trickle=True)


def _needs_family(iut: Description, wishes: Mapping[str, Any]) -> None:
    """Raise `NotApplicable` where the IUT has no address of the case's family, unless the case wishes for addresses."""
    if "addresses" not in wishes:
        iut.needs_family()
