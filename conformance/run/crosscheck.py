"""What our reading saw in the captures of a run, compared with what tshark saw: case by case.

tshark is asked about a thousand captures at a time, while the run goes on: it takes longer to read them than to make
them.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from conformance.run.recording import SHARED
from pcaps.tshark import Captures, TsharkFailed, TsharkMissing, View, ask_tshark, compare, no_room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conformance.run.recording import CaseCapture
    from pcaps.tshark import Route

_BATCH = 1000  # captures; tshark takes a quarter of a second to start, and for a capture a thousandth of that


class CrossCheck:
    """Has captures read by tshark, in batches, and compares what both saw. Of a case that comes again the last counts.

    Files for tshark are made in `folder`. ``problem``: why some captures, or all, were not compared; empty if all were.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._batch: _Batch | None = None
        self._number = 0
        self._newest: dict[str, int] = {}  # the batch that a case's last capture is in
        self._asked: list[tuple[_Batch, Future[dict[str, tuple[str, str]]]]] = []
        self._tshark = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2), "tshark")
        self.problem = ""

    def add(self, capture: CaseCapture, octets: bytes, view: View) -> None:
        """Take a capture in, with what our reading saw there."""
        if self.problem:
            return
        try:
            if self._batch is None:
                self._number += 1
                self._batch = _Batch(self._number, self._folder / f"together-{self._number}.pcapng")
            self._batch.add(capture, octets, view)
        except OSError as error:
            self.problem = no_room(error)
            return
        self._newest[capture.case] = self._batch.number
        if len(self._batch.views) >= _BATCH:
            self._ask()

    def differences(self) -> dict[str, tuple[str, str]]:
        """Wait for tshark, and return both witnesses' words, by case, where they differ."""
        self._ask()
        found = {}
        for batch, answer in self._asked:
            try:
                differing = answer.result()
            except (TsharkMissing, TsharkFailed) as error:
                self.problem = self.problem or str(error)
                continue
            found.update({case: said for case, said in differing.items() if self._newest[case] == batch.number})
        self._tshark.shutdown()
        return found

    def _ask(self) -> None:
        batch, self._batch = self._batch, None
        if batch is not None:
            self._asked.append((batch, self._tshark.submit(batch.compare)))


class _Batch:
    """Captures that tshark reads together, in one file."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.views: dict[str, tuple[CaseCapture, View]] = {}
        self._path = path
        self._captures = Captures(path)

    def add(self, capture: CaseCapture, octets: bytes, view: View) -> None:
        """Append a capture; the one of the same case before it no longer counts. Raises `OSError`."""
        self._captures.add(capture.case, octets)
        self.views[capture.case] = capture, view

    def compare(self) -> dict[str, tuple[str, str]]:
        """Return where tshark saw something else. Raises `TsharkMissing` or `TsharkFailed`."""
        views, self.views = self.views, {}
        try:
            return disagreements(views, ask_tshark(self._path))
        finally:
            with contextlib.suppress(OSError):
                self._path.unlink()


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
