"""Builds the adapters that have a source, into a cache folder named by their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.iut.errors import StackError
from conformance.iut.stacks import debian
from conformance.iut.stacks.toolchains import shared_scripts, toolchain

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.iut.stacks import Description

_SOURCES = (".c", ".h", ".go", ".js", ".py", ".rs", ".lock", ".java")


def cache_folder() -> Path:
    """Return where built adapters are kept: below $XDG_CACHE_HOME, or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "icetcp" / "stacks"


def built(stack: Description) -> Path | None:
    """Return the built adapter of exactly this source, or None."""
    path = _target(stack)
    return path if path.is_file() else None


def all_built() -> list[str]:
    """Return the names of the stacks that can be started here."""
    from conformance.iut.stacks import description, names  # it imports this module

    return [stack.name for stack in map(description, names()) if not stack.source or built(stack)]


def build(stack: Description, say: Callable[[str], None] = lambda _text: None, *, install: bool = False) -> Path:
    """Build a stack's adapter unless it is built already, and return its path.

    `install` lets missing Debian packages be installed. Raises `StackError` with the compiler's words, or with the
    command that installs what is missing.
    """
    if not stack.source:
        raise StackError(f"{stack.name} needs no building")
    ready = built(stack)
    if ready is not None:
        say(f"{stack.name} is built already: {ready}")
        return ready
    missing = toolchain(stack).missing(stack)
    if missing and install:
        said: list[str] = []

        def tell(line: str) -> None:
            said.append(line)
            say(line)

        if not debian.install(stack.requires, tell):
            raise StackError(f"what {stack.name} needs cannot be installed:\n" + "\n".join(said))
        missing = toolchain(stack).missing(stack)
    if missing:
        raise StackError(
            f"to build {stack.name}, {' and '.join(missing)} must be installed: icetcp stacks build {stack.name} "
            f"--install, or {debian.install_command(stack.requires)}"
        )
    return _compile(stack, say)


def _compile(stack: Description, say: Callable[[str], None]) -> Path:
    target = _target(stack)
    try:
        target.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent.parent) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            toolchain(stack).compile(stack, _folder(stack) / stack.source, made, say)
            if not target.is_file():  # at once: a run beside us sees the old state or the new one
                made.replace(target.parent)
    except OSError as error:
        raise StackError(f"cannot build in the cache folder {target.parent}: {error.strerror}") from None
    say(f"built {target}")
    return target


def _target(stack: Description) -> Path:
    """Return where the adapter of this source, built against these versions, belongs."""
    digest = hashlib.sha256(repr(toolchain(stack).versions(stack)).encode())
    source = _folder(stack) / stack.source
    for file in (*sorted(source.parent.iterdir()), *shared_scripts(source)):
        if file.suffix in _SOURCES or file.name == "Cargo.toml":
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return cache_folder() / stack.name / digest.hexdigest()[:16] / "adapter"


def _folder(stack: Description) -> Path:
    return Path(str(resources.files("conformance.iut.stacks").joinpath(stack.name)))
