"""The stacks that icetcp knows how to start: one folder each, with a stack.toml and, if it needs one, an adapter.

A stack is named (`reference`, `libnice`), any command (`exec:COMMAND`) that speaks the adapter contract, or out of this
machine's reach but for its adapter's (`conformance.iut.remote`).
"""

from __future__ import annotations

import difflib
import os
import shlex
import shutil
import sys
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.iut.errors import StackError, UnknownStack
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

__all__ = ["Expectation", "Stack", "StackError", "UnknownStack", "description", "expectations", "names", "resolve"]


@dataclass(frozen=True, slots=True)
class Stack:
    """How to start an IUT. ``folder`` is None if it is not one of ours. ``jobs``: parallel cases it bears; 0: many.

    ``processes``: how many of its processes may run at once; 0: as many as of any stack. ``host``: the machine that
    has its addresses, if it is not this one; empty if only the user knows. ``by_hand``: a person carries descriptions.
    """

    name: str
    command: list[str]
    folder: Traversable | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    jobs: int = 0
    processes: int = 0
    host: str | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """What a stack.toml says.

    ``requires`` are Debian packages. ``modules`` are what the toolchain asks for: pkg-config modules (C), import paths
    (Go; with @ and a version, what ``go get`` fetches), packages with their versions as npm, cargo or Maven name them
    (Node, Rust, Java), programs or packages as pip names them (Python; if there are none, the packages that the stack
    ``requires`` are looked for). ``go``, ``rust``: the oldest compiler that builds it. ``environment``: variables
    of a build by cargo. ``jobs``: see `Stack`.
    """

    name: str
    title: str
    homepage: str
    licence: str
    command: list[str]
    source: str = ""
    requires: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    notes: str = ""
    go: str = "1.0"
    rust: str = "0.0"
    environment: dict[str, str] = field(default_factory=dict)
    jobs: int = 0


@dataclass(frozen=True, slots=True)
class Expectation:
    """A deviation of a stack that was confirmed in a capture: the verdict to expect, and the evidence."""

    verdict: Verdict
    evidence: str


def names() -> list[str]:
    """Return the names of all stacks."""
    return sorted(entry.name for entry in _root().iterdir() if entry.joinpath("stack.toml").is_file())


def folder(name: str) -> Traversable:
    """Return the folder of a stack."""
    return _root().joinpath(name)


def description(name: str) -> Description:
    """Return what is known of a stack. Raises `UnknownStack` for an unknown name."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        if near:
            hint = f"did you mean {near[0]}? "
        elif _is_command(name):
            hint = f"for a command write --iut 'exec:{name}'. "
        else:
            hint = ""
        raise UnknownStack(f"no stack is called {name!r}; {hint}Known: {', '.join(names())}; any adapter: exec:COMMAND")
    table = tomllib.loads(_root().joinpath(name, "stack.toml").read_text(encoding="utf-8"))
    return Description(name=name, **table)


def _is_command(text: str) -> bool:
    return "/" in text or " " in text or shutil.which(text) is not None


def resolve(spec: str) -> Stack:
    """Return the stack of NAME, exec:COMMAND or one of the schemes of `conformance.iut.remote`.

    Raises `StackError` for an unknown name, a stack that is not built, or a command that cannot be found.
    """
    if spec.startswith("exec:"):
        return _command(spec.removeprefix("exec:"))
    from conformance.iut import remote  # deferred: it makes stacks of the class above

    elsewhere = remote.resolve(spec)
    if elsewhere is not None:
        return elsewhere
    known = description(spec)
    folder = _root().joinpath(spec)
    binary = ""
    if known.source:
        from conformance.iut.stacks.build import built  # deferred: only what is compiled needs it

        path = built(known)
        if path is None:
            raise StackError(f"the adapter of {spec} is not built yet; run: icetcp stacks build {spec}")
        binary = str(path)
    command = [word.format(python=sys.executable, binary=binary, folder=folder) for word in known.command]
    environment = own_environment() if "-m" in command else {}  # a script finds its neighbours by its own folder
    return Stack(spec, command, folder, environment=environment, jobs=known.jobs)


def _command(text: str) -> Stack:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise StackError(f"exec:{text} is no command line: {error}") from None
    if not words:
        raise StackError("exec: needs a command, as in --iut 'exec:./adapter --option'")
    if shutil.which(words[0]) is None:
        if Path(words[0]).is_file():
            raise StackError(f"{words[0]!r} of --iut may not be executed; chmod +x mends it, or name its interpreter")
        raise StackError(f"the command {words[0]!r} of --iut was not found")
    return Stack(Path(words[0]).name, words)


def own_environment() -> dict[str, str]:
    """Return the variables with which a Python finds this package, whatever the current folder has of its name.

    It keeps compiled modules where this one does.
    """
    root = str(Path(__file__).resolve().parents[3])
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    variables = {"PYTHONPATH": os.pathsep.join([root, *others]), "PYTHONSAFEPATH": "1"}
    if sys.pycache_prefix is not None and not sys.dont_write_bytecode:
        variables |= {"PYTHONPYCACHEPREFIX": sys.pycache_prefix, "PYTHONDONTWRITEBYTECODE": ""}
    return variables


def expectations(stack: Stack) -> Mapping[str, Expectation]:
    """Return the stack's confirmed deviations by the id of a variant, or of a case if all its variants show it."""
    if stack.folder is None:
        return {}
    file = stack.folder.joinpath("expectations.toml")
    if not file.is_file():
        return {}
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        case: Expectation(Verdict(entry["verdict"]), entry["evidence"])
        for entry in table.get("deviation", [])
        for case in entry["cases"]
    }


def _root() -> Traversable:
    return resources.files(__name__)
