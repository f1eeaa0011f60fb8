"""Implementations that this machine does not start: behind a port, behind ssh, or a device that a person operates.

Their addresses are their own, so the run stays in the machine's network: see `conformance.run.elsewhere`.

    tcp:HOST:PORT     an adapter behind a port; each connection to it is one process of the adapter contract
    ssh:HOST COMMAND  an adapter that ssh starts on another machine
    whip:URL[#PICS]   a WHIP server (RFC 9725): the tester's offers are POSTed to it; PICS is a JSON file
    whep:URL[#PICS]   a WHEP server, likewise
    manual[:PICS]     a person at this terminal carries descriptions to a device and back
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from conformance.iut.errors import StackError
from conformance.iut.stacks import Stack, own_environment

TOKEN = "ICETCP_WHIP_TOKEN"
_AUTHORITY = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^\s:\[\]/@]+)):(?P<port>\d{1,5})\Z")
_DESTINATION = re.compile(
    r"(?P<user>[^\s@:\[\]]+@)?(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\s:\[\]@]+))(?::(?P<port>\d{1,5}))?\Z"
)
_SSH = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8"]  # no terminal, and no question that nobody answers
_SSH_PROCESSES = 4  # sshd refuses connections when many log in at once (MaxStartups)
_LAST_PORT = 65535


def resolve(spec: str) -> Stack | None:
    """Return the stack that a spec with one of the schemes names, or None. Raises `StackError`."""
    scheme, _, rest = spec.partition(":")
    match scheme:
        case "tcp":
            return _tcp(rest)
        case "ssh":
            return _ssh(rest)
        case "whip" | "whep":
            return _whip(scheme, rest)
        case "manual":
            return _manual(rest)
        case _:
            return None


def _tcp(text: str) -> Stack:
    found = _AUTHORITY.match(text)
    if found is None or not 0 < int(found["port"]) <= _LAST_PORT:
        raise StackError(f"tcp:{text} is not tcp:HOST:PORT, as in tcp:192.0.2.7:7000 or tcp:[2001:db8::7]:7000")
    host = found["ipv6"] or found["name"]
    command = [sys.executable, "-m", "conformance.iut.remote.bridge", host, found["port"]]
    return Stack(f"tcp:{text}", command, environment=own_environment(), host=host)


def _ssh(text: str) -> Stack:
    destination, _, command = text.strip().partition(" ")
    found = _DESTINATION.match(destination)
    if found is None or destination.startswith("-") or not command.strip():
        raise StackError(f"ssh:{text} is not ssh:HOST COMMAND, as in --iut 'ssh:user@bench ./adapter --option'")
    ssh = shutil.which("ssh")
    if ssh is None:
        raise StackError(
            "ssh was not found; install it (Debian: openssh-client), or reach the adapter by tcp:HOST:PORT"
        )
    port = ["-p", found["port"]] if found["port"] else []
    host = found["ipv6"] or found["name"]
    words = [ssh, *_SSH, *port, "--", (found["user"] or "") + host, command.strip()]
    return Stack(f"ssh:{destination}", words, processes=_SSH_PROCESSES, host=_configured(ssh, port, host))


def _configured(ssh: str, port: list[str], host: str) -> str:
    """Return the host that ssh's configuration has for a name; the name if ssh does not say."""
    try:
        said = subprocess.run([ssh, "-G", *port, "--", host], capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return host
    names = [line.split(None, 1)[1] for line in said.stdout.splitlines() if line.startswith("hostname ")]
    return names[0].strip() if names and said.returncode == 0 else host


def _whip(scheme: str, text: str) -> Stack:
    url, _, pics = text.partition("#")
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # of a port that is no number
        known = False
    if not known:
        raise StackError(f"{scheme}:{text} is not {scheme}:URL, as in {scheme}:https://media.example/{scheme}/room")
    if parts.username or parts.password:
        raise StackError(
            f"{scheme}: a URL with a password is refused; put a token into the environment variable {TOKEN}"
        )
    arguments = [*(["--whep"] if scheme == "whep" else []), *_pics(f"{scheme}:{text}", pics), url]
    command = [sys.executable, "-m", "conformance.iut.remote.whip", *arguments]
    return Stack(f"{scheme}:{url}", command, environment=own_environment(), host=parts.hostname)


def _pics(spec: str, text: str) -> list[str]:
    """Return the option for a file of pics, if one is named."""
    if not text:
        return []
    file = Path(text)
    if not file.is_file():
        raise StackError(f"{spec}: there is no file {text}; it holds the pics, a JSON object")
    return ["--pics", str(file.resolve())]


def _manual(text: str) -> Stack:
    arguments = _pics(f"manual:{text}", text)
    here = f"/proc/{os.getpid()}/fd"
    command = [
        sys.executable,
        "-m",
        "conformance.iut.remote.manual",
        *arguments,
        "--from",
        f"{here}/0",
        "--to",
        f"{here}/2",
    ]
    return Stack("manual", command, environment=own_environment(), jobs=1, processes=1, host="", by_hand=True)
