"""Which icetcp this machine has, by its code, and which version of a stack."""

from __future__ import annotations

import functools
import hashlib
import platform
from pathlib import Path

from conformance.iut.errors import AdapterError, StackError
from conformance.iut.process import AdapterProcess
from conformance.iut.stacks import resolve
from conformance.run.version import own_version

_ROOMS = ("conformance", "pcaps", "fuzz", "reports")
_HELLO = 30.0  # seconds; a browser takes a while


@functools.cache
def icetcp() -> str:
    """Return the version of icetcp with a digest of its code: two checkouts of a version need not be the same."""
    top = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for room in _ROOMS:
        for file in sorted((top / room).rglob("*.py")):
            digest.update(str(file.relative_to(top)).encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{own_version()}+{digest.hexdigest()[:12]}"


@functools.cache
def stack(spec: str) -> str:
    """Return the version that a stack tells of itself. Raises `AdapterError` or `StackError` where it cannot be had."""
    found = resolve(spec)
    process = AdapterProcess(found.command, found.environment)
    try:
        hello = process.call("hello", _HELLO, protocol=1)
        return f"{hello.get('name', '')} {hello.get('version', '')}".strip()
    finally:
        process.close()


def stack_or_nothing(spec: str) -> str:
    """Return the version of a stack, or nothing where this machine does not have it."""
    try:
        return stack(spec)
    except (AdapterError, StackError):
        return ""


def machine() -> str:
    """Return the name of this machine."""
    return platform.node() or "a machine without a name"
