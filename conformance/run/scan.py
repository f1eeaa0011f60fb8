"""A look at what the stack does, held against its pics: one session in which it makes an offer.

What it declares and does not do is a finding. What it does and does not declare is told, and used: cases that need it
are judged.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.iut.description import Description
from conformance.iut.errors import AdapterError
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.iut.lease import Lease
    from conformance.iut.pool import Pool
    from conformance.iut.process import Session
    from conformance.wire.candidate import Candidate

SCAN = "scan"  # the name of the session among those of cases, in incidents
_COMPONENTS = 2  # so many has RTP
_WITHIN = 15.0  # seconds for each call


@dataclass(slots=True)
class Scan:
    """`findings`: what is declared and not done. `told`: what is done and not declared. `pics`: with that used.

    `hosts`: the addresses of the offer's TCP host candidates.
    """

    pics: dict[str, Any]
    hosts: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def scan(pool: Pool, pics: Mapping[str, Any], addresses: Sequence[str]) -> Scan:
    """Let the IUT make an offer with these addresses and hold its pics against it."""
    found = Scan(dict(pics))
    if "offerer" not in pics.get("sides", ["offerer", "answerer"]):
        found.told.append("the pics could not be held against an offer: the IUT makes none (sides)")
        return found
    try:
        with pool.lease(SCAN) as lease:
            description = _offer(lease, pics, addresses)
    except (AdapterError, SdpError) as error:
        found.findings.append(f"the scan got no offer: {error}")
        return found
    _compare(found, description, addresses)
    return found


def _offer(lease: Lease, pics: Mapping[str, Any], addresses: Sequence[str]) -> Description:
    session = lease.session()
    agents = pics.get("agent", ["full"])
    parameters: dict[str, object] = {
        "side": "offerer",
        "agent": "full" if "full" in agents else str(agents[0]),
        "components": min(pics.get("components", 1), _COMPONENTS),
        "media": "rtp",
        "ice_servers": [],
        "addresses": list(addresses),
        "tcptypes": list(pics.get("offers") or ["active", "passive"]),
        "transports": ["tcp"],
    }
    if pics.get("streams", 1) > 1:
        parameters["streams"] = pics["streams"]
    session.call("open", timeout=_WITHIN, **parameters)
    try:
        said = session.call("describe", timeout=_WITHIN, trickle=False)
        return Description(str(said.get("type")), str(said.get("sdp", "")))
    finally:
        _close(session)


def _close(session: Session) -> None:
    with contextlib.suppress(AdapterError):
        session.call("close", timeout=_WITHIN)


def _compare(found: Scan, description: Description, addresses: Sequence[str]) -> None:
    candidates = [c for media in description.sdp.media for c in media.candidates]
    tcp = [c for c in candidates if c.is_tcp]
    found.hosts = [c.address for c in tcp if c.type.lower() == "host"]
    pics = found.pics
    _compare_set(found, "offers", {(c.tcptype or "").lower() for c in tcp} & {"active", "passive", "so"}, "candidates")
    asked = {_family(address) for address in addresses}
    seen = {_family(c.address) for c in candidates}
    _compare_families(found, candidates, seen, asked, addresses)
    components = max((c.component for c in candidates), default=0)
    if candidates and components < min(pics.get("components", 1), _COMPONENTS):
        found.findings.append(f"pics declare components {pics['components']}; the offer has {components}")
    if len(description.sdp.media) < pics.get("streams", 1):
        found.findings.append(f"pics declare streams {pics['streams']}; the offer has {len(description.sdp.media)}")
    if "transports" in pics.get("obeys", []) and len(tcp) < len(candidates):
        found.findings.append("pics declare obeys transports; asked for tcp alone, the offer has udp candidates")
    strange = sorted({c.address for c in candidates if c.type == "host"} - set(addresses))
    if "addresses" in pics.get("obeys", []) and strange:
        found.findings.append(f"pics declare obeys addresses; the offer has {strange[0]}, which was not asked for")


def _compare_set(found: Scan, key: str, seen: set[str], what: str) -> None:
    declared = [str(value) for value in found.pics.get(key, [])]
    for value in declared:
        if value not in seen:
            found.findings.append(f"pics declare {key} {value}; the offer has no {value} {what}")
    for value in sorted(seen - set(declared)):
        found.told.append(f"your offer has {value} {what}; {key} says {_list(declared)}")
        found.pics[key] = [*found.pics.get(key, []), value]


def _compare_families(
    found: Scan, candidates: Sequence[Candidate], seen: set[str], asked: set[str], addresses: Sequence[str]
) -> None:
    declared = [str(value) for value in found.pics.get("families", ["4"])]
    for value in declared:
        if value in asked and value not in seen:
            found.findings.append(f"pics declare families {value}; the offer has no IPv{value} candidates")
    for value in sorted(seen - set(declared) - {""}):
        text = f"your offer has IPv{value} candidates; families says {_list(declared)}"
        # Cases meet the IUT at the tester's addresses: a candidate elsewhere does not help them.
        if any(c.address in addresses and _family(c.address) == value for c in candidates):
            found.pics["families"] = [*declared, value]
        else:
            text += f" (not used: none of them is at an address of the run, {', '.join(addresses)})"
        found.told.append(text)


def _family(address: str) -> str:
    return "6" if ":" in address else "4" if address.replace(".", "").isdigit() else ""


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(values)}]"
