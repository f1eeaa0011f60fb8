"""An offer or answer of the IUT, and the questions that cases ask of it."""

from __future__ import annotations

import copy
import functools
import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.iut.trickle import END
from conformance.verdict import Inconclusive, JudgedElsewhere, NotApplicable, Unreadable
from conformance.wire.addresses import flaw
from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError
from conformance.wire.sdp import SessionDescription

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conformance.iut.reads import Reads
    from conformance.wire.sdp import Media

_DISCARD = 9


class Description:
    """An offer or answer of the IUT.

    ``ipv6``: the case meets it over IPv6. ``wished``: the addresses that the case would have the IUT use. ``offers``:
    the tcptypes that the IUT declares to offer; None: not known. ``complete``: no candidates come later; ``trickled``:
    those that did.
    """

    def __init__(
        self,
        kind: str,
        text: str,
        *,
        ipv6: bool = False,
        wished: Collection[str] = (),
        offers: Collection[str] | None = None,
        reads: Reads | None = None,
    ) -> None:
        """`reads`: what notes what is read of it. Raises `SdpError`."""
        self.ipv6 = ipv6
        self._wished = wished
        self._offers = offers
        self.kind = kind
        self._text = text
        self._reads = reads
        self.sdp = SessionDescription.parse(text) if reads is None else reads.parse(text)
        self.trickled: list[Candidate] = []
        self.complete = self.sdp.has(END) or all(media.end_of_candidates for media in self.sdp.media)

    @property
    def text(self) -> str:
        """The whole of it, as the IUT has written it."""
        if self._reads is not None:
            self._reads.read_all(self._text)
        return self._text

    def media(self, index: int | None = None) -> Media:
        """Return a media section, by default the first that is not disabled; Inconclusive if the description has none.

        A section of port 0 that only a bundle carries is not disabled (RFC 9143 section 6).
        """
        if index is None:
            enabled = (n for n, media in enumerate(self.sdp.media) if media.port or media.has("bundle-only"))
            index = next(enabled, 0)
        if index >= len(self.sdp.media):
            raise Inconclusive(f"the IUT's {self.kind} has no media section {index + 1}")
        return self.sdp.media[index]

    def stream(self, index: int) -> Description:
        """Return the description of one stream alone, as if it were the only one; n/a if the IUT does without it."""
        media = self.media(index)
        if media.port == 0:
            raise NotApplicable(f"the IUT's {self.kind} disables media section {index + 1}")
        alone = copy.copy(self)
        alone.sdp = copy.copy(self.sdp)
        alone.sdp.media = [media]
        return alone

    @property
    def lite(self) -> bool:
        """Whether a=ice-lite is there (RFC 8839 section 5.3)."""
        return self.sdp.ice_lite

    @property
    def answered_setup(self) -> str | None:
        """What an answer says in a=setup; None of an offer, which settles nothing yet (RFC 4145 section 4.1)."""
        return self.media().setup if self.kind == "answer" and self.sdp.media else None

    def is_the_text_of(self, other: Description) -> bool:
        """Whether it is another description word by word: with a raised version it is not (RFC 3264 section 8)."""
        return self.text == other.text

    def add(self, candidate: str, mid: str) -> None:
        """Take a candidate that the IUT has trickled. Raises `Unreadable` if it does not parse."""
        try:
            found = Candidate.parse(candidate)
        except SdpError as error:
            raise Unreadable(f"a candidate that the IUT trickled cannot be parsed: {error}") from error
        section = next((media for media in self.sdp.media if media.mid == mid), self.media())
        self.trickled.append(found)
        if found not in section.candidates:
            section.candidates.append(found)

    @property
    def ufrag(self) -> str:
        """User name fragment, of the media or the session level (RFC 8839 section 5.4)."""
        return self._credential("ufrag")

    @property
    def pwd(self) -> str:
        """Password, of the media or the session level."""
        return self._credential("pwd")

    @property
    def fragments(self) -> set[str]:
        """The user name fragments of all streams that use ICE."""
        return {media.ufrag for media in self.sdp.media if media.ufrag is not None}

    def _credential(self, name: str) -> str:
        value: str | None = getattr(self.media(), name)
        if value is None:
            raise Inconclusive(f"the IUT's {self.kind} has no a=ice-{name}")
        return value

    def candidates(
        self,
        *,
        tcptype: str | None = None,
        component: int | None = None,
        type: str | None = None,  # noqa: A002
    ) -> list[Candidate]:
        """Return the TCP candidates of the first media section, in the IUT's order.

        Inconclusive if there is none like this, for a question to no candidate has no answer; n/a if the IUT declares
        that it offers none.
        """
        found = [
            _at_the_usual_address(candidate)
            for candidate in self.media().candidates
            if candidate.is_tcp
            and (tcptype is None or (candidate.tcptype or "").lower() == tcptype)
            and component in (None, candidate.component)
            and type in (None, candidate.type.lower())
        ]
        if not found and self._offers is not None and not (tcptype in self._offers if tcptype else self._offers):
            raise NotApplicable(f"the IUT's pics lack offers {tcptype or 'of any kind'}")
        if not found:
            wanted = " ".join(word for word in (tcptype, "TCP", type) if word)
            of_component = f" of component {component}" if component else ""
            self.require(False, f"{wanted} candidates{of_component}{self._elsewhere()}")
        return found

    def _elsewhere(self) -> str:
        """Say that candidates stand at the session level, where they are none (RFC 8839 section 5.1)."""
        stray = any(pair[0] == "candidate" for pair in (line.attribute for line in self.sdp.lines) if pair is not None)
        return " in its media sections, but at the session level, where RFC 8839 section 5.1 has none" * stray

    def hosts(self, tcptype: str | None = None) -> list[Candidate]:
        """Return the TCP host candidates of the first media section; where there are none, that is the answer."""
        return [
            _at_the_usual_address(candidate)
            for candidate in self.media().candidates
            if candidate.is_tcp
            and candidate.type.lower() == "host"
            and tcptype in (None, (candidate.tcptype or "").lower())
        ]

    def require(self, holds: bool, what: str) -> None:
        """Raise `Inconclusive` unless the description has what the case is about."""
        if not holds:
            raise Inconclusive(f"the IUT's {self.kind} does not have {what}")

    def needs_tcp_alone(self) -> None:
        """Raise `NotApplicable` where UDP candidates stand beside TCP: they change what is asked of priorities."""
        if not all(candidate.is_tcp for candidate in self.media().candidates):
            raise NotApplicable(f"the IUT's {self.kind} has UDP candidates beside TCP")

    def needs_formula(self) -> None:
        """Raise `NotApplicable` where the priorities are not those of the formula: they do not end in the component."""
        if any(c.priority & 0xFF != 256 - c.component for c in self.candidates()):
            raise NotApplicable(f"the priorities of the IUT's {self.kind} do not follow the recommended formula")

    def needs_several_addresses(self) -> None:
        """Raise `NotApplicable` where all TCP candidates are at one address."""
        if len({candidate.address for candidate in self.candidates()}) < 2:
            raise NotApplicable(f"the IUT's {self.kind} has candidates at one address only")

    def needs_tcp_default(self) -> None:
        """Raise `NotApplicable` where the default is not TCP: the media line's protocol tells its transport."""
        proto = self.media().proto
        if "TCP" not in proto.upper().split("/"):
            raise NotApplicable(f"the media line of the IUT's {self.kind} is not one of TCP but {proto}")

    def needs_srtp(self) -> None:
        """Raise `NotApplicable` where the media section is not one of SRTP."""
        proto = self.media().proto
        if not {"SAVP", "SAVPF"} & set(proto.upper().split("/")):
            raise NotApplicable(f"the media line of the IUT's {self.kind} is not one of SRTP but {proto}")

    def needs_one_active(self, address: str) -> None:
        """Raise `NotApplicable` where the description does not show one active candidate at this address."""
        found = [c for c in self.media().candidates if c.is_tcp and (c.tcptype or "").lower() == "active"]
        here = [c for c in found if c.component == 1 and _usual_text(c.address) == address]
        if len(here) != 1:
            raise NotApplicable(f"the IUT's {self.kind} has {len(here)} active candidates at {address}")

    def needs_one_base(self) -> Candidate:
        """Return the one active host candidate of the first component in the case's family; n/a if there are others."""
        active = [c for c in self.hosts("active") if c.component == 1 and self._is_of_the_family(c)]
        if len(active) != 1:
            raise NotApplicable(f"the IUT's {self.kind} has {len(active)} active host candidates of {self._family}")
        return active[0]

    def active_places(self, addresses: Sequence[str]) -> list[str]:
        """Return these addresses by the priority of the one active host candidate there; n/a if they are not so."""
        for address in addresses:
            self.needs_one_active(address)
        worth = {c.address: c.priority for c in self.hosts("active") if c.component == 1}
        if len({worth[address] for address in addresses}) < len(addresses):
            raise JudgedElsewhere(
                f"the IUT's active candidates at {' and '.join(addresses)} have the same priority",
                case="RFC6544-4.2/other_preference_is_unique_on_several_addresses",
            )
        return sorted(addresses, key=lambda address: -worth[address])

    def needs_setup(self, wanted: str) -> None:
        """Raise `NotApplicable` where the media section has another a=setup."""
        if (self.media().setup or "").lower() != wanted:
            raise NotApplicable(f"the IUT's {self.kind} has a=setup:{self.media().setup}")

    def needs_no(self, attribute: str) -> None:
        """Raise `NotApplicable` where the media section has an attribute that changes what is asked of it."""
        if self.media().has(attribute):
            raise NotApplicable(f"the IUT's {self.kind} has a={attribute}")

    def trickled_candidates(self, *, tcptype: str | None = None) -> list[Candidate]:
        """Return the TCP candidates that came after the description; n/a if there were none to tell later."""
        mine = [candidate for candidate in self.trickled if candidate.is_tcp]
        if tcptype is not None:
            mine = [candidate for candidate in mine if (candidate.tcptype or "").lower() == tcptype]
        if not mine:
            raise NotApplicable(f"the IUT's {self.kind} holds its candidates: no {tcptype or 'TCP'} one came later")
        return mine

    def needs_no_candidates(self, tcptype: str) -> None:
        """Raise `NotApplicable` if there are candidates of this tcptype, which the case cannot do with."""
        if any((candidate.tcptype or "").lower() == tcptype for candidate in self.media().candidates):
            raise NotApplicable(f"the IUT's {self.kind} has {tcptype} candidates")

    def candidate(self, *, tcptype: str, component: int = 1) -> Candidate:
        """Return such a TCP host candidate of the case's address family.

        Inconclusive if there is none; n/a if the IUT has host candidates of the other family alone. Of several it is
        the first at an address that the case has wished for, which the tester can surely reach. Candidates to which
        nobody can send are passed over; the cases that read descriptions judge them.
        """
        found = self.candidates(tcptype=tcptype, component=component, type="host")
        usable = self._usable(found)
        self.needs_family()
        mine = [candidate for candidate in usable if self._is_of_the_family(candidate)]
        self.require(bool(mine), f"a {tcptype} TCP host candidate of {self._family}")
        chosen = min(mine, key=lambda candidate: candidate.address not in self._wished)
        self._require_own_endpoint(chosen)
        return chosen

    def _require_own_endpoint(self, chosen: Candidate) -> None:
        """Raise `Inconclusive` where a connection could be of another component: each has its own port.

        RFC 6544 section 5.1. Where RTCP has no component of its own, as over data channels and where it is multiplexed,
        a candidate for it is of no use (RFC 8834 section 4.5): pion/webrtc states each candidate for both.
        """
        section = self.media()
        if chosen.tcptype == "active" or section.has("rtcp-mux") or "SCTP" in section.proto.upper():
            return
        for other in self.candidates(tcptype=chosen.tcptype):
            if other.endpoint == chosen.endpoint and other.component != chosen.component:
                both = f"components {other.component} and {chosen.component}"
                raise Inconclusive(f"the IUT's {self.kind} has {both} at {chosen.endpoint}")

    def _usable(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those to which one can send; Inconclusive, with the reason, if there is no other."""
        flaws = [flaw(c.address, c.port) for c in candidates]
        usable = [candidate for candidate, why in zip(candidates, flaws, strict=True) if not why]
        if candidates and not usable:
            named = ", ".join(f"{c.endpoint} {why}" for c, why in zip(candidates, flaws, strict=True))
            raise Inconclusive(f"nothing can be sent to what the IUT's {self.kind} offers: {named}")
        return usable

    def of_family(self, candidates: Sequence[Candidate]) -> Candidate:
        """Return the first of these candidates in the case's address family; Inconclusive if there is none."""
        return self.all_of_family(candidates)[0]

    def all_of_family(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those of these candidates in the case's address family; Inconclusive if there is none."""
        mine = [candidate for candidate in candidates if self._is_of_the_family(candidate)]
        self.require(bool(mine), f"such a candidate of {self._family}")
        return mine

    @property
    def _family(self) -> str:
        return "IPv6" if self.ipv6 else "IPv4"

    def _is_of_the_family(self, candidate: Candidate) -> bool:
        return (":" in candidate.address) is self.ipv6

    def needs_family(self) -> None:
        """Raise `NotApplicable` where the IUT has host candidates, but none of the case's address family."""
        hosts = [c for c in self.media().candidates if c.is_tcp and c.type.lower() == "host" and not _has_flaw(c)]
        if hosts and not any(map(self._is_of_the_family, hosts)):
            raise NotApplicable(f"the IUT has no {self._family} address here: its {self.kind} has no such candidate")


def says_the_same(one: Description, other: Description) -> bool:
    """Whether two offers differ in nothing that ICE asks of an updated one (RFC 8839 section 4.4.1.2.2).

    An IUT that writes its description anew each time may well number it, or order its lines, differently.
    """
    if one.text == other.text:
        return True
    mine, theirs = one.media(), other.media()
    return not mine.has("remote-candidates") and (sorted(map(str, mine.candidates)), mine.port, mine.connection) == (
        sorted(map(str, theirs.candidates)),
        theirs.port,
        theirs.connection,
    )


def _has_flaw(candidate: Candidate) -> bool:
    """Whether nothing can be sent there; port 0 does not count, as an active candidate's port is nothing."""
    return bool(flaw(candidate.address, candidate.port or _DISCARD))


def _at_the_usual_address(candidate: Candidate) -> Candidate:
    """Return a candidate whose address is written as the kernel does: as a rule, this very one."""
    written = candidate.address
    usual = _usual_text(written)
    return candidate if usual == written else replace(candidate, address=usual)


@functools.lru_cache(maxsize=4096)
def _usual_text(address: str) -> str:
    """Return an address as the kernel writes it, for comparisons: IPv6 has many spellings (RFC 4291 section 2.2)."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:  # a name
        return address
