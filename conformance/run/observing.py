"""What the IUT says and does in one session, held against its pics: its description, its connections, a restart.

How well the IUT does these things is judged by the cases, not here. It is one session only: an IUT that fails in its
second or tenth session then fails in a case, which the reports name.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.iut.errors import AdapterError
from conformance.iut.upper import Upper
from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.run.scan import COMPONENTS, SCAN, Scan, compare
from conformance.verdict import CaseOutcome, Inconclusive, NotApplicable
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.iut.description import Description
    from conformance.iut.pool import Pool
    from conformance.run.topology import Topology
    from conformance.wire.candidate import Candidate

_WITHIN = 15.0  # seconds for each call
_UNEXPECTED = 0.5  # seconds in which what is not declared may show


def scan(pool: Pool, pics: Mapping[str, Any], topology: Topology, families: Sequence[str]) -> Scan:
    """Look at the IUT in one session, over the first family of these that it has."""
    found = Scan(dict(pics))
    declared = [str(value) for value in pics.get("families", ["4"])]
    family = next((family for family in families if family[-1] in declared), families[0])
    pump = Pump()
    peer = Peer(topology.scanner(family), pump, SilentTap(), Pixit(), random.Random(0), sockets=topology.sockets())
    peer.profile = str(pics.get("profile", "plain"))
    try:
        with pool.lease(SCAN) as lease:
            addresses = [address for each in families for address in topology.iut_addresses(each)]
            upper = Upper(
                lease.session, pump, pics=pics, addresses=addresses, timeout=max(_WITHIN, float(pics.get("answers", 0)))
            )
            upper.on_description = peer.meet
            pump.ask = upper.ask
            try:
                _Look(found, upper, peer, topology.iut_addresses(family), addresses).look()
            finally:
                upper.close()
    except (CaseOutcome, AdapterError, SdpError) as error:
        found.told.append(f"the scan broke off: {error}")
    finally:
        peer.close()
        pump.close()
    return found


@dataclass(slots=True)
class _Look:
    """The session: `met` are the IUT's addresses to which the tester connects, `addresses` all that it is to use."""

    found: Scan
    upper: Upper
    peer: Peer
    met: Sequence[str]
    addresses: Sequence[str]

    def look(self) -> None:
        """Exchange descriptions, wait for connections, restart."""
        pics = self.found.pics
        iut = self._exchange()
        compare(self.found, iut, self.addresses)
        if iut.kind == "offer":
            self.upper.accept(self.peer.answer(iut.sdp), kind="answer")
        if "full" in pics.get("agent", ["full"]):
            self._connections(iut)
        if iut.kind == "offer" and pics.get("restart") is not False:
            self._restart(iut)

    def _exchange(self) -> Description:
        pics = self.found.pics
        agents = pics.get("agent", ["full"])
        components = min(pics.get("components", 1), COMPONENTS)
        wanted = dict.fromkeys([*pics.get("offers", []), *pics.get("connects", [])])
        offers = "offerer" in pics.get("sides", ["offerer"])
        self._open(
            "offerer" if offers else "answerer",
            tcptypes=" ".join(wanted or ["active", "passive"]),
            components=components,
            agent="full" if "full" in agents else str(agents[0]),
            streams=pics.get("streams", 1) if offers else 1,
        )
        if not offers:
            self.upper.accept(self.peer.offer(components=components), kind="offer")
        return self.upper.describe()

    def _open(self, side: str, **wishes: Any) -> None:
        """Open the session with all addresses, or, of a stack that takes one address alone, with that of the family."""
        try:
            self.upper.open(side, **wishes)
        except NotApplicable:
            if len(self.addresses) == len(self.met):
                raise
            self.addresses = self.met
            self.upper.open(side, addresses=list(self.met), **wishes)

    def _connections(self, iut: Description) -> None:
        """See whether it connects to a passive candidate of ours, and accepts connections at its own."""
        peer = self.peer
        passive = [c for c in iut.hosts("passive") if c.address in self.met]
        if passive:
            self._hold("connects", "passive", _accepts(peer, passive), "accepts no connection at its passive candidate")
        within = peer.pixit.connect if "active" in self.found.pics.get("connects", []) else _UNEXPECTED
        met = peer.wait_until(lambda: peer.was_met, within)
        self._hold("connects", "active", met, f"opens no connection to our passive candidate within {within:g} s")

    def _restart(self, before: Description) -> None:
        """See whether it restarts ICE when it is told to."""
        try:
            done = self.upper.restart().ufrag != before.ufrag
        except NotApplicable:
            done = False
        self._hold("restart", "", done, "told to restart ICE, it makes no offer with new credentials")

    def _hold(self, key: str, value: str, done: bool, otherwise: str) -> None:
        pics = self.found.pics
        declared = value in pics.get(key, []) if value else bool(pics.get(key, False))
        name = f"{key} {value}".strip()
        if declared and not done:
            self.found.findings.append(f"pics declare {name}; {otherwise}")
        elif done and not declared:
            self.found.told.append(f"the IUT does what pics do not declare: {name}")
            pics[key] = [*pics.get(key, []), value] if value else True


def _accepts(peer: Peer, passive: Sequence[Candidate]) -> bool:
    """Whether a connection to one of these candidates stands: those of another family are not reached from here."""
    try:
        peer.connect(min(passive, key=lambda candidate: candidate.component))
    except (Inconclusive, NotApplicable):
        return False
    return True
