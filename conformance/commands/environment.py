"""What this environment can do for a run, what it lacks, and the command that mends it.

Nothing here changes anything.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.iut.stacks.debian import install_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

OLDEST_PYTHON = (3, 11)
_TESTED_PYTHONS = ((3, 11), (3, 12), (3, 13))
_QUERY = 20.0  # seconds that a program may take to tell its version


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at.

    `ok`: it is there and works. `essential`: no run without it; the others only narrow what a run can do, as
    `costs` tells. `mend`: the command or setting that provides it. `packages`: the Debian packages for it.
    """

    name: str
    ok: bool
    detail: str
    essential: bool = False
    costs: str = ""
    mend: str = ""
    packages: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Say "ok", "missing" (essential) or "lacking" (optional)."""
        if self.ok:
            return "ok"
        return "missing" if self.essential else "lacking"


# -- the checks -----------------------------------------------------------------------------------------


def python_version() -> Finding:
    """Whether this Python is one that the project is tested with."""
    version = sys.version_info[:2]
    detail = f"{platform.python_version()} ({sys.executable})"
    if version >= OLDEST_PYTHON and version not in _TESTED_PYTHONS:
        detail += "; not a version that the project is tested with"
    return Finding(
        name="Python",
        ok=version >= OLDEST_PYTHON,
        detail=detail,
        essential=True,
        costs="nothing works below 3.11",
        mend="install Python 3.11, 3.12 or 3.13 and make the virtual environment with it",
    )


def python_packages() -> Finding:
    """Whether the packages that the distribution requires are installed in versions that it accepts."""
    from packaging.requirements import Requirement

    wrong, right = list[str](), list[str]()
    for text in metadata.requires("icetcp") or ():
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            wrong.append(str(wanted))
            continue
        (right if wanted.specifier.contains(version, prereleases=True) else wrong).append(f"{wanted.name} {version}")
    quoted = " ".join(shlex.quote(text) for text in metadata.requires("icetcp") or ())
    return Finding(
        name="Python packages",
        ok=not wrong,
        detail=f"not as required: {', '.join(wrong)}" if wrong else ", ".join(right),
        essential=True,
        costs="the command line does not run",
        mend=f"{shlex.quote(sys.executable)} -m pip install {quoted}",
    )


def tshark() -> Finding:
    """Whether tshark is there and reads a capture: one UDP packet, made here."""
    program = shutil.which("tshark")
    costs = "captures are not decoded a second time by tshark, the independent witness"
    if program is None:
        return _lacks("tshark", "not installed", costs, "tshark")
    version = re.search(r"\d+(\.\d+)+", _output([program, "--version"]))
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
        capture = Path(folder) / "one.pcap"
        capture.write_bytes(_one_packet())
        seen = _output([program, "-n", "-r", str(capture), "-T", "fields", "-e", "udp.srcport"]).split()
    named = version[0] if version else "of unknown version"
    if seen != ["9"]:
        return _lacks("tshark", f"{named}, but it does not read a capture", costs, "tshark")
    return Finding(name="tshark", ok=True, detail=named)


def _one_packet() -> bytes:
    """Return a pcap file (link type raw IP) of one empty UDP datagram from port 9 to port 10."""
    datagram = struct.pack("!HHHH", 9, 10, 8, 0)
    packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + datagram
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    return header + struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet


def ipv6_loopback() -> Finding:
    """Whether ::1 is an address of this machine (Linux: proc(5), if_inet6)."""
    addresses = _read("/proc/net/if_inet6")
    present = any(line.startswith("0" * 31 + "1 ") for line in addresses.splitlines())
    return Finding(
        name="IPv6 loopback",
        ok=present,
        detail="::1" if present else "::1 is not an address of this machine",
        costs="cases over IPv6 do not apply",
        mend="sysctl -w net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0",
    )


def compiler() -> Finding:
    """Whether C programs can be built."""
    program = shutil.which("cc") or shutil.which("gcc")
    costs = "`icetcp stacks build libnice` cannot compile its adapter"
    if program is None:
        return _lacks("C compiler", "not installed", costs, "gcc", "libc6-dev")
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
        source = Path(folder) / "one.c"
        source.write_text('#include <stdio.h>\nint main(void) { return puts("") < 0; }\n')
        done = _run([program, "-o", str(source.with_suffix("")), str(source)])
    if done is None or done.returncode:
        return _lacks("C compiler", f"{program} does not compile a program of one line", costs, "gcc", "libc6-dev")
    return Finding(name="C compiler", ok=True, detail=program)


def buildable_stacks() -> Finding:
    """Whether pkg-config finds the headers that the stacks in C need; others are for those who ask for them."""
    from conformance.iut import stacks

    found, absent, packages = list[str](), list[str](), list[str]()
    for known in (stacks.description(name) for name in stacks.names()):
        if not known.source.endswith(".c"):
            continue
        for module in known.modules:
            done = _run(["pkg-config", "--modversion", module])
            if done is None or done.returncode:
                absent.append(f"{module} (for {known.name})")
                packages += known.requires
            else:
                found.append(f"{module} {done.stdout.strip()}")
    if absent:
        costs = "`icetcp stacks build` cannot compile these stacks' adapters"
        return _lacks("headers", f"pkg-config finds no {', '.join(absent)}", costs, *dict.fromkeys(packages))
    return Finding(name="headers", ok=True, detail=", ".join(found) or "none needed")


def turn_server() -> Finding:
    """Whether coturn is there, the STUN and TURN server that the project's own tests start for themselves."""
    program = shutil.which("turnserver")
    costs = "the project's own tests with a real STUN and TURN server fail; runs do not need it"
    if program is None:
        return _lacks("coturn", "not installed", costs, "coturn")
    return Finding(name="coturn", ok=True, detail=program)


def namespaces() -> Finding:
    """Whether a run gets a user and network namespace of its own."""
    from conformance.peer import lab

    unavailable = lab.can_enter()
    if unavailable is None:
        return Finding(name="own network", ok=True, detail="user and network namespaces")
    return Finding(
        name="own network",
        ok=False,
        detail=unavailable.reason,
        costs="captures hold what the tester sent and received; cases that speak in segments of their own are n/a; "
        "no nat-table",
        mend=_namespace_setting() or unavailable.remedy,
    )


def packet_sockets() -> Finding:
    """Whether packets can be recorded in a network of the run's own (packet(7)), tried in a child process."""
    program = (
        "import socket; from conformance.peer.lab import enter; enter(); "
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()"
    )
    done = _run([sys.executable, "-c", program])
    able = done is not None and not done.returncode
    why = (done.stderr.strip().splitlines() or ["no message"])[-1] if done is not None else "it could not be tried"
    return Finding(
        name="AF_PACKET",
        ok=able,
        detail="packets can be recorded" if able else why,
        costs="captures hold what the tester sent and received; cases that speak in segments of their own are n/a",
        mend="a kernel with CONFIG_PACKET (modprobe af_packet), and what the line `own network` asks for",
    )


def _namespace_setting() -> str:
    """Name the setting that forbids namespaces here, if it is a known one."""
    if _read("/proc/sys/kernel/unprivileged_userns_clone").strip() == "0":
        return "sysctl -w kernel.unprivileged_userns_clone=1"
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").strip() == "1":
        return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if _read("/proc/sys/user/max_user_namespaces").strip() == "0":
        return "sysctl -w user.max_user_namespaces=15000"
    return ""


def cache() -> Finding:
    """Whether adapters that are built can be kept."""
    from conformance.iut.stacks.build import cache_folder

    folder = cache_folder()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    able = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    return Finding(
        name="cache folder",
        ok=able,
        detail=str(folder) if able else f"{folder}: {nearest} cannot be written to",
        costs="`icetcp stacks build` cannot keep what it builds",
        mend="export XDG_CACHE_HOME=<a folder that you can write to>",
    )


CHECKS: tuple[Callable[[], Finding], ...] = (
    python_version,
    python_packages,
    tshark,
    namespaces,
    packet_sockets,
    ipv6_loopback,
    compiler,
    buildable_stacks,
    turn_server,
    cache,
)


def finding_data(finding: Finding) -> dict[str, object]:
    """Return a finding for JSON."""
    return {**asdict(finding), "state": finding.state}


def examine(checks: Iterable[Callable[[], Finding]] = CHECKS) -> list[Finding]:
    """Look at everything; a check that itself breaks is a finding too."""
    findings = []
    for check in checks:
        try:
            findings.append(check())
        except Exception as error:  # (the doctor must name what is wrong, also with itself)
            detail = f"could not be examined: {type(error).__name__}: {one_reason(str(error))}"
            findings.append(Finding(name=check.__name__.replace("_", " "), ok=False, detail=detail))
    return findings


def packages_to_install(findings: Iterable[Finding]) -> list[str]:
    """Return the Debian packages that the findings ask for, each once."""
    return list(dict.fromkeys(package for finding in findings if not finding.ok for package in finding.packages))


# -- small helps ----------------------------------------------------------------------------------------


def one_reason(text: str) -> str:
    """Return the text on one line."""
    return " ".join(text.split())


def _lacks(name: str, detail: str, costs: str, *packages: str) -> Finding:
    return Finding(name=name, ok=False, detail=detail, costs=costs, mend=install_command(packages), packages=packages)


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    """Run a program with no input; None if it cannot be started or does not end in time."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_QUERY,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    return None


def _output(command: Sequence[str]) -> str:
    done = _run(command)
    return done.stdout if done is not None and not done.returncode else ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
