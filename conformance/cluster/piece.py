"""A piece of work as plain data, and what came of it. Only the standard library is imported here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

FOLDER = "{folder}"  # in the arguments and the spec of a piece's program: the folder that is the piece's own
SPEC = "spec.json"
TOPIC = "icetcp"  # of events from the workers to the one who gave out the pieces


class Unfit(Exception):
    """The worker cannot do the piece, but another may.

    The arguments: a message, which names the machine and what it lacks; the worker's address; whether it can do no
    other piece either.
    """


class Broken(Exception):
    """The program of a piece died; whether by the piece or by the machine, another attempt elsewhere shows."""


class Stopped(Exception):
    """The piece was cancelled, and its processes are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a command's work, which gives the same result on every machine.

    ``name``: unique within the command. ``program``: a module and its arguments, as after ``python -m``; it writes
    into its folder, where `spec` is ``spec.json`` and each of `files` lies under its name. ``good``: exit statuses of a
    program that has done its work, `proof` a file that it has written then. ``needs``: Dask resources of the worker.
    ``icetcp``, ``stacks``: the version that a worker must have of icetcp and, by IUT, of stacks ("": any). ``limit``:
    seconds. ``relays``: the program reports while it runs (`conformance.cluster.relay`). ``counted``: a file in the
    folder whose lines tell how far the work is. ``topic``: of the events about this command's pieces. ``share``: an
    fsspec URL below which the result is left; empty: it comes back as octets.
    """

    name: str
    program: tuple[str, ...]
    icetcp: str
    spec: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    good: tuple[int, ...] = (0,)
    needs: tuple[str, ...] = ()
    stacks: Mapping[str, str] = field(default_factory=dict)
    limit: float = 3600.0
    proof: str = ""
    relays: bool = False
    counted: str = ""
    topic: str = ""
    share: str = ""

    @property
    def digest(self) -> str:
        """What tells this piece from one with the same name and other work."""
        same = [self.program, dict(self.spec), self.icetcp, dict(self.stacks)]
        files = {name: hashlib.sha256(octets).hexdigest() for name, octets in self.files.items()}
        return hashlib.sha256(json.dumps([same, files], sort_keys=True).encode()).hexdigest()[:16]

    def data(self) -> dict[str, Any]:
        """Return it as a mapping, which a worker with another icetcp can read as well."""
        return asdict(self)


def piece_of(data: Mapping[str, Any]) -> Piece:
    """Return the piece of such a mapping."""
    known = {one.name for one in fields(Piece)}
    values = {name: value for name, value in data.items() if name in known}
    several = {name: tuple(values[name]) for name in ("program", "good", "needs")}
    return Piece(**{**values, **several})


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a piece. ``archive``: its folder as a zip, or empty where that lies at `url`.

    ``worker`` names the machine and process, ``seconds`` is how long the program ran, ``spent`` how long everything
    took on the worker. ``folder`` was the piece's on the worker. ``stacks``: the versions that were found there.
    """

    piece: str
    digest: str
    status: int
    worker: str
    seconds: float
    spent: float = 0.0
    archive: bytes = b""
    url: str = ""
    folder: str = ""
    stacks: dict[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Return it as a mapping without the archive, for the journal."""
        return {name: value for name, value in asdict(self).items() if name != "archive"}


def outcome_of(data: Mapping[str, Any]) -> Outcome:
    """Return the outcome of such a mapping."""
    return Outcome(**data)
