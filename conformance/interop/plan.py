"""Which cells a table has: every ordered pair, in both families, with tcptypes and roles forced where a stack obeys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.interop.model import ANSWERER, OFFERER, Cell
from conformance.iut.errors import AdapterError, StackError
from conformance.iut.process import AdapterProcess
from conformance.iut.stacks import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HELLO = 30.0  # seconds; a browser takes a while
FORCED = (("active", "passive"), ("passive", "active"), ("so", "so"))
ANY = ("", "")
SWITCHED = ("controlled", "controlling")  # where one of them obeys, both begin with the same role: a conflict to repair
_SCHEMES = ("exec:", "tcp:", "ssh:", "whip:", "whep:", "manual:")


@dataclass(slots=True)
class Contestant:
    """A stack of the table: its name there, how it is started, and what it says of itself. ``trouble``: why not."""

    name: str
    spec: str
    version: str = ""
    pics: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""

    @property
    def families(self) -> list[int]:
        """Return the address families that it has."""
        return [int(str(family).removeprefix("IPv")) for family in self.pics.get("families", [4])]

    def takes(self, side: str) -> bool:
        """Whether it can be on a side."""
        return side in self.pics.get("sides", [OFFERER, ANSWERER])

    def can(self, tcptype: str) -> bool:
        """Whether it acts as this tcptype, as far as it says."""
        return tcptype in self.pics.get("connects", []) or tcptype in self.pics.get("offers", [])

    @property
    def obeys(self) -> bool:
        """Whether it offers the tcptypes that it is asked to offer, and no others."""
        return "tcptypes" in self.pics.get("obeys", [])

    @property
    def obeys_role(self) -> bool:
        """Whether it takes the role that it is told to have."""
        return "role" in self.pics.get("obeys", [])


def named(argument: str) -> Contestant:
    """Return the stack of an argument: a stack's name, or NAME=exec:COMMAND."""
    name, equals, spec = argument.partition("=")
    if equals and not name.startswith(_SCHEMES):
        return Contestant(name, spec)
    return Contestant(argument.removeprefix("exec:").split("/")[-1].split(" ")[0], argument)


def greet(stack: Contestant) -> None:
    """Start a stack once and note what it says of itself, or why it cannot be had."""
    process: AdapterProcess | None = None
    try:
        resolved = resolve(stack.spec)
        process = AdapterProcess(resolved.command, resolved.environment)
        hello = process.call("hello", _HELLO, protocol=1)
        stack.version, stack.pics = str(hello.get("version", "")), dict(hello.get("pics", {}))
    except (AdapterError, StackError) as error:
        stack.trouble = str(error)
    finally:
        if process is not None:
            process.close()


def cells(
    stacks: Sequence[Contestant],
    *,
    families: Iterable[int] = (4, 6),
    tcptypes: Sequence[tuple[str, str]] = (),
    roles: Sequence[tuple[str, str]] = (),
    nat: str = "",
    nat_sides: Iterable[str] = (OFFERER,),
) -> list[Cell]:
    """Return the cells of a table. `tcptypes`, `roles`: what offerer and answerer are told, in place of the usual."""
    return [
        cell
        for offerer in stacks
        for answerer in stacks
        if offerer.takes(OFFERER) and answerer.takes(ANSWERER)
        for cell in _of_pair(offerer, answerer, tuple(families), (tcptypes, roles), nat, tuple(nat_sides))
    ]


def _of_pair(
    offerer: Contestant,
    answerer: Contestant,
    families: Sequence[int],
    told: tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]],
    nat: str,
    nat_sides: Sequence[str],
) -> Iterator[Cell]:
    common = [f for f in families if f in offerer.families and f in answerer.families and (not nat or f == 4)]
    if offerer.trouble or answerer.trouble:
        common = list(families[:1])
    for family in common:
        for wishes, roles in _told(offerer, answerer, *told):
            for side in nat_sides if nat else (OFFERER,):
                yield Cell(offerer.name, answerer.name, family, wishes, nat, side, roles)


def _told(
    offerer: Contestant, answerer: Contestant, tcptypes: Sequence[tuple[str, str]], roles: Sequence[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield the tcptypes and the roles that the two are told to have, of each cell.

    Usually nothing; then, where one of them obeys, each way in which a connection can be opened, and switched roles.
    """
    usual = not tcptypes and not roles
    yield from ((wishes, told) for wishes in tcptypes or (ANY,) for told in roles or (ANY,))
    if usual and (offerer.obeys or answerer.obeys):
        yield from ((wishes, ANY) for wishes in FORCED if offerer.can(wishes[0]) and answerer.can(wishes[1]))
    if usual and (offerer.obeys_role or answerer.obeys_role):
        yield ANY, SWITCHED
