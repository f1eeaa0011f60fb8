"""What a run stands on before any case is collected: the folder, the network, the IUT and what it says of itself.

Cases are made for this premise: what the IUT or the environment rules out is known before variants are combined.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import REQUIREMENTS
from conformance.catalogue.capabilities import validate
from conformance.iut import stacks
from conformance.iut.errors import AdapterError, StackError
from conformance.iut.pool import Hello, Pool
from conformance.peer import lab
from conformance.run.applicability import BOTH, Applicability
from conformance.run.elsewhere import UNREACHED, Elsewhere
from conformance.run.interrupts import opened
from conformance.run.invocation import command_line
from conformance.run.known import KnownFailures
from conformance.run.places import LOOPBACK
from conformance.run.recording import LabRefused, Recording
from conformance.run.scan import Scan
from conformance.run.version import own_version
from conformance.verdict import ExitStatus
from reports.folder import FolderError, OutputFolder, default_folder
from reports.record import RunInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.iut.incidents import Incident
    from conformance.run.testers import Testers

PROCESSES = 8
_GUIDE = "; what an adapter answers, and how to try it by hand: conformance/iut/README.md"


@dataclass(slots=True)
class Premise:
    """An IUT that has said hello, in the network and with the folder that the run will use."""

    stack: stacks.Stack
    folder: OutputFolder
    recording: Recording
    pool: Pool
    hello: Hello
    scan: Scan
    pics: Mapping[str, Any]
    applicability: Applicability
    known: KnownFailures
    early: tempfile.TemporaryDirectory[str]  # logs of sessions before the run begins: the folder is not touched then
    on_wire: bool = False  # the IUT is met on the lab's wire instead of loopback
    ipv6: str = LOOPBACK["IPv6"][0]  # where it is met if not on the wire
    elsewhere: Elsewhere | None = None  # where it is, if its addresses are its own
    earlier: list[Incident] = field(default_factory=list)  # what happened to processes of the pool before this one
    testers: Testers | None = None  # processes that wait for cases

    @classmethod
    def begin(cls, config: pytest.Config, meanwhile: Callable[[], None] = lambda: None) -> Premise:
        """Claim the folder, enter the lab, start the IUT and greet it. `meanwhile` is called while it starts.

        Raises `pytest.UsageError` for what the user can mend in the command, and ends the session with status 3
        where the IUT cannot be judged. Nothing of an earlier run has been touched then.
        """
        stack = resolve(iut_of(config))
        known = KnownFailures(config, stack)
        elsewhere = whereabouts(config, stack)
        only = config.option.collectonly  # nothing is written then, and no network is needed
        folder = OutputFolder.shared(out_of(config)) if only else claim(config)
        try:
            recording = _begin_recording(folder.path, _link(config, stack, elsewhere))
        except BaseException:
            folder.release()
            raise
        early = tempfile.TemporaryDirectory(prefix="icetcp-", ignore_cleanup_errors=True)
        logs = Path(early.name) / "logs"
        logs.mkdir()
        pool = Pool(stack, processes=stack.processes or PROCESSES, log_dir=logs)
        try:
            hello = greet(pool, stack, meanwhile)
            # heavy: imported while the IUT starts, where cases are
            from conformance.run.observing import scan
            from conformance.run.topology import Topology, answered_hosts, lives_on_wire

            on_wire = lives_on_wire(pool, hello.pics, recording)
        except BaseException:
            pool.kill()
            early.cleanup()
            recording.close()
            folder.release()
            raise
        wire = recording.wire.families if isinstance(recording.wire, lab.Wire) else ()
        families = _families(recording) if elsewhere is None else tuple(elsewhere.tester)
        topology = Topology(recording, on_wire=on_wire, elsewhere=elsewhere)
        ipv6 = LOOPBACK["IPv6"][0]
        with opened():
            found = Scan(dict(hello.pics)) if only or stack.by_hand else scan(pool, hello.pics, topology, families)
            if found.lacks_ipv6 and elsewhere is None and "IPv6" in wire:
                there = scan(pool, hello.pics, Topology(recording, ipv6=lab.WIRE_IUT["IPv6"]), families)
                if not there.lacks_ipv6:
                    there.told.append(f"told to use {ipv6}, it has no IPv6 candidate; it is at {lab.WIRE_IUT['IPv6']}")
                    found, ipv6 = there, lab.WIRE_IUT["IPv6"]
        if elsewhere is not None:
            if "offerer" not in hello.pics.get("sides", ("offerer",)) and not stack.by_hand:
                with opened():
                    found.hosts = answered_hosts(pool, hello.pics, elsewhere)
            elsewhere = elsewhere.corrected(found.hosts)
            families = tuple(elsewhere.tester)
        applicability = Applicability(found.pics, families=families, wire=wire)
        if elsewhere is not None:
            applicability.absent = UNREACHED
        return cls(
            stack,
            folder,
            recording,
            pool,
            hello,
            found,
            found.pics,
            applicability,
            known,
            early,
            on_wire,
            ipv6,
            elsewhere,
        )

    def keep_logs(self) -> None:
        """Have logs written to the run's folder from now on, with those of the sessions so far. Raises `OSError`."""
        logs = self.folder.path / "logs"
        for log in self.pool.log_dir.iterdir():
            shutil.move(log, logs / log.name)
        self.pool.log_dir = logs

    def renew(self, processes: int) -> None:
        """End the IUT's process and the recording; the next case has another process, and begins to record.

        What this process has threads for is over then.
        """
        with opened():
            self.pool.close()
            self.recording.close()
        self.earlier = self.incidents
        self.pool = Pool(self.stack, processes=processes, log_dir=self.pool.log_dir, hello=self.hello)

    @property
    def incidents(self) -> list[Incident]:
        """What the IUT's adapter did against the contract so far, in processes of this one."""
        return [*self.earlier, *self.pool.incidents]

    def end(self) -> None:
        """End the IUT and let go of everything. Callable twice."""
        if self.testers is not None:
            self.testers.kill()
        self.pool.kill()
        self.early.cleanup()
        self.recording.close()
        self.folder.release()


def iut_of(config: pytest.Config) -> str:
    """Return what --iut names, or the reference agent."""
    return str(config.getoption("iut") or "reference")


def out_of(config: pytest.Config) -> Path:
    """Return the output folder, by default one for each IUT."""
    return Path(config.getoption("icetcp_out") or default_folder(iut_of(config)))


def claim(config: pytest.Config) -> OutputFolder:
    """Claim the output folder; a worker of pytest-xdist has its controller's. Raises `pytest.UsageError`."""
    out = out_of(config)
    if hasattr(config, "workerinput"):
        return OutputFolder.shared(out)
    try:
        return OutputFolder.claim(out)
    except FolderError as error:
        raise pytest.UsageError(str(error)) from None


def resolve(spec: str) -> stacks.Stack:
    """Return what --iut names. Raises `pytest.UsageError`."""
    try:
        return stacks.resolve(spec)
    except StackError as error:
        raise pytest.UsageError(str(error)) from None


def whereabouts(config: pytest.Config, stack: stacks.Stack) -> Elsewhere | None:
    """Return where an IUT with addresses of its own is; None: here. Raises `pytest.UsageError`."""
    if config.option.collectonly:
        return None
    try:
        return Elsewhere.of(stack, config.getoption("icetcp_iut_address"), config.getoption("icetcp_tester_address"))
    except StackError as error:
        raise pytest.UsageError(str(error)) from None


def _link(config: pytest.Config, stack: stacks.Stack, elsewhere: Elsewhere | None) -> str:
    """Return what the packets pass through. An IUT that is not started here cannot be in a network of the run's own."""
    link = str(config.getoption("icetcp_link"))
    if config.option.collectonly:
        return "sockets"
    if elsewhere is None and stack.host is None:
        return link
    if link == "lab":
        raise pytest.UsageError(f"{stack.name} is reached through this machine's network: --link lab cannot be had")
    return "sockets"


def broken_off(why: str) -> BaseException:
    """Return the exception that ends the session because nothing (more) can be judged."""
    return pytest.exit.Exception(f"icetcp: {why}", returncode=int(ExitStatus.COULD_NOT_JUDGE))


def describe(config: pytest.Config, stack: stacks.Stack) -> RunInfo:
    """Start the IUT once, only to know what it is. Ends the session with status 3 if it cannot be judged."""
    pool = Pool(stack, processes=1, log_dir=out_of(config) / "logs")
    try:
        return information(config, greet(pool, stack), stack, "")
    finally:
        pool.kill()


def greet(pool: Pool, stack: stacks.Stack, meanwhile: Callable[[], None] = lambda: None) -> Hello:
    """Return what the IUT says of itself. Ends the session with status 3 if it cannot be judged."""
    try:
        with opened():
            hello = pool.hello(meanwhile)
        problems = validate(hello.pics)
        if problems:
            raise AdapterError("the adapter's pics are not valid: " + "; ".join(problems))
    except AdapterError as error:
        raise broken_off(f"cannot test {stack.name}: {error}{'' if stack.folder else _GUIDE}") from None
    return hello


def information(config: pytest.Config, hello: Hello, stack: stacks.Stack, link: str) -> RunInfo:
    """Return what the record says of a run when it begins."""
    return RunInfo.here(
        hello.name,
        iut_version=hello.version,
        command=shlex.join(stack.command),
        seed=config.getoption("icetcp_seed"),
        icetcp_version=own_version(),
        link=link,
        started=time.time(),
        requirements=len(REQUIREMENTS),
        command_line=command_line(),
    )


def _begin_recording(out: Path, link: str) -> Recording:
    try:
        return Recording.begin(out, link=link)
    except LabRefused as error:
        raise broken_off(f"no network of the run's own: {error}") from None


def _families(recording: Recording) -> tuple[str, ...]:
    """Return the address families that there are in this network."""
    try:
        address = recording.ipv6_address()
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return BOTH[:1]
    return BOTH
