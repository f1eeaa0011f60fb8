"""The same protocol as a boofuzz definition, to compare it with our campaign. Needs boofuzz (`pip install boofuzz`).

    python -m fuzz.targets.with_boofuzz speed SECONDS [CORE]    cases a second, each case one that is answered
    python -m fuzz.targets.with_boofuzz recall SECONDS          which planted bugs it finds

boofuzz keeps its default log. Everything that would only slow it down is off: its waits after a restart, its web page,
and the five seconds for which it would wait for an answer that does not come.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fuzz.player.adapter import Adapter
from fuzz.player.render import Env, fingerprint, integrity
from fuzz.player.steps import PLAN, Player, SessionFailed
from fuzz.targets.bugs import BUGS

_PATIENCE = 0.1  # seconds for an answer
_EACH = 3  # crashes of one cause that are looked into


Crashes = dict[str, list[tuple[float, bytes]]]  # by how the target ended: when, and what was sent


class _Over(BaseException):
    """The time is over; boofuzz has no such limit of its own."""


def _boofuzz() -> Any:
    return importlib.import_module("boofuzz")


class Definition:
    """Checks, indications, responses and media in frames. ``everything``: every field is fuzzed, or SOFTWARE alone."""

    def __init__(self, env: Env, *, everything: bool) -> None:
        self.env, self.everything, self.b = env, everything, _boofuzz()

    def requests(self) -> list[Any]:
        """Return the messages to fuzz."""
        if not self.everything:
            return [self.message("check", 0x0001)]
        kinds = (("check", 0x0001), ("indication", 0x0011), ("success", 0x0101), ("error", 0x0111))
        media = self.b.Request("media", children=(self._length("frame", "body"), self.b.Block("body", children=(
            self.b.Bytes("text", b"\x80\x00\x00\x01"),)),))  # fmt: skip
        return [*(self.message(name, kind) for name, kind in kinds), media]

    def _length(self, name: str, block: str, more: int = 0) -> Any:
        everything = self.everything
        return self.b.Size(name, block, length=2, endian=">", fuzzable=everything, math=lambda size: size + more)

    def message(self, name: str, kind: int) -> Any:
        """Return a message in a frame, with its integrity and its fingerprint computed."""
        b, env = self.b, self.env
        own = [
            self.attribute("user", 0x0006, env.values["$user"]),
            self.attribute("priority", 0x0024, env.values["$priority"]),
            self.attribute("role", 0x8029, bytes(8)),
            self.attribute("software", 0x8022, b"boofuzz!", fuzzed=True),
        ]
        if kind & 0x0100:
            mapped, code = bytes.fromhex("0001000000000000"), bytes.fromhex("000004006e6f")
            own = [self.attribute("mapped", 0x0020, mapped), self.attribute("code", 0x0009, code)]
        head = (
            b.Word("kind", kind, endian=">", fuzzable=self.everything),
            self._length("size", "attributes", 32),
            b.Static("cookie", bytes.fromhex("2112a442") + b"a boofuzz id"),
            b.Block("attributes", children=tuple(own)),
        )
        key = env.own_key if kind & 0x0100 else env.key
        mac = {"algorithm": lambda data: integrity(data, key), "length": 20, "fuzzable": self.everything}
        signed = b.Block("signed", children=(
            b.Block("before", children=head), b.Static("mac-head", bytes.fromhex("00080014")),
            b.Checksum("mac", "before", **mac),
        ))  # fmt: skip
        whole = b.Block("whole", children=(
            signed, b.Static("print-head", bytes.fromhex("80280004")),
            b.Checksum("print", "signed", algorithm=fingerprint, length=4, fuzzable=self.everything),
        ))  # fmt: skip
        return b.Request(name, children=(self._length("frame", "whole"), whole))

    def attribute(self, name: str, kind: int, value: bytes, *, fuzzed: bool = False) -> Any:
        """Return an attribute, padded."""
        b = self.b
        text = b.Bytes(f"{name}-text", value, fuzzable=fuzzed or self.everything)
        return b.Block(name, children=(
            b.Word(f"{name}-kind", kind, endian=">", fuzzable=self.everything),
            self._length(f"{name}-length", f"{name}-value"),
            b.Aligned(f"{name}-aligned", modulus=4, children=(b.Block(f"{name}-value", children=(text,)),)),
        ))  # fmt: skip


class Subject:
    """The target, and a session of it; started anew when it has ended. Its credentials are always the same."""

    def __init__(self, *bugs: str) -> None:
        self._bugs = ["--bugs", ",".join(bugs)] if bugs else []
        self.start()

    def start(self) -> None:
        """Start it."""
        self.adapter = Adapter([sys.executable, "-m", "fuzz.targets", "--fixed", "--passive", *self._bugs])
        self.player = Player(self.adapter.session(), PLAN)
        self.player.open()
        self.port = self.player.connections[0].remote[1]

    def end(self) -> str:
        """Kill it; return how it ended before that."""
        how = self.adapter.death
        self.adapter.kill()
        return how


def _session(subject: Subject, folder: str, end: float, **more: Any) -> Any:
    b = _boofuzz()

    class Monitor(b.BaseMonitor):  # type: ignore[misc,name-defined]
        """Whether the process is alive and its session answers a check."""

        def __init__(self) -> None:
            super().__init__()
            self.crashes: dict[str, list[tuple[float, bytes]]] = {}

        def pre_send(self, target: Any = None, fuzz_data_logger: Any = None, session: Any = None) -> None:
            """Look at the clock."""
            if time.monotonic() > end:
                raise _Over

        def post_send(self, target: Any = None, fuzz_data_logger: Any = None, session: Any = None) -> bool:
            """Return whether all is well."""
            standing = subject.player.connection(0)
            if standing is not None and subject.player.probe(standing):
                standing.forget()
                return True
            how = subject.adapter.death or "it hangs"
            self.crashes.setdefault(how, []).append((time.monotonic(), bytes(sent)))
            return False

        def restart_target(self, target: Any = None, fuzz_data_logger: Any = None, session: Any = None) -> bool:
            """Start it anew, on a port of its own."""
            subject.end()
            subject.start()
            connection.port = subject.port
            return True

    class Connection(b.TCPSocketConnection):  # type: ignore[misc,name-defined]
        """A connection that remembers what was sent."""

        def send(self, data: bytes) -> int:
            """Send."""
            sent[:] = data
            return int(super().send(data))

    sent = bytearray()
    connection = Connection("127.0.0.1", subject.port, recv_timeout=_PATIENCE)
    connection.port = subject.port
    monitor = Monitor()
    target = b.Target(connection=connection, monitors=[monitor] if "index_end" not in more else [])
    session = b.Session(
        target=target, web_port=None, keep_web_open=False, restart_sleep_time=0, receive_data_after_fuzz=True,
        crash_threshold_request=10**6, crash_threshold_element=_EACH, ignore_connection_reset=True,
        ignore_connection_aborted=True, db_filename=os.path.join(folder, "run.db"), **more,  # noqa: PTH118
    )  # fmt: skip
    return session, monitor


def _fuzz(
    subject: Subject, seconds: float, *, everything: bool
) -> tuple[int, float, dict[str, list[tuple[float, bytes]]]]:
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder, (Path(folder) / "log").open("w") as log:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            begun = time.monotonic()
            session, monitor = _session(subject, folder, begun + seconds)
            for request in Definition(subject.player.env, everything=everything).requests():
                session.connect(request)
            with contextlib.suppress(_Over):
                session.fuzz()
            took = time.monotonic() - begun
        crashes = {how: [(at - begun, octets) for at, octets in some] for how, some in monitor.crashes.items()}
        return session.total_mutant_index, took, crashes


def shown(octets: bytes) -> set[str]:
    """Return the bugs that alone end or stop the target when it gets these octets."""
    found = set()
    for bug in BUGS:
        subject = Subject(bug.name)
        try:
            connection = subject.player.connection(1)
            if connection is not None:
                connection.put(octets)
                subject.player.within = 0.2
                with contextlib.suppress(SessionFailed):
                    if not subject.player.alive(0.3) or subject.adapter.death:
                        found.add(bug.name)
        finally:
            subject.end()
    return found


def main(arguments: list[str]) -> int:
    """Measure one or the other."""
    what, seconds = arguments[0], float(arguments[1])
    if what == "speed":
        subject = Subject()
        if len(arguments) > 2:
            os.sched_setaffinity(subject.adapter.process.pid, {int(arguments[2])})
        cases, took, _ = _fuzz(subject, seconds, everything=False)
        sys.stdout.write(f"{cases / took:.1f} cases/s\n")
        subject.end()
        return 0
    subject = Subject(*[bug.name for bug in BUGS])
    cases, took, crashes = _fuzz(subject, seconds, everything=True)
    subject.end()
    first: dict[str, float] = {}
    for at, octets in [one for some in crashes.values() for one in some[: 4 * _EACH]]:
        for name in shown(octets):
            first[name] = min(first.get(name, at), at)
    for bug in BUGS:
        text = f"after {first[bug.name]:6.1f} s" if bug.name in first else "not found"
        sys.stdout.write(f"{bug.group:<12}{bug.name:<24}{text}\n")
    sys.stdout.write(f"boofuzz: {len(first)} of {len(BUGS)} found in {took:.0f} s, {cases} cases\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
