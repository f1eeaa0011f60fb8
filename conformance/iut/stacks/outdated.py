"""Whether the stacks' versions are the newest ones, asked of the registries through the package managers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.iut.stacks.java import pom
from conformance.iut.stacks.toolchains import toolchain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.iut.stacks import Description

_WITHIN = 60.0  # seconds for one question
_MAJOR = re.compile(r"/v(\d+)\Z")
_CHANGE = re.compile(r"(\S+) \.+\s+(\S+) -> (\S+)")  # of Maven's versions plugin


class Unasked(Exception):
    """A registry could not be asked."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A package that a stack is made of: the version that is pinned or installed, and the newest.

    ``problem``: why the newest is not known.
    """

    package: str
    present: str
    newest: str = ""
    problem: str = ""

    @property
    def outdated(self) -> bool:
        """Whether there is a newer one."""
        return bool(self.newest) and self.newest != self.present


def standings(stack: Description) -> list[Standing]:
    """Return how each package of a stack stands; of one without a source, which is ours, there are none."""
    if not stack.source:
        return []
    kind = Path(stack.source).suffix
    pinned = [(name, version) for name, version in map(_divided, stack.modules) if version]
    ask = _ASK[kind] if pinned else _of_debian
    packages = pinned or [
        (name, present) for name, present in toolchain(stack).versions(stack) if name in stack.requires
    ]
    if not packages:  # a stack in C: its libraries' Debian packages
        packages = [(name, "") for name in stack.requires if name.startswith("lib") and name != "libc6-dev"]
    return [_standing(name, present, ask) for name, present in packages]


def _divided(module: str) -> tuple[str, str]:
    """Return name and version of a module as its package manager writes them."""
    for mark in ("==", "@", ":"):
        name, _, version = module.rpartition(mark)
        if name and version and (mark != ":" or module.count(":") == 2):
            return name, version
    return module, ""


def _standing(name: str, present: str, ask: Callable[[str, str], tuple[str, str]]) -> Standing:
    try:
        found, newest = ask(name, present)
    except Unasked as error:
        return Standing(name, present, problem=str(error))
    return Standing(name, found, newest)


def _asked(command: Sequence[str], folder: str | None = None, **environment: str) -> str:
    """Return what a package manager says. Raises `Unasked`."""
    try:
        done = subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            check=False,
            timeout=_WITHIN,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        )
    except OSError as error:
        raise Unasked(f"{command[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Unasked(f"{command[0]} did not answer within {_WITHIN:g} s") from None
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise Unasked(f"{command[0]} could not ask its registry: {said[-1].strip() if said else 'no reason given'}")
    return done.stdout


def _of_go(name: str, present: str) -> tuple[str, str]:
    """Ask for the newest version of a module, and whether its next major version exists."""
    latest = ["go", "list", "-m", "-f", "{{.Version}}"]
    with tempfile.TemporaryDirectory() as folder:
        newest = _asked([*latest, f"{name}@latest"], folder, GO111MODULE="on", GOFLAGS="-mod=mod").strip()
        major = _MAJOR.search(name)
        if major:
            following = _MAJOR.sub(f"/v{int(major[1]) + 1}", name)
            with contextlib.suppress(Unasked):  # there is none
                found = _asked([*latest, f"{following}@latest"], folder, GO111MODULE="on", GOFLAGS="-mod=mod").strip()
                newest = newest if "-" in found else found  # v5.0.0-rc.2 is not a release yet
    return present, newest


def _of_npm(name: str, present: str) -> tuple[str, str]:
    return present, str(json.loads(_asked(["npm", "view", name, "version", "--json"])))


def _of_pip(name: str, present: str) -> tuple[str, str]:
    said = _asked([sys.executable, "-m", "pip", "--disable-pip-version-check", "index", "versions", name])
    found = re.search(r"\(([^)]+)\)", said)
    if found is None:
        raise Unasked(f"pip says nothing of {name}")
    return present, found[1]


def _of_cargo(name: str, present: str) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        said = _asked(["cargo", "info", "--quiet", name], folder)
    found = re.search(r"^version: (\S+)(?: \(latest (\S+)\))?", said, re.MULTILINE)
    if found is None:
        raise Unasked(f"cargo says nothing of {name}")
    return present, found[2] or found[1]


def _of_maven(name: str, present: str) -> tuple[str, str]:
    from conformance.iut.stacks import Description

    asking = Description("x", "x", "", "", [], modules=[f"{name}:{present}"])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pom.xml").write_text(pom(asking), encoding="utf-8")
        said = _asked(
            ["mvn", "-B", "org.codehaus.mojo:versions-maven-plugin:2.18.0:display-dependency-updates"], folder
        )
    changes = {package: newest for package, _present, newest in _CHANGE.findall(said)}
    return present, changes.get(name, present)


def _of_debian(name: str, _present: str) -> tuple[str, str]:
    """Ask the package lists of this machine, which `apt-get update` renews."""
    said = _asked(["apt-cache", "policy", name])
    found = dict(re.findall(r"^  (Installed|Candidate): (\S+)", said, re.MULTILINE))
    if "Candidate" not in found:
        raise Unasked(f"the package lists do not have {name}; apt-get update renews them")
    return found.get("Installed", "(none)"), found["Candidate"]


_ASK: dict[str, Callable[[str, str], tuple[str, str]]] = {
    ".go": _of_go,
    ".js": _of_npm,
    ".py": _of_pip,
    ".rs": _of_cargo,
    ".java": _of_maven,
}
