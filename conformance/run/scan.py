"""What is found when an IUT is held against its pics, and what its description shows; `observing` has the session.

A declared ability that it lacks is a finding. An ability that it has and does not declare is reported and used: cases
that need it are judged.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.iut.description import Description
from conformance.verdict import Level, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.wire.candidate import Candidate

SCAN = "scan"  # the name of the session among those of cases, in incidents
COMPONENTS = 2  # so many has RTP


@dataclass(slots=True)
class Scan:
    """`findings`: what is declared and not done. `told`: what is done and not declared. `pics`: with that used.

    `hosts`: the addresses of the offer's TCP host candidates. `lacks_ipv6`: told to use an IPv6 address among others,
    an IUT that has IPv6 and obeys such wishes offered none.
    """

    pics: dict[str, Any]
    hosts: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    lacks_ipv6: bool = False


def verdicts(found: Scan, *, iut: str, repeat: str) -> list[Result]:
    """Return a failed case for each thing that is declared and not done: cases that need it can judge nothing."""
    results = []
    for text in found.findings:
        declared, _, seen = text.removeprefix("pics declare ").partition("; ")
        results.append(
            Result(
                case=f"adapter/declared_and_not_done[{declared.replace(' ', '-')}]",
                title="what the pics declare is not done",
                section="adapter",
                requirements=(),
                level=Level.MUST,
                verdict=Verdict.FAIL,
                reason=text,
                expected=f"the pics declare {declared}: the stack does it",
                actual=seen,
                iut=iut,
                started=time.time(),
                repeat=repeat,
            )
        )
    return results


def compare(found: Scan, description: Description, addresses: Sequence[str]) -> None:
    """Hold the pics against a description that the IUT has made with these addresses."""
    kind = description.kind
    candidates = [c for media in description.sdp.media for c in media.candidates]
    tcp = [c for c in candidates if c.is_tcp]
    found.hosts = [c.address for c in tcp if c.type.lower() == "host"]
    pics = found.pics
    _compare_tcptypes(found, kind, {(c.tcptype or "").lower() for c in tcp} & {"active", "passive", "so"})
    asked = {_family(address) for address in addresses}
    seen = {_family(c.address) for c in candidates}
    _compare_families(found, kind, candidates, seen, asked, addresses)
    components = max((c.component for c in candidates), default=0)
    if candidates and components < min(pics.get("components", 1), COMPONENTS):
        found.findings.append(f"pics declare components {pics['components']}; the {kind} has {components}")
    if kind == "offer" and len(description.sdp.media) < pics.get("streams", 1):
        found.findings.append(f"pics declare streams {pics['streams']}; the {kind} has {len(description.sdp.media)}")
    if "transports" in pics.get("obeys", []) and len(tcp) < len(candidates):
        found.findings.append(f"pics declare obeys transports; asked for tcp alone, the {kind} has udp candidates")
    _compare_options(found, description)
    strange = sorted({c.address for c in candidates if c.type == "host"} - set(addresses))
    if "addresses" in pics.get("obeys", []) and strange:
        found.findings.append(f"pics declare obeys addresses; the {kind} has {strange[0]}, which was not asked for")


def _compare_tcptypes(found: Scan, kind: str, seen: set[str]) -> None:
    declared = [str(value) for value in found.pics.get("offers", [])]
    for value in declared:
        if value not in seen:
            found.findings.append(f"pics declare offers {value}; the {kind} has no {value} candidates")
    for value in sorted(seen - set(declared)):
        found.told.append(f"your {kind} has {value} candidates; offers says {_list(declared)}")
        found.pics["offers"] = [*found.pics.get("offers", []), value]


def _compare_options(found: Scan, description: Description) -> None:
    said = any("ice2" in (value or "").split() for value in description.sdp.attributes("ice-options"))
    if said and "ice2" not in found.pics:
        found.told.append(f"your {description.kind} says ice-options ice2; pics leave ice2 out")
        found.pics["ice2"] = True
    elif found.pics.get("ice2", False) and not said and found.pics.get("sdp", "full") == "full":
        found.findings.append(f"pics declare ice2; the {description.kind} does not say a=ice-options:ice2")


def _compare_families(
    found: Scan, kind: str, candidates: Sequence[Candidate], seen: set[str], asked: set[str], addresses: Sequence[str]
) -> None:
    declared = [str(value) for value in found.pics.get("families", ["4"])]
    obeys = "addresses" in found.pics.get("obeys", [])
    found.lacks_ipv6 = obeys and "6" in asked and "6" in declared and bool(candidates) and "6" not in seen
    for value in declared:
        if value in asked and value not in seen:
            found.findings.append(f"pics declare families {value}; the {kind} has no IPv{value} candidates")
    for value in sorted(seen - set(declared) - {""}):
        text = f"your {kind} has IPv{value} candidates; families says {_list(declared)}"
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
