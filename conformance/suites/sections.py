"""Media sections that use ICE, that do not, and that are not in use; and what is left of ICE where it has ended."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from conformance.iut.description import Description
from conformance.iut.upper import Rejected
from conformance.peer.events import AnyResponse, BindingRequest, BindingSuccess
from conformance.suites.negotiation import STREAMS
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, NotApplicable
from conformance.wire.layers import RFC4571
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.tester import Peer
    from conformance.wire.sdp import Media

_OF_ICE = ("ice-", "candidate", "remote-candidates", "end-of-candidates")
_NOWHERE = "0.0.0.0"  # noqa: S104  (RFC 8839 section 4.2.5)
NO_DEFAULT = {"IPv4": {"address": _NOWHERE, "port": 9}, "IPv6": {"address": "::", "port": 9}}


# -- our descriptions, changed -------------------------------------------------------------------------------------


def without_ice(description: SessionDescription) -> SessionDescription:
    """Return a description of ours without anything of ICE."""
    return _kept(description, lambda line: not line.startswith(tuple(f"a={name}" for name in _OF_ICE)))


def mismatching(description: SessionDescription) -> SessionDescription:
    """Return an answer of ours that says a=ice-mismatch instead of candidates (RFC 8839 section 4.2.5)."""
    bare = _kept(description, lambda line: not line.startswith(("a=candidate", "a=end-of-candidates")))
    return SessionDescription.parse(f"{bare}a=ice-mismatch\r\n")


def disabled(description: SessionDescription) -> SessionDescription:
    """Return a description of ours with its only section disabled: port 0 and nothing of ICE (RFC 3264 section 8.2)."""
    return with_port_0(without_ice(description))


def with_port_0(description: SessionDescription) -> SessionDescription:
    """Return a description of ours with its section of port 0; what else it says stays."""
    return SessionDescription.parse(re.sub(r"(?m)^(m=\S+) \d+", r"\1 0", str(description)))


def with_session_credentials(description: SessionDescription) -> SessionDescription:
    """Return a description of ours whose credentials stand at the session level."""
    lines = str(description).splitlines(keepends=True)
    moved = [line for line in lines if line.startswith(("a=ice-ufrag:", "a=ice-pwd:"))]
    rest = [line for line in lines if line not in moved]
    at = next(n for n, line in enumerate(rest) if line.startswith("m="))
    return SessionDescription.parse("".join([*rest[:at], *moved, *rest[at:]]))


def unchanged(description: SessionDescription) -> SessionDescription:
    """Return a description as it is."""
    return description


def with_another_default(description: SessionDescription) -> SessionDescription:
    """Return a description of ours whose default destination is none of its candidates."""
    return SessionDescription.parse(re.sub(r"(?m)^(m=\S+) \d+", r"\1 40123", str(description)))


def _kept(description: SessionDescription, keeps: Callable[[str], bool]) -> SessionDescription:
    lines = str(description).splitlines(keepends=True)
    return SessionDescription.parse("".join(line for line in lines if keeps(line)))


# -- what the IUT says ---------------------------------------------------------------------------------------------


def ice_of(media: Media) -> list[str]:
    """Return the names of the attributes of ICE that a section has itself."""
    pairs = [line.attribute for line in media.lines]
    return [pair[0] for pair in pairs if pair is not None and pair[0].startswith(_OF_ICE)]


def ice_of_all(description: Description) -> list[str]:
    """Return the names of the attributes of ICE at any level of a description."""
    pairs = [line.attribute for line in description.sdp.lines]
    session = [pair[0] for pair in pairs if pair is not None and pair[0].startswith(_OF_ICE)]
    return session + [name for media in description.sdp.media for name in ice_of(media)]


def default_of(media: Media) -> tuple[str, int]:
    """Return the default destination of a section's first component."""
    return media.connection_address or "", media.port


def is_no_default(media: Media) -> bool:
    """Whether a section says that there is no default: 0.0.0.0 or :: with port 9 (RFC 8839 section 4.2.5)."""
    return default_of(media) in {(_NOWHERE, 9), ("::", 9)}


def destinations(media: Media, component: int = 1) -> set[tuple[str, int]]:
    """Return the addresses and ports of a component's candidates."""
    return {(c.address, c.port) for c in media.candidates if c.component == component}


def expect_candidate_for_default(media: Media) -> None:
    """Expect that the default destination is that of a candidate, or that there is none (RFC 8839 4.2.5)."""
    if media.port == 0:
        raise NotApplicable("the section is not in use")
    if default_of(media) not in destinations(media) and not is_no_default(media):
        raise Failed(
            f"the default destination {default_of(media)} is no candidate",
            expected="the address and port of a candidate of component 1, or 0.0.0.0 with port 9",
            actual=f"{default_of(media)}; candidates of component 1: {sorted(destinations(media))}",
        )


def needs_one_disabled(ports: Sequence[int]) -> None:
    """Raise `NotApplicable` unless an answer has two sections, one of them disabled, which shows their order."""
    if len(ports) != 2:
        raise JudgedElsewhere(
            f"its answer has {len(ports)} sections", case="RFC3264-6/answer_has_as_many_sections_as_the_offer"
        )
    if all(ports) or not any(ports):
        raise JudgedElsewhere(
            f"the ports of its sections are {list(ports)}",
            case="RFC3264-8.2/port_0_is_answered_by_port_0",
        )


def expect_default_of_the_first_component(media: Media) -> None:
    """Expect that the default destination is a candidate's of component 1; n/a where it is no candidate's at all.

    Components that share a port are another matter: the default is that of the first as well.
    """
    if default_of(media) in destinations(media, component=2) - destinations(media):
        raise Failed(
            f"the default destination {default_of(media)} is one of component 2",
            expected="the address and port of a candidate of component 1",
            actual=f"{default_of(media)}; candidates of component 1: {sorted(destinations(media))}",
        )
    if default_of(media) not in destinations(media) and not is_no_default(media):
        raise JudgedElsewhere(
            f"the default destination {default_of(media)} is no candidate",
            case="RFC8839-4.2.1.2/default_destination_is_a_candidate",
        )


def expect_rtcp_candidate(media: Media) -> None:
    """Expect that a=rtcp, if it names another destination than the discard port, has a candidate of component 2."""
    words = (media.rtcp or "").split()
    if not words or words[0] == "9":
        return
    address = words[3] if len(words) == 4 else media.connection_address or ""
    if (address, int(words[0])) not in destinations(media, component=2):
        raise Failed(
            f"a=rtcp:{media.rtcp} is no candidate of component 2",
            expected="the destination of a candidate of component 2",
            actual=f"{address} {words[0]}; candidates of component 2: {sorted(destinations(media, component=2))}",
        )


def answer_or_refusal(upper: Upper, peer: Peer, offer: SessionDescription) -> Description:
    """Return the IUT's answer to an offer that it may refuse; where it does, one that rejects the stream."""
    try:
        return upper.answer(offer)
    except Rejected as refusal:
        peer.readings.append(f"the offer is refused, as it may be: {refusal}")
        return Description("answer", "v=0\r\nm=audio 0 RTP/AVP 0\r\n")


def accept_or_refuse(upper: Upper, peer: Peer, description: SessionDescription, kind: str = "answer") -> bool:
    """Give the IUT a description that it may refuse; return whether it takes it."""
    try:
        upper.accept(description, kind)
    except Rejected as refusal:
        peer.readings.append(f"the {kind} is refused, as it may be: {refusal}")
        return False
    return True


def accept_unless_refused(upper: Upper, answer: SessionDescription) -> None:
    """Give the IUT an answer that does without ICE; n/a where it refuses it: with the session its ICE ends as well."""
    try:
        upper.accept(answer)
    except Rejected as refusal:
        raise NotApplicable(f"the IUT does not go on without ICE: {refusal}") from refusal


# -- what is left of ICE -------------------------------------------------------------------------------------------


def try_checks(peer: Peer, iut: Description) -> list[Connection]:
    """Connect to the IUT's passive candidates, where it accepts, and send a check on each connection."""
    connections: list[Connection] = []
    for candidate in iut.hosts("passive"):
        with contextlib.suppress(Inconclusive):
            connections.append(peer.connect(candidate))
            connections[-1].send(RFC4571() / peer.check(iut, component=candidate.component))
    return connections


def expect_no_ice(peer: Peer, iut: Description) -> None:
    """Expect that the IUT neither takes a check of ours for its stream, nor sends one."""
    connections = try_checks(peer, iut)
    peer.wait(peer.pixit.silence)
    for connection in connections:
        connection.expect_nothing(BindingSuccess, within=0)
    for connection in peer.connections:
        connection.expect_nothing(BindingRequest, within=0)


def answers_checks(peer: Peer, iut: Description) -> bool:
    """Whether the IUT answers a check of ours for its stream, be it by an error: without ICE nobody does."""
    connections = try_checks(peer, iut)
    return any(connection.wait_for(AnyResponse, within=peer.pixit.response) for connection in connections[:1])


def offered_streams(upper: Upper) -> tuple[Description, list[Description]]:
    """Return the IUT's offer of two streams, whole and stream by stream."""
    whole = upper.offer(streams=STREAMS)
    return whole, [whole.stream(number) for number in range(STREAMS)]


def answered(
    peer: Peer, streams: Sequence[Description], *changes: Callable[[SessionDescription], SessionDescription]
) -> list[SessionDescription]:
    """Return our answers to the IUT's streams, one each, changed."""
    answers = [peer.answer(stream.sdp, "active") for stream in streams]
    return [change(answer) for change, answer in zip(changes, answers, strict=True)]
