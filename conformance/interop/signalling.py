"""What each side is told of the other: its description as it wrote it, with those TCP candidates alone that lead there.

Candidates on loopback are left out: adapters have their stacks offer them for the suite, and to another host they lead
nowhere (RFC 8445 section 5.1.1.1 has none).

Stacks of different profiles (adapter contract) take no description of each other: a WebRTC stack insists on a section
for a data channel with a fingerprint. Then what is ICE's is carried over into a section of the kind that the receiver
takes: credentials, options, candidates. Everything above ICE is then out of the question.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from conformance.peer import describe
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.peer.tester import Peer
    from conformance.wire.sdp import Media

_NOBODYS = ":".join(["00"] * 32)  # the fingerprint of a certificate that nobody has
_TRANSPORT, _ADDRESS = 2, 4  # which words of a candidate say it


def passed(
    description: SessionDescription,
    sender: Mapping[str, Any],
    receiver: Mapping[str, Any],
    offer: SessionDescription | None = None,
) -> tuple[SessionDescription, bool]:
    """Return what the receiver is told, and whether it was carried over into another profile.

    `sender` and `receiver` are pics; `offer` is what the receiver had offered, if this is the answer to it.
    """
    alone = tcp_alone(description)
    theirs, ours = (pics.get("profile", "plain") for pics in (sender, receiver))
    if theirs == ours:
        return alone, False
    return _carried(alone, offer, ours), True


def tcp_alone(description: SessionDescription) -> SessionDescription:
    """Return a description without candidates of other transports or on loopback; every other line stays as it is."""
    text = "".join(
        str(line)
        for section in (description, *description.media)
        for line in section.lines
        if not (line.type == "a" and _leads_nowhere(line.value))
    )
    return SessionDescription.parse(text)


def _leads_nowhere(attribute: str) -> bool:
    words = attribute.lower().split()
    if not attribute.lower().startswith("candidate:") or len(words) <= _ADDRESS:
        return False
    return words[_TRANSPORT] != "tcp" or words[_ADDRESS].startswith("127.") or words[_ADDRESS] == "::1"


def section_in_use(description: SessionDescription) -> Media:
    """Return the section that ICE is about: the first that is not disabled. Raises `ValueError` if there is none."""
    found = next((media for media in description.media if media.port or media.has("bundle-only")), None)
    if found is None:
        raise ValueError("the description disables every media section")
    return found


def _carried(said: SessionDescription, offer: SessionDescription | None, profile: str) -> SessionDescription:
    source = section_in_use(said)
    writer = _Writer(
        profile,
        source.ufrag or "",
        source.pwd or "",
        next((c.address for c in source.candidates), "0.0.0.0"),  # noqa: S104  (there is no address)
    )
    options = " ".join(dict.fromkeys([*said.ice_options, *source.ice_options]))
    change: dict[str, Any] = {"ice_lite": said.ice_lite, "ice_options": options}
    # pion states each candidate for RTCP, too, which has no component of its own where WebRTC multiplexes it
    candidates = [c for c in source.candidates if profile == "plain" or c.component == 1]
    if offer is None:
        return describe.offer(cast("Peer", writer), candidates, **change)
    return describe.answer(cast("Peer", writer), offer, candidates, **change)


@dataclass(slots=True)
class _Writer:
    """What `peer.describe` asks of the one for whom it writes a description."""

    profile: str
    ufrag: str
    pwd: str
    address: str
    fingerprint: str = _NOBODYS
    section: int = 0
    settled_setup: str | None = None
    described: SessionDescription | None = None
    described_sections: dict[str, SessionDescription] = field(default_factory=dict)
    versions: Iterator[int] = field(default_factory=itertools.count)
