"""Later offers and answers without a restart (RFC 8839 section 4.4, RFC 3264 section 8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.iut.upper import Rejected
from conformance.peer.describe import joined
from conformance.suites.establishing import establish, establish_streams
from conformance.suites.sections import default_of, disabled
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer
    from conformance.wire.sdp import Media

ICE2 = {"session_attributes": ["ice-options:ice2"]}  # of a peer that follows RFC 8445; else it follows RFC 5245
_TERMS = ("ice-options", "ice-pacing", "ice-lite")
_DISCARD = 9


def needs_control_of_the_iut(peer: Peer) -> None:
    """Raise `JudgedElsewhere` where we control because the IUT, which was opened as a full agent, says that it is lite.

    RFC 8445 section 6.1.1. Who of the two then controls is settled by a role conflict, as the tie-breakers have it.
    """
    if peer.controlling:
        raise JudgedElsewhere(
            "the IUT says a=ice-lite, so that it does not control",
            case="RFC8839-4.2.1.4/full_agent_does_not_say_ice_lite",
        )


def update(upper: Upper, peer: Peer, by: str, selected: Sequence[Connection]) -> Description:
    """Make an exchange without a restart that the "IUT" or the "tester" begins; return the IUT's description."""
    for connection in selected:
        peer.settle(connection)
    if by == "IUT":
        offer = upper.updated_offer()
        upper.accept(peer.settled_answer(offer.sdp, selected), kind="answer")
        return offer
    upper.accept(peer.settled_offer(selected), kind="offer")
    return answered(upper)


def answered(upper: Upper) -> Description:
    """Return the IUT's answer to a later offer of ours; inconclusive where it describes itself by an offer."""
    answer = upper.describe()
    if answer.kind != "answer":
        raise Inconclusive(f"our later offer led to an {answer.kind} of the IUT's")
    return answer


def remove_second(upper: Upper, peer: Peer, first: SessionDescription, mid: str | None = "1") -> Description:
    """Remove the second of two streams by a later offer whose first section is given; return the IUT's answer."""
    spare = disabled(peer.updated_offer("active", mid=mid))
    upper.accept(joined([first, spare]), kind="offer")
    return answered(upper)


def complete_and_remove_second(upper: Upper, peer: Peer) -> tuple[Description, list[Connection]]:
    """Bring ICE to completion for two streams of ours and remove the second; return the answer and the connections."""
    connections = establish_streams(upper, peer, "answerer")
    for connection in connections:
        connection.begin_anew(selected=True)
    return remove_second(upper, peer, peer.settled_offer(connections[:1], mid="0")), connections


def add_second(upper: Upper, peer: Peer, tcptypes: str = "active") -> tuple[Description, Connection]:
    """Bring ICE to completion and add a stream by a later offer of ours; return the IUT's answer, its new section."""
    selected = establish(upper, peer, "answerer")
    first = peer.settled_offer([selected], mid="0")
    upper.accept(joined([first, peer.offer(tcptypes, mid="1")]), kind="offer")
    answer = answered(upper)
    answer.media(1)
    return answer.stream(1), selected


def needs_refusal(upper: Upper, description: SessionDescription) -> None:
    """Give the IUT a later offer that it must refuse (preamble)."""
    try:
        upper.accept(description, kind="offer")
    except Rejected:
        return
    raise JudgedElsewhere("the offer is not refused", case="RFC8839-4.4.2.1/changed_options_are_refused")


def directions(description: Description) -> set[str]:
    """Return the tcptypes of the first component's candidates."""
    found = {candidate.tcptype for candidate in description.candidates(component=1)}
    if None in found:
        raise JudgedElsewhere("a candidate has no tcptype", case="RFC6544-4.5/candidates_of_a_restart_have_a_tcptype")
    return {tcptype for tcptype in found if tcptype is not None}


def terms(description: Description) -> dict[str, list[str]]:
    """Return what stays as it is until a restart: options, pacing and mode (RFC 8839 section 4.4.1.1.1)."""
    found: dict[str, list[str]] = {}
    for name in _TERMS:
        values = description.sdp.attributes(name) + description.media().attributes(name)
        found[name] = sorted(word for value in values for word in (value or name).split())
    return found


def origin(description: Description) -> tuple[str, int]:
    """Return the o= line of a description without its version, and the version (RFC 8866 section 5.2)."""
    lines = description.sdp.values("o")
    words = lines[0].split() if lines else []
    if len(words) != 6 or not words[2].isdecimal():
        raise Inconclusive(f"the IUT's {description.kind} has no o= line of six fields: {lines}")
    return " ".join([*words[:2], *words[3:]]), int(words[2])


def expect_default_of(media: Media, selected: Connection) -> None:
    """Expect the default destination to be the IUT's end of a selected connection.

    Of one that the IUT has opened the candidate is active, with port 9, or peer-reflexive, with the port that we see.
    """
    address, port = default_of(media)
    end = selected.remote_address
    ports = {end.port} if selected.outgoing else {end.port, _DISCARD}
    if address != end.ip or port not in ports:
        raise Failed(
            f"the default destination is {address} {port}, the IUT's end of the nominated pair {end}",
            expected=f"{end.ip} and port {' or '.join(map(str, sorted(ports)))}",
            actual=f"{address} {port}",
        )


def expect_nominated_alone(peer: Peer, media: Media, selected: Connection) -> None:
    """Expect no candidate but the one at the IUT's end of a selected connection.

    RFC 9429 section 5.2.2 has a WebRTC stack state all that the last gathering found: it cannot follow both.
    """
    found, end = media.candidates, selected.remote_address
    nominated = [candidate for candidate in found if candidate.address == end.ip]
    if nominated and len(found) > 1 and peer.profile != "plain":
        peer.readings.append("all candidates stand in the later offer, as RFC 9429 section 5.2.2 has it of WebRTC")
        return
    if len(found) != 1 or not nominated:
        raise Failed(
            f"it has {len(found)} candidates, {len(nominated)} of them at the IUT's end of the nominated pair",
            expected=f"one candidate, at {end.ip}",
            actual="; ".join(map(str, found)) or "no candidate",
        )


def named(media: Media) -> dict[int, tuple[str, int]]:
    """Return by component what a=remote-candidates names."""
    words = (media.attribute("remote-candidates") or "").split()
    if len(words) % 3 or not all(word.isdecimal() for word in words[::3] + words[2::3]):
        raise Failed(
            f"a=remote-candidates:{' '.join(words)} is malformed",
            expected="component, address and port of each",
            actual=" ".join(words),
        )
    entries = zip(words[::3], words[1::3], words[2::3], strict=True)
    return {int(component): (address, int(port)) for component, address, port in entries}


def with_more_options(description: SessionDescription) -> SessionDescription:
    """Return a later offer of ours that has another option than before."""
    text = str(description)
    if "a=ice-options:" in text:
        return SessionDescription.parse(re.sub(r"(?m)^(a=ice-options:.*?)\r?$", r"\1 x+more\r", text))
    return SessionDescription.parse(text.replace("\r\nm=", "\r\na=ice-options:x+more\r\nm=", 1))
