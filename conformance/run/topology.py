"""Where the testers and the IUT are on the network: on loopback, at the two ends of the lab's wire, or elsewhere.

An IUT that can be told its addresses, or that offers one of loopback, is met there. Others leave loopback out: their
datagrams go out by another interface, and their unbound sockets come from another address than their candidates'. They
are tested on the wire. Some leave ::1 alone out: their IPv6 address is that of the wire's end where they are. An IUT on
another machine has addresses of its own (`elsewhere`).
"""

from __future__ import annotations

import ipaddress
import itertools
import random
import threading
from typing import TYPE_CHECKING, Any

from conformance.iut.errors import AdapterError
from conformance.iut.upper import Upper
from conformance.peer import lab
from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.share import WHOLE, Share
from conformance.peer.sockets import KernelSockets
from conformance.peer.tester import Peer
from conformance.run.places import LOOPBACK as LOOPBACK
from conformance.run.recording import SilentTap
from conformance.verdict import CaseOutcome, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.iut.description import Description
    from conformance.iut.pool import Pool
    from conformance.run.elsewhere import Elsewhere
    from conformance.run.recording import NoRecording, Recording

_SCANNER = "127.31.255.254"  # no case's
_LEASE = "where-the-IUT-lives"


class Topology:
    """Gives each case addresses of the tester's own. Thread-safe."""

    def __init__(
        self,
        recording: Recording | NoRecording,
        *,
        on_wire: bool = False,
        ipv6: str = LOOPBACK["IPv6"][0],
        elsewhere: Elsewhere | None = None,
        share: Share = WHOLE,
    ) -> None:
        self._recording = recording
        self._on_wire = on_wire
        self._places = {**LOOPBACK, "IPv6": (ipv6,)}
        self._elsewhere = elsewhere
        self._lock = threading.Lock()
        self._share = share
        self._loopback = itertools.count(1)
        self._numbers = itertools.count(1)

    def address(self, family: str, *, in_segments: bool = False) -> str:
        """Return an address for the tester of a case; n/a where there is none."""
        if in_segments:
            return lab.wire_address(family, self._number(self._wire(family)))
        if self._elsewhere is not None:
            return self._elsewhere.address(family)
        if self._on_wire:
            return lab.kernel_address(family, self._number(self._wire(family)))
        if family == "IPv6":
            try:
                return self._recording.ipv6_address()
            except OSError as error:
                raise NotApplicable(
                    f"there is no IPv6 here: {error.strerror or error}; icetcp doctor says more"
                ) from None
        with self._lock:
            return self._share.loopback(next(self._loopback))

    def scanner(self, family: str) -> str:
        """Return an address for the tester of the scan: no case's, where that makes a difference."""
        if self._elsewhere is None and not self._on_wire and family == "IPv4":
            return _SCANNER
        return self.address(family)

    def iut_addresses(self, family: str, *, in_segments: bool = False) -> Sequence[str]:
        """Return the addresses that a case would have the IUT use."""
        if self._elsewhere is not None:
            return self._elsewhere.iut.get(family, ())
        return (lab.WIRE_IUT[family],) if in_segments or self._on_wire else self._places[family]

    def all_iut_addresses(self) -> list[str]:
        """Return the addresses of both families that a case would have an IUT use that has both."""
        return [address for family in LOOPBACK for address in self.iut_addresses(family)[:1]]

    def sockets(self) -> KernelSockets:
        """Return what makes the kernel sockets of a case."""
        wire = self._recording.wire
        return KernelSockets(wire.tester if self._on_wire and isinstance(wire, lab.Wire) else None)

    def _wire(self, family: str) -> lab.Wire:
        wire = self._recording.wire
        if isinstance(wire, lab.Unavailable):
            raise NotApplicable(f"segments of our own need a network of the run's own: {wire.reason}; {wire.remedy}")
        if family not in wire.families:
            raise NotApplicable(f"there is no {family} on the wire; icetcp doctor says more")
        return wire

    def _number(self, _wire: lab.Wire) -> int:
        with self._lock:
            return self._share.on_wire(next(self._numbers))


def lives_on_wire(pool: Pool, pics: Mapping[str, Any], recording: Recording) -> bool:
    """Find out, with one session, whether the IUT is to be met on the wire: by the host candidates that it offers.

    An IUT that cannot describe itself stays on loopback; the cases say what is wrong with it.
    """
    if not isinstance(recording.wire, lab.Wire) or "addresses" in pics.get("obeys", ()):
        return False
    pump = Pump()
    try:
        with pool.lease(_LEASE) as lease:
            upper = Upper(lease.session, pump, pics=pics, addresses=LOOPBACK["IPv4"], timeout=Pixit().adapter)
            return is_on_wire(_described(upper, pump, pics, _SCANNER))
    except (CaseOutcome, AdapterError):
        return False
    finally:
        pump.close()


def is_on_wire(description: Description) -> bool:
    """Whether the host candidates of a description are at the IUT's addresses on the wire, and none on loopback."""
    hosts = [c.address for media in description.sdp.media for c in media.candidates if c.type.lower() == "host"]
    places = {_place(address) for address in hosts}
    return "wire" in places and "loopback" not in places


def _place(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "nowhere"
    if ip.is_loopback:
        return "loopback"
    return "wire" if str(ip) in lab.WIRE_IUT.values() else "nowhere"


def answered_hosts(pool: Pool, pics: Mapping[str, Any], elsewhere: Elsewhere) -> list[str]:
    """Return the addresses of the TCP host candidates in an answer of an IUT that is elsewhere and makes no offers."""
    address = next(iter(elsewhere.tester.values()))
    pump = Pump()
    try:
        with pool.lease(_LEASE) as lease:
            upper = Upper(lease.session, pump, pics=pics, addresses=(), timeout=Pixit().adapter)
            media = _described(upper, pump, pics, address).sdp.media
            return [c.address for each in media for c in each.candidates if c.is_tcp and c.type.lower() == "host"]
    except (CaseOutcome, AdapterError):
        return []  # the cases say what is wrong with it
    finally:
        pump.close()


def _described(upper: Upper, pump: Pump, pics: Mapping[str, Any], address: str) -> Description:
    """Return a description of the IUT's in a session that ends with it."""
    try:
        if "offerer" in pics.get("sides", ("offerer",)):
            return upper.offer()
        peer = Peer(address, pump, SilentTap(), Pixit(), random.Random(0))
        peer.profile = str(pics.get("profile", "plain"))
        try:
            return upper.answer(peer.offer())
        finally:
            peer.close()
    finally:
        upper.close()
