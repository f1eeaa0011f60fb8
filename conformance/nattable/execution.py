"""Two reference agents, each in a network of its own, connect through every row at once and tell what they selected."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.iut.errors import AdapterError
from conformance.iut.incidents import Incident, Incidents, Kind
from conformance.iut.process import AdapterProcess
from conformance.iut.stacks import own_environment
from conformance.nattable import captures
from conformance.nattable.model import FAILS, Expected, Row, expect, kind_of
from conformance.nattable.path.impairments import Impairment
from conformance.nattable.path.middle import ANSWERER, OFFERER, Way
from conformance.nattable.path.server import RelayServer
from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from conformance.iut.process import Session
    from conformance.nattable.path.network import Network

AT_ONCE = 16
_SETTLED = 3.0  # seconds after which a row that goes on needs no attention
_CALL, _OUTCOME, _DATA = 20.0, 75.0, 15.0  # seconds; failing takes 39.5 (RFC 8863 section 4), a connection attempt 20
_PATIENT = {"settling": 0.6, "decision": 1.0}  # seconds in which better pairs may become valid before one is nominated
_OCTETS = bytes(range(256)) * 12
_LOG_LINES = 60
STRICT_DELAY = 0.05  # seconds each way above which a worse pair may be nominated first


@dataclass(slots=True)
class Result:
    """What came of a row.

    ``seen`` is a kind of pair, "fails", or a text that says what went wrong.

    ``met``: the kernels met in a simultaneous open, over whatever pair.
    """

    row: Row
    expected: Expected
    seen: str
    seconds: float
    log: list[str] = field(default_factory=list)
    lenient: bool = False
    met: bool = False

    @property
    def ok(self) -> bool:
        """Whether it came as expected; over a bad network, as could be expected."""
        if self.lenient:
            return self.seen in (self.expected.by, *self.expected.possible, *self.expected.if_lost)
        return self.seen == self.expected.by and self.met >= self.expected.meets


class _Trouble(Exception):
    """A row came to no outcome."""


class Bench:
    """The agents and the server. `async with` it, on the loop that is to serve the network.

    Captures and descriptions of every row go below `out`, if that is given. `faults` are those of the agents.
    """

    def __init__(
        self,
        network: Network,
        impairment: Impairment,
        seed: int,
        out: Path | None = None,
        faults: Sequence[str] = (),
    ) -> None:
        self._out = out
        self._command = [sys.executable, "-m", "conformance.agent", *(f"--fault={fault}" for fault in faults)]
        self._network = network
        self._impairment = impairment
        self._seed = seed
        self._server = RelayServer(network.server_address)
        self._processes: dict[str, AdapterProcess] = {}
        self._incidents = Incidents()
        self._logs: dict[str, deque[str]] = {}

    async def __aenter__(self) -> Bench:
        self._network.serve()
        await self._server.start()
        for end in (OFFERER, ANSWERER):
            with self._network.inside(end):
                process = self._processes[end] = AdapterProcess(self._command, own_environment(), self._incidents)
            process.attach(self._take_log)
            process.call("hello", _CALL, protocol=1)
        return self

    @property
    def incidents(self) -> list[Incident]:
        """What the agents did against the adapter contract, so that no row is sure."""
        return [incident for incident in self._incidents.all() if incident.serious]

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for process in self._processes.values():
            if kind is None:
                process.close()
            else:
                process.kill()
        await self._server.close()
        self._network.close()

    def _take_log(self, channel: str, line: str) -> None:
        """Keep what an agent says on stderr of a session, which is named first."""
        log = self._logs.get(line.partition(": ")[0])
        if log is not None and channel == "stderr":
            log.append(line)

    # -- rows ----------------------------------------------------------------------------------------------

    async def run(self, rows: Sequence[Row], at_once: int, done: Callable[[Result], None]) -> None:
        """Execute rows; `done` gets each result as it comes. So many are begun at once, the slow ones first.

        Raises `OSError` if captures cannot be written.
        """
        slots = asyncio.Semaphore(at_once)
        slow_first = sorted(enumerate(rows), key=lambda item: expect(item[1]).by != FAILS)
        try:
            async with asyncio.TaskGroup() as group:
                for number, row in slow_first:
                    await slots.acquire()
                    task = group.create_task(self._execute(number, row, done))
                    group.create_task(_release(slots, task))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _execute(self, number: int, row: Row, done: Callable[[Result], None]) -> None:
        way = Way(
            _addresses(number, row),
            {OFFERER: row.offerer, ANSWERER: row.answerer},
            timing=row.timing,
            impairment=self._impairment,
            seed=f"{self._seed} {row.name}",
        )
        self._network.add(way)
        begun = time.monotonic()
        ends = [_End(self._processes[name], f"{name}{number}", self._logs) for name in (OFFERER, ANSWERER)]
        self._use(row.name, True)
        try:
            seen = await self._play(row, way, ends)
        except (_Trouble, AdapterError) as error:
            seen = str(error)
        took = time.monotonic() - begun
        result = Result(row, expect(row), seen, took, lenient=self._is_bad, met=way.met)
        if not result.ok:
            result.log = [line for end in ends for line in end.log]
        for end in ends:
            unanswered = await end.close()
            if unanswered:
                text = f"the adapter never answered {', '.join(unanswered)}"
                self._incidents.add(Incident(Kind.HUNG, text, end.process_id, (row.name,)))
        self._use(row.name, False)
        self._network.middle.remove(way)
        if self._out is not None:
            captures.write(self._out, row, way, [end.described for end in ends])
        done(result)

    def _use(self, row: str, begins: bool) -> None:
        """Let the agents' incidents name the rows that are being executed."""
        for process in self._processes.values():
            others = [name for name in process.users if name != row]
            process.users, process.last_user = [*others, row] if begins else others, row

    @property
    def _is_bad(self) -> bool:
        kind = self._impairment
        return not kind.is_gentle or kind.delay + kind.jitter > STRICT_DELAY

    async def _play(self, row: Row, way: Way, ends: Sequence[_End]) -> str:
        """Let the agents meet; return what they say of it."""
        servers = [self._server.stun_entry] + ([self._server.turn_entry] if row.relay else [])
        offerer, answerer = ends
        for end, name, side in ((offerer, OFFERER, "offerer"), (answerer, ANSWERER, "answerer")):
            await end.call(
                "open",
                side=side,
                media="bytes",
                addresses=[way.ends[name].inner],
                tcptypes=["active", "passive", *(["so"] if row.simultaneous else [])],
                ice_servers=servers,
                **{"x-variation": _PATIENT},
            )
        await answerer.call("accept", **await offerer.describe())
        await offerer.call("accept", **await answerer.describe())
        for end in ends:
            await end.until(lambda end=end: end.ended, _OUTCOME, "came to no end of its checks")  # type: ignore[misc]
        outcomes = {end.outcome for end in ends}
        if len(outcomes) > 1:
            raise _Trouble(f"the offerer: {offerer.outcome}; the answerer: {answerer.outcome}")
        if outcomes != {FAILS}:
            await _talk(offerer, answerer)
        return outcomes.pop()


async def _release(slots: asyncio.Semaphore, task: asyncio.Task[None]) -> None:
    await asyncio.wait([task], timeout=_SETTLED)
    slots.release()


async def _talk(one: _End, other: _End) -> None:
    """Send octets both ways over the selected connection."""
    for sender, receiver in ((one, other), (other, one)):
        await sender.call("send", component=1, data=base64.b64encode(_OCTETS).decode())
        await receiver.until(lambda r=receiver: len(r.data) >= len(_OCTETS), _DATA, "did not receive what was sent")  # type: ignore[misc]
        if receiver.data != _OCTETS:
            raise _Trouble(f"{receiver.name} received other octets than were sent")


def _addresses(number: int, row: Row) -> dict[str, tuple[str, str]]:
    """Return the inner and the outer address of each end in the row of this number; equal without a NAT."""
    low = f"{number >> 8}.{number & 255}"
    outer = {OFFERER: f"198.18.{low}", ANSWERER: f"198.19.{low}"}
    inner = {OFFERER: f"10.1.{low}", ANSWERER: f"10.2.{low}"}
    natted = {OFFERER: row.offerer is not None, ANSWERER: row.answerer is not None}
    return {end: (inner[end] if natted[end] else outer[end], outer[end]) for end in outer}


class _End:
    """One agent in one row: its session, and what it has said."""

    def __init__(self, process: AdapterProcess, name: str, logs: dict[str, deque[str]]) -> None:
        self.name = name
        self.log = logs[name] = deque(maxlen=_LOG_LINES)
        self.states: list[str] = []
        self.kind = ""
        self.described = ""
        self.data = bytearray()
        self._process = process
        self._logs = logs
        self._changed = asyncio.Event()
        self._session: Session = process.session(name, lambda _channel, _line: None)
        loop = asyncio.get_running_loop()
        self._session.on_activity = lambda: _tell(loop, self._changed)

    @property
    def ended(self) -> bool:
        """Whether its checks have ended one way or the other."""
        return (bool(self.kind) and "completed" in self.states) or "failed" in self.states

    @property
    def outcome(self) -> str:
        """What came of them."""
        return self.kind if "completed" in self.states else FAILS

    async def call(self, method: str, **parameters: object) -> Mapping[str, Any]:
        """Call a method. Raises `_Trouble` if no answer comes, `AdapterError` if that is an error."""
        pending = self._session.begin(method, parameters)
        await self.until(lambda: pending.done, _CALL, f"did not answer {method}")
        return pending.result()

    async def describe(self) -> Mapping[str, Any]:
        """Return its offer or answer."""
        result = await self.call("describe")
        self.described = str(result.get("sdp"))
        return result

    async def until(self, condition: Callable[[], bool], within: float, otherwise: str) -> None:
        """Wait for something that the agent says. Raises `_Trouble` if it does not come."""
        try:
            async with asyncio.timeout(within):
                while True:
                    self._changed.clear()
                    self._take()
                    if condition():
                        return
                    if self._session.died is not None:
                        raise _Trouble(str(self._session.died))
                    await self._changed.wait()
        except TimeoutError:
            raise _Trouble(f"{self.name} {otherwise} within {within:g} s; states: {', '.join(self.states)}") from None

    def _take(self) -> None:
        while self._session.notifications:
            said = self._session.notifications.popleft()
            match said.method:
                case "state":
                    self.states.append(str(said.params.get("state")))
                case "selected":
                    self.kind = _kind(said.params)
                case "data":
                    self.data += base64.b64decode(str(said.params.get("data")))

    @property
    def process_id(self) -> int:
        """Of its process."""
        return self._process.pid

    async def close(self) -> list[str]:
        """End the session; return the methods that a process which goes on running has left unanswered."""
        with contextlib.suppress(_Trouble, AdapterError):
            await self.call("close")
        unanswered = self._process.forget(self._session)
        del self._logs[self.name]
        return unanswered if self._process.death is None else []


def _tell(loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(changed.set)


def _kind(selected: Mapping[str, Any]) -> str:
    try:
        return kind_of(Candidate.parse(str(selected.get("local"))), Candidate.parse(str(selected.get("remote"))))
    except SdpError as error:
        return f"a pair that cannot be read: {error}"
