"""What our reading saw in the captures of a run, compared with what tshark saw: case by case."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from conformance.run.recording import SHARED
from pcaps.tshark import View, compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.run.recording import CaseCapture
    from pcaps.tshark import Route


def disagreements(views: Mapping[str, tuple[CaseCapture, View]], seen: View) -> dict[str, tuple[str, str]]:
    """Return both witnesses' words, by case, where they differ. `seen` is tshark's view of all captures together.

    The tester's addresses tell which directions are a case's; at one that cases share, their ports do.
    """
    uses = Counter(ip for capture, _own in views.values() for ip in capture.tester)
    shared = {SHARED, *(ip for ip, cases in uses.items() if cases > 1)}
    by_address: defaultdict[str, list[Route]] = defaultdict(list)
    for route in seen.messages:
        for ip in {route[0].ip, route[1].ip}:
            by_address[ip].append(route)
    found = {}
    for case, (capture, own) in views.items():
        routes = {route for ip in capture.tester - shared for route in by_address[ip]}
        if shared & capture.tester:
            routes |= own.messages.keys() & seen.messages.keys()
        differences = compare(own, View({route: seen.messages[route] for route in routes}))
        if differences:
            first = differences[0]
            where = f"from {first.route[0]} to {first.route[1]}"
            found[case] = (f"own decoder, {where}: {first.own}", f"tshark, {where}: {first.tshark}")
    return found
