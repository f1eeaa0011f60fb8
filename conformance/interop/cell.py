"""One cell, played in a process of its own: `python -m conformance.interop.cell SPEC`, where SPEC is a JSON file.

Whatever a stack does, hang, die or flood, costs this process and nothing else. It leaves the capture, the descriptions
and `facts.json` in the cell's folder; `judgement` makes a verdict of them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import struct
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.interop import network, signalling
from conformance.interop.model import ANSWERER, OFFERER, OTHER, SIDES, Cell, Facts, Trouble
from conformance.interop.watching import Watched
from conformance.iut.errors import AdapterError, StackError
from conformance.iut.incidents import Incidents
from conformance.iut.process import AdapterProcess
from conformance.iut.stacks import resolve
from conformance.iut.upper import Rejected, Upper
from conformance.peer.lab import Unavailable
from conformance.run.evidence import told
from conformance.run.interrupts import end_descendants, interruptible
from conformance.verdict import CaseOutcome, Failed, Inconclusive, NotApplicable
from pcaps.pcapng import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CAPTURE, FACTS = "capture.pcapng", "facts.json"
_TICK = 0.5  # seconds between two looks at what has happened
_CALL, _HELLO = 60.0, 30.0  # seconds that a stack may take to answer a call
_GRACE = 8.0  # seconds that the other side gets once one side has given up
_SETTLED = 1.0  # seconds of quiet at the end
_NO_PAIR = 10.0  # seconds to see whether stacks connect whose candidates do not match
_MEDIA = 20.0  # seconds for data to come through, a DTLS and an SCTP handshake before it included
_RESEND = 1.0
_UNDECIDED = 15.0  # seconds on top of what a stack says that it takes to nominate


class _Clock:
    """Waits for what threads of the adapters bring about; what `Upper` asks for of a waiter."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def wait(self, condition: Callable[[], bool], within: float) -> bool:
        """Return whether the condition came to hold within so many seconds."""
        deadline = time.monotonic() + within
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(left, _TICK))
        return True

    watch = poll = wait

    def wake(self) -> None:
        """Make the wait look at its condition again."""
        with self._changed:
            self._changed.notify_all()


class _Side:
    """One stack in its network, with its session and its log."""

    def __init__(self, name: str, stack: str, between: network.Between, folder: Path, clock: _Clock) -> None:
        """Start it. Raises `AdapterError` and `StackError`."""
        self.name = name
        self.states: list[tuple[int, str]] = []
        self._log = (folder / f"{name}.log").open("w", encoding="utf-8", errors="replace")
        self._begun = time.monotonic()
        self._incidents = Incidents()
        resolved = resolve(stack)
        with between.inside(name):
            self.process = AdapterProcess(resolved.command, resolved.environment, self._incidents)
        self.process.attach(self.log)
        hello = self.process.call("hello", _HELLO, protocol=1)
        self.version = str(hello.get("version", ""))
        self.pics: Mapping[str, Any] = hello.get("pics", {})
        self._session = self.process.session(name, self.log)
        self._taken = 0
        self.upper = Upper(
            lambda: self._session, clock, pics=self.pics, addresses=[between.address(name)], timeout=_CALL
        )

    def log(self, channel: str, text: str) -> None:
        """Write a line of what passed."""
        with contextlib.suppress(ValueError):  # closed
            self._log.write(f"{time.monotonic() - self._begun:9.3f} {channel:<7} {text}\n")

    def look(self) -> None:
        """Note the states that the stack has reported since the last look."""
        with contextlib.suppress(Inconclusive):
            self.upper.states_since(0)
        now = time.time_ns()
        self.states += [(now, state) for state in self.upper.states[self._taken :]]
        self._taken = len(self.upper.states)

    def incidents(self) -> list[str]:
        """Return what the adapter did against the contract, in words; complete once it is closed."""
        return told(incident for incident in self._incidents.all() if incident.serious)

    def close(self) -> None:
        """End the session and the stack."""
        with contextlib.suppress(CaseOutcome, AdapterError):
            self.upper.close()
        self.process.close()
        self._log.close()


class _Failed(Exception):
    """The session cannot go on."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


def play(cell: Cell, stacks: Mapping[str, str], folder: Path) -> Facts | Unavailable:
    """Let two stacks meet; leave what was seen in the folder. `stacks` are what to start, by name."""
    between = network.lay(cell)
    if isinstance(between, Unavailable):
        return between
    facts, begun, sides = Facts(), time.monotonic(), dict[str, _Side]()
    facts.addresses = {side: between.seen_at(side) for side in SIDES}
    clock = _Clock()
    try:
        for side in SIDES:
            with _step(side, "start"):
                sides[side] = _Side(side, stacks[cell.stack(side)], between, folder, clock)
            facts.versions[side], facts.pics[side] = sides[side].version, dict(sides[side].pics)
        _meet(cell, facts, sides, between, folder, clock)
    except _Failed as failure:
        facts.trouble = failure.trouble
    finally:
        for side, one in sides.items():
            one.look()
            facts.states[side] = one.states
        packets = between.recorded()
        facts.lost = between.lost
        _end(sides, between)
        facts.incidents = {side: found for side, one in sides.items() if (found := one.incidents())}
    facts.seconds = time.monotonic() - begun
    _write_capture(folder / CAPTURE, cell, between.link_type, packets, facts)
    return facts


def _end(sides: Mapping[str, _Side], between: network.Between) -> None:
    """End both stacks at the same time, then what is between them."""
    threads = [threading.Thread(target=one.close) for one in sides.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    between.close()


@contextlib.contextmanager
def _step(side: str, step: str) -> Iterator[None]:
    """Take the end of a case, as `Upper` has it, for trouble of this side in this step."""
    try:
        yield
    except Rejected as rejection:
        raise _Failed(Trouble(side, step, _flat(rejection), "rejected")) from rejection
    except NotApplicable as inability:
        raise _Failed(Trouble(side, step, _flat(inability), "unable")) from inability
    except (CaseOutcome, AdapterError, StackError, ValueError) as error:
        kind = "died" if isinstance(error, AdapterError) or "adapter" in str(error) else "error"
        raise _Failed(Trouble(side, step, _flat(error), kind)) from error


def _flat(error: Exception) -> str:
    """Return what an error says on one line: a browser's parser uses several, and a cell has one sentence."""
    return " ".join(str(error).split())


def _meet(
    cell: Cell, facts: Facts, sides: Mapping[str, _Side], between: network.Between, folder: Path, clock: _Clock
) -> None:
    offerer, answerer = sides[OFFERER], sides[ANSWERER]
    for side in SIDES:
        with _step(side, "open"):
            wish = cell.wish(side) or "active passive so"
            obeys = "role" in sides[side].pics.get("obeys", [])
            more: dict[str, Any] = {"role": cell.role(side)} if cell.role(side) and obeys else {}
            sides[side].upper.open(side, tcptypes=wish, ice_servers=between.servers, **more)
    with _step(OFFERER, "describe"):
        offer = offerer.upper.describe()
    (folder / "offer.sdp").write_bytes(offer.text.encode())
    with _step(ANSWERER, "accept"):
        told, facts.translated = signalling.passed(offer.sdp, offerer.pics, answerer.pics)
        (folder / "offer-as-passed.sdp").write_bytes(str(told).encode())
        answerer.upper.accept(told, kind="offer")
    with _step(ANSWERER, "describe"):
        answer = answerer.upper.describe()
    (folder / "answer.sdp").write_bytes(answer.text.encode())
    with _step(OFFERER, "accept"):
        told, _ = signalling.passed(answer.sdp, answerer.pics, offerer.pics, offer.sdp)
        (folder / "answer-as-passed.sdp").write_bytes(str(told).encode())
        offerer.upper.accept(told, kind="answer")
    facts.described_ns = time.time_ns()
    begun = time.monotonic()
    watched = Watched(between, facts, {OFFERER: offer.sdp, ANSWERER: answer.sdp})
    try:
        if _connect(facts, sides, watched, clock):
            _talk(facts, sides, clock)
            clock.wait(lambda: False, _SETTLED)
    finally:
        facts.waited = time.monotonic() - begun


def _connect(facts: Facts, sides: Mapping[str, _Side], watched: Watched, clock: _Clock) -> bool:
    """Wait until both use a pair; False if one gives up, or if it takes too long."""
    decides = max(float(facts.pics[side].get("decides", 40)) for side in SIDES)
    limit = decides + _UNDECIDED if watched.can_pair else _NO_PAIR
    deadline = time.monotonic() + limit
    given_up: float | None = None
    while time.monotonic() < deadline:
        for name, one in sides.items():
            one.look()
            facts.states[name] = one.states
            with _step(name, "checks"):
                one.upper.check_alive()
        if watched.both_connected():
            return True
        if given_up is None and any(_failed(facts, side) for side in SIDES):
            given_up = time.monotonic()
        if all(_failed(facts, side) for side in SIDES) or (given_up and time.monotonic() > given_up + _GRACE):
            return False
        if not watched.can_pair and watched.has_connection:
            deadline = max(deadline, time.monotonic() + decides)
        clock.wait(lambda: False, _TICK)
    return False


def _failed(facts: Facts, side: str) -> bool:
    """Whether a stack says last that it has failed."""
    return bool(facts.states.get(side)) and facts.states[side][-1][1] in ("failed", "closed")


def _talk(facts: Facts, sides: Mapping[str, _Side], clock: _Clock) -> None:
    """Let each application send a packet until the other one has it."""
    if any("data" not in facts.pics[side].get("reports", []) for side in SIDES):
        return
    for number, side in enumerate(SIDES):
        payload = _packet(number, side)
        facts.payloads[side] = base64.b64encode(payload).decode()
        facts.sent[side], facts.received[side] = _send(sides[side], sides[OTHER[side]], payload, facts, clock)


def _send(sender: _Side, receiver: _Side, payload: bytes, facts: Facts, clock: _Clock) -> tuple[str, bool]:
    """Return what became of sending, and whether it was received. A stack may not be ready to send at once."""
    deadline, said = time.monotonic() + (_MEDIA if not facts.translated else _RESEND), "never tried"
    while time.monotonic() < deadline:
        try:
            sender.upper.send(payload)
            said = "sent"
        except NotApplicable as inability:
            return f"cannot send: {inability}", False
        except Inconclusive as refusal:
            said = f"refused: {refusal}"
        with contextlib.suppress(Failed, Inconclusive):
            if clock.wait(lambda: receiver.upper.has_received(payload), _RESEND):
                return said, True
        with _step(receiver.name, "media"):
            receiver.upper.check_alive()
        with _step(sender.name, "media"):
            sender.upper.check_alive()
    return said, False


def _packet(number: int, side: str) -> bytes:
    """Return an RTP packet (RFC 3550 section 5.1) that is found again by its text."""
    return struct.pack("!BBHII", 0x80, 0, number + 1, 160, 0x1CE7C000 + number) + f"what the {side} says".encode() * 8


def _write_capture(path: Path, cell: Cell, link_type: int, packets: list[tuple[int, bytes]], facts: Facts) -> None:
    with path.open("wb") as file:
        writer = Writer(file, link_type, comment=cell.id)
        names = {address: f"{side}-{cell.stack(side)}" for side in SIDES for address in facts.addresses[side]}
        writer.names(
            {address: "".join(c if c.isalnum() or c in "-." else "-" for c in n) for address, n in names.items()}
        )
        for time_ns, octets in packets:
            writer.packet(time_ns, octets)
        writer.statistics(len(packets), facts.lost)


def main() -> int:
    """Play the cell of a file and write its facts. Exit status: 0 done, 3 it could not be played here."""
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(spec["folder"])
    try:
        with interruptible():
            facts = play(Cell.of(spec["cell"]), spec["stacks"], folder)
    except KeyboardInterrupt:
        end_descendants()
        return 3
    if isinstance(facts, Unavailable):
        print(f"{facts.reason}; {facts.remedy}", file=sys.stderr)  # noqa: T201
        return 3
    (folder / FACTS).write_text(json.dumps(facts.data(), indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
