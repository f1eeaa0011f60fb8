"""What our reading saw in the captures of a run, compared with what tshark saw: case by case.

One tshark reads along while the run goes on, and is given some captures at a time. So it starts once, and after the
last case few captures are left.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, defaultdict
from concurrent.futures import Future
from typing import TYPE_CHECKING

from conformance.run.recording import SHARED
from pcaps.growth import Growth
from pcaps.tshark import Captures, TsharkFailed, TsharkMissing, View, ask_tshark, compare, no_room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conformance.run.recording import CaseCapture
    from pcaps.tshark import Route

_BATCH = 5000  # captures, then another tshark goes on: it remembers each connection, and its start costs as much as 800
_PIECE = 100  # captures given at a time: of single ones it writes each packet by itself, for which we would wake


class CrossCheck:
    """Has captures read by tshark, in batches, and compares what both saw. Of a case that comes again the last counts.

    Files for tshark are made in `folder`. ``problem``: why some captures, or all, were not compared; empty if all were.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._batches: list[_Batch] = []  # the last of them may still be open
        self._newest: dict[str, int] = {}  # the batch that a case's last capture is in
        self.problem = ""

    def add(self, capture: CaseCapture, octets: bytes, view: View) -> None:
        """Take a capture in, with what our reading saw there."""
        if self.problem:
            return
        try:
            batch = self._open_for(capture.case)
            batch.add(capture, octets, view)
        except OSError as error:
            self.problem = no_room(error)
            return
        self._newest[capture.case] = batch.number

    def _open_for(self, case: str) -> _Batch:
        """Return the batch that a case's capture can be added to. Raises `OSError`."""
        if self._batches and self._batches[-1].has_room_for(case):
            return self._batches[-1]
        if self._batches:
            self._batches[-1].end()
        number = len(self._batches)
        self._batches.append(_Batch(number, self._folder / f"together-{number}.pcapng"))
        return self._batches[-1]

    def differences(self) -> dict[str, tuple[str, str]]:
        """Wait for tshark, and return both witnesses' words, by case, where they differ."""
        if self._batches:
            self._batches[-1].end()
        found = {}
        for batch in self._batches:
            try:
                differing = batch.answer.result()
            except (TsharkMissing, TsharkFailed) as error:
                self.problem = self.problem or str(error)
                continue
            found.update({case: said for case, said in differing.items() if self._newest[case] == batch.number})
        return found


class _Batch:
    """Captures that one tshark reads, in one file. ``answer``: where it saw something else; or why it could not say."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.answer: Future[dict[str, tuple[str, str]]] = Future()
        self._views: dict[str, tuple[CaseCapture, View]] = {}
        self._path = path
        self._captures = Captures(path)
        self._growth = Growth()
        self._given = 0  # captures
        # Nobody waits for it if the run is given up.
        self._asking = threading.Thread(target=self._ask, name=f"tshark-{number}", daemon=True)

    def has_room_for(self, case: str) -> bool:
        """Whether a capture can be added: not of a case whose capture tshark has been given already."""
        return len(self._views) < _BATCH and not (case in self._views and self._given)

    def add(self, capture: CaseCapture, octets: bytes, view: View) -> None:
        """Append a capture; the one of the same case before it no longer counts. Raises `OSError`."""
        self._captures.add(capture.case, octets)
        self._views[capture.case] = capture, view
        if len(self._views) >= self._given + _PIECE:
            self._give()

    def end(self) -> None:
        """Say that no more captures come."""
        self._give()
        self._growth.end()

    def _give(self) -> None:
        self._given = len(self._views)
        self._growth.reached(self._captures.size)
        if self._asking.ident is None:
            self._asking.start()

    def _ask(self) -> None:
        try:
            differing = self._differing()
        except BaseException as error:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(differing)

    def _differing(self) -> dict[str, tuple[str, str]]:
        try:
            seen = ask_tshark(self._path, self._growth)
            self._growth.wait()  # else views may still come
            return disagreements(self._views, seen)
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
