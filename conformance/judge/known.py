"""What is known of an exchange in addition to its capture: offers and answers, passwords, who is judged."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from conformance.wire.candidate import Candidate
    from conformance.wire.sdp import SessionDescription


@dataclass(frozen=True)  # without slots, so that what every rule asks is found once
class Party:
    """An agent as its descriptions show it. ``media``: the candidates of each media section that is not disabled.

    ``trickles``: it may have told of further candidates elsewhere (RFC 8838). ``misplaced``: candidates that it states
    at the session level, where none belong.
    """

    name: str
    ufrags: frozenset[str] = frozenset()
    media: tuple[tuple[Candidate, ...], ...] = ()
    lite: bool = False
    trickles: bool = False
    misplaced: tuple[str, ...] = ()

    @functools.cached_property
    def speaks_udp(self) -> bool:
        """Whether it may have pairs over UDP."""
        return self.trickles or any(candidate.transport.upper() == "UDP" for candidate in self.candidates)

    @functools.cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates."""
        return tuple(candidate for section in self.media for candidate in section)

    @functools.cached_property
    def endpoints(self) -> tuple[frozenset[Address], frozenset[Address]]:
        """The transport addresses of all TCP candidates, and of those that others can connect to."""
        passive = [c for c in self._tcp if (c.tcptype or "").lower() != "active"]
        every, aimed = (
            frozenset(Address(canonical(c.address), c.port) for c in those) for those in (self._tcp, passive)
        )
        return every, aimed

    @functools.cached_property
    def _tcp(self) -> tuple[Candidate, ...]:
        return tuple(candidate for candidate in self.candidates if candidate.is_tcp)

    @functools.cached_property
    def host_preferences(self) -> frozenset[int]:
        """The type preferences of its host candidates."""
        return frozenset(candidate.type_preference for candidate in self.candidates_of("host"))

    def at(self, endpoint: Address) -> list[Candidate]:
        """Return the TCP candidates with this transport address."""
        mine = [c for c in self._tcp if c.port == endpoint.port]
        return [candidate for candidate in mine if same_address(candidate.address, endpoint.ip)]

    def based_at(self, endpoint: Address) -> list[Candidate]:
        """Return the TCP candidates with this transport address or, reflexive ones, with this base."""
        mine = [c for c in self._tcp if c.related_port == endpoint.port]
        reflexive = [c for c in mine if c.related_address and same_address(c.related_address, endpoint.ip)]
        return self.at(endpoint) + reflexive

    def candidates_of(self, kind: str) -> list[Candidate]:
        """Return the TCP candidates of a type."""
        return [candidate for candidate in self._tcp if candidate.type.lower() == kind]

    def owns(self, ip: str) -> bool:
        """Whether a host candidate has this address."""
        return any(same_address(c.address, ip) for c in self.candidates if c.type.lower() == "host")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known in addition to the capture.

    ``passwords`` by user name fragment. ``spared``: addresses whose agent is not judged; ``only``: if there are any,
    the only ones that are. ``whole``: every description of the exchange is known and nothing translates addresses, as
    in the run of a suite. ``typed``: the fragments whose password no description tells, but a person did.
    """

    passwords: Mapping[str, str] = field(default_factory=dict)
    parties: tuple[Party, ...] = ()
    spared: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    whole: bool = False
    typed: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, descriptions: Sequence[tuple[str, SessionDescription]], credentials: Mapping[str, str] | None = None
    ) -> Known:
        """Gather the descriptions of each named agent, in any number, and further passwords."""
        passwords = dict(credentials or {})
        gathered: dict[str, Party] = {}
        for name, description in descriptions:
            party = gathered.get(name, Party(name))
            enabled = [media for media in description.media if not media.disabled]
            found = [(m.ufrag, m.pwd) for m in enabled]
            passwords.update({ufrag: pwd for ufrag, pwd in found if ufrag and pwd})
            gathered[name] = Party(
                name,
                party.ufrags | {ufrag for ufrag, _ in found if ufrag},
                (*party.media, *(tuple(m.candidates) for m in enabled)),
                party.lite or description.ice_lite,
                party.trickles or _trickles(description),
                (*party.misplaced, *description.misplaced_candidates),
            )
        told = {m.ufrag for _, description in descriptions for m in description.media if m.pwd and not m.disabled}
        return cls(passwords, tuple(gathered.values()), typed=frozenset(set(credentials or {}) - told))

    def judges(self, address: Address) -> bool:
        """Whether the agent at this address is judged."""
        return address.ip not in self.spared and (not self.only or address.ip in self.only)

    def owner(self, ufrag: str) -> Party | None:
        """Return the agent of a user name fragment."""
        return next((party for party in self.parties if ufrag in party.ufrags), None)

    def endpoints(self, *, active: bool = False) -> frozenset[Address]:
        """Return the transport addresses of all TCP candidates that others can connect to, or of all."""
        return frozenset().union(*(party.endpoints[0 if active else 1] for party in self.parties))


def _trickles(description: SessionDescription) -> bool:
    return any("trickle" in m.ice_options and not m.end_of_candidates for m in description.media)


@functools.lru_cache(maxsize=1 << 12)
def canonical(ip: str) -> str:
    """Return an IP address in the form in which captures have it; other text unchanged."""
    try:
        return str(ipaddress.ip_address(ip))
    except ValueError:
        return ip


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def same_address(one: str, other: str) -> bool:
    """Whether two texts are the same IP address."""
    return one == other or canonical(one) == canonical(other)
