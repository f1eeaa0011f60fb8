"""A cell of the interop table: which stacks meet, how, how far they came, and what is said of it."""

from __future__ import annotations

import enum
import re
from dataclasses import asdict, dataclass, field
from typing import Any

OFFERER, ANSWERER = "offerer", "answerer"
SIDES = (OFFERER, ANSWERER)
OTHER = {OFFERER: ANSWERER, ANSWERER: OFFERER}


class Stage(enum.IntEnum):
    """How far a session came; each stage needs those before it."""

    NOTHING = 0
    DESCRIBED = 1  # both have the other's description
    SYN = 2  # one has tried to open a connection to the other
    CONNECTED = 3  # a TCP connection stands
    CHECK = 4  # a connectivity check was sent on it
    SUCCESS = 5  # a check was answered with success
    NOMINATION = 6  # a check with USE-CANDIDATE was answered with success
    SELECTION = 7  # both use the pair
    MEDIA = 8  # data came through both ways

    @property
    def label(self) -> str:
        """What it is called in tables."""
        return _LABELS[self]


_LABELS = {
    Stage.NOTHING: "nothing",
    Stage.DESCRIBED: "offer and answer",
    Stage.SYN: "SYN",
    Stage.CONNECTED: "connection",
    Stage.CHECK: "check",
    Stage.SUCCESS: "success",
    Stage.NOMINATION: "nomination",
    Stage.SELECTION: "selection",
    Stage.MEDIA: "media",
}


class Kind(enum.StrEnum):
    """What a cell is judged to be."""

    WORKS = "works"
    BROKE = "broke"  # one of the two, or both, broke a requirement, and so they do not work together
    LAWFUL = "lawful"  # they do not work together, and neither broke anything
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Cell:
    """Two stacks and how they meet. ``tcptypes``: what each is asked to offer ("": all that it has).

    ``roles``: what each is told to be at the beginning, controlling or controlled ("": what offer and answer make it).
    ``nat``: mapping and filtering of the NAT before the side ``nat_side`` ("": there is none).
    """

    offerer: str
    answerer: str
    family: int = 4
    tcptypes: tuple[str, str] = ("", "")
    nat: str = ""
    nat_side: str = OFFERER
    roles: tuple[str, str] = ("", "")

    def stack(self, side: str) -> str:
        """Return the name of the stack on a side."""
        return self.offerer if side == OFFERER else self.answerer

    def wish(self, side: str) -> str:
        """Return the tcptypes that a side is asked to offer."""
        return self.tcptypes[SIDES.index(side)]

    def role(self, side: str) -> str:
        """Return the role that a side is told to have."""
        return self.roles[SIDES.index(side)]

    @property
    def variant(self) -> str:
        """How they meet, in words: "IPv4", "IPv6, active with passive"."""
        words = [f"IPv{self.family}"]
        if any(self.tcptypes):
            words.append(" with ".join(wish or "any" for wish in self.tcptypes))
        if any(self.roles):
            words.append(" with ".join(role or "any role" for role in self.roles))
        if self.nat:
            words.append(f"{self.nat_side} behind a NAT {self.nat}")
        return ", ".join(words)

    @property
    def id(self) -> str:
        """A name that is unique in a table and stable."""
        return f"{self.offerer} -> {self.answerer} [{self.variant}]"

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", self.id).strip("-")

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, value: dict[str, Any]) -> Cell:
        """Return the cell of such data."""
        return cls(**{**value, "tcptypes": tuple(value["tcptypes"]), "roles": tuple(value.get("roles", ("", "")))})


@dataclass(slots=True)
class Trouble:
    """Why a session did not go on: what a call of an adapter came to."""

    side: str
    step: str
    text: str
    kind: str = "error"  # rejected, unable, error, died

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(slots=True)
class Facts:
    """What was seen of a session apart from its capture. Times are nanoseconds since the epoch.

    ``states``: (time, state) by side. ``sent`` and ``received``: what a side's application wanted to send, and whether
    the other side's application has it; a text says why it could not be sent. ``addresses``: of each side as the other
    sees it. ``incidents``: what a side's adapter did against the contract (death, hang, flood, ...). ``waited``:
    seconds from the last description to the end.
    """

    versions: dict[str, str] = field(default_factory=dict)
    pics: dict[str, dict[str, Any]] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    states: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    received: dict[str, bool] = field(default_factory=dict)
    payloads: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, list[str]] = field(default_factory=dict)
    trouble: Trouble | None = None
    described_ns: int = 0
    waited: float = 0.0
    seconds: float = 0.0
    lost: int = 0  # packets that are missing in the capture
    translated: bool = False  # the signalling was rewritten between the profiles

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, value: dict[str, Any]) -> Facts:
        """Return the facts of such data."""
        trouble = value.get("trouble")
        states = {side: [(int(t), str(s)) for t, s in said] for side, said in value.get("states", {}).items()}
        return cls(**{**value, "states": states, "trouble": Trouble(**trouble) if trouble else None})

    def reports(self, side: str, what: str) -> bool:
        """Whether a side's adapter tells of this."""
        return what in self.pics.get(side, {}).get("reports", [])

    def said(self, side: str, *wanted: str) -> int | None:
        """Return when a side first reported one of these states."""
        return next((time_ns for time_ns, state in self.states.get(side, []) if state in wanted), None)

    @property
    def goal(self) -> Stage:
        """How far these two can come: media only where they speak the same above ICE, and both can send."""
        payloads = {self.pics.get(side, {}).get("payload", "raw") for side in SIDES}
        sends = all(not self.sent.get(side, "").startswith("cannot") for side in SIDES)
        data = all(self.reports(side, "data") for side in SIDES)
        return Stage.MEDIA if len(payloads) == 1 and sends and data and not self.translated else Stage.SELECTION


@dataclass(slots=True)
class Breach:
    """A requirement that one side broke, and where it was seen."""

    side: str
    requirement: str
    level: str
    text: str
    title: str = ""
    expected: str = ""
    at_ns: int = 0
    blocks: bool = False  # the two do not work together because of it
    times: int = 1  # how often it was seen; the text is that of the first time
    rule: str = ""  # the judge's rule that saw it; none saw what a side did not do

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(slots=True)
class Outcome:
    """What a cell came to. ``breaches`` are all that were seen, also those that did no harm here."""

    cell: Cell
    facts: Facts
    stage: Stage
    kind: Kind
    sentence: str
    breaches: list[Breach] = field(default_factory=list)
    ladder: str = ""
    folder: str = ""
    exchange: bytes = b""  # the same as JSON, with each message by field, for a page

    @property
    def ok(self) -> bool:
        """Whether they work together."""
        return self.kind is Kind.WORKS

    @property
    def blamed(self) -> list[str]:
        """Return the sides on which it breaks, the first one first."""
        return list(dict.fromkeys(breach.side for breach in self.breaches if breach.blocks))

    @property
    def incidents(self) -> list[str]:
        """Return what the adapters did against the contract, each with its stack."""
        return [f"{self.name(side)}: {text}" for side, found in self.facts.incidents.items() for text in found]

    def name(self, side: str) -> str:
        """Return a stack with its side, where both are the same stack."""
        stack = self.cell.stack(side)
        return f"{stack} ({side})" if self.cell.offerer == self.cell.answerer else stack

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "id": self.cell.id,
            **self.cell.data(),
            "versions": self.facts.versions,
            "stage": self.stage.label,
            "goal": self.facts.goal.label,
            "kind": self.kind.value,
            "sentence": self.sentence,
            "blamed": [self.cell.stack(side) for side in self.blamed],
            "breaches": [{**breach.data(), "stack": self.cell.stack(breach.side)} for breach in self.breaches],
            "incidents": self.incidents,
            "seconds": round(self.facts.seconds, 3),
            "folder": self.folder,
        }
