"""What this machine can do that not every one can, as Dask resources, and what a piece needs of it."""

from __future__ import annotations

from conformance.iut.stacks import description, names
from conformance.iut.stacks.build import all_built
from conformance.peer.lab import can_enter

LAB, BROWSER = "lab", "browser"
_BROWSERS = ("chromium", "firefox")


def abilities() -> list[str]:
    """Return what this machine has: a lab, a browser, the stacks that are built."""
    stacks = [name for name in all_built() if description(name).source]
    found = [LAB] if can_enter() is None else []
    found += [BROWSER] if any(name in stacks for name in _BROWSERS) else []
    return [*found, *(f"stack:{name}" for name in stacks)]


def resources(pieces: int) -> str:
    """Return them as `dask worker --resources` takes them, for a worker that does so many pieces at a time."""
    return " ".join(f"{name}={pieces}" for name in abilities())


def needs(*specs: str) -> tuple[str, ...]:
    """Return what a worker must have for these IUTs. Of a command (exec:) it turns out when it is started."""
    found: list[str] = []
    for spec in specs:
        if spec in names() and description(spec).source:
            found += [BROWSER] if spec in _BROWSERS else []
            found.append(f"stack:{spec}")
    return tuple(dict.fromkeys(found))
