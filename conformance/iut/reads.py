"""What a case reads of the IUT's descriptions, so that it can be told whether it would read the same of others.

`Reads.parse` returns a description that behaves like any other and notes what is asked of it. A case that reads the
same goes on the same: another text in which all that was read is the same would not have changed it.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError
from conformance.wire.sdp import Media, SessionDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Note = Callable[[str, str], None]

_ATTRIBUTE, _LINES, _FIELD, _CANDIDATES, _TEXT, _COUNT = "attribute", "lines", "field", "candidates", "text", "count"
_FIELDS = frozenset({"kind", "port", "ports", "proto", "formats"})
_OF_CANDIDATES = frozenset(field.name for field in dataclasses.fields(Candidate))
_SESSION = -1


class Read(NamedTuple):
    """One thing that was read: in which section (-1: the session level), what kind of thing, and its name."""

    section: int
    kind: str
    name: str


class Reads:
    """What was read of each description of a session."""

    def __init__(self) -> None:
        self.by_text: dict[str, set[Read]] = {}

    def parse(self, text: str) -> SessionDescription:
        """Return the description of a text, which notes what is read of it. Raises `SdpError`."""
        plain = SessionDescription.parse(text)
        return _Description(plain, partial(_note, self.by_text.setdefault(text, set())))

    def read_all(self, text: str) -> None:
        """Note that a text is compared or searched as a whole."""
        _note(self.by_text.setdefault(text, set()), _SESSION, _TEXT, "")

    def alike(self, text: str, other: str) -> bool:
        """Whether all that was read of a description with this text is the same in one with the other.

        Of one that nobody is known to have got this cannot be said.
        """
        reads = self.by_text.get(text)
        if reads is None:
            return False
        try:
            one, another = SessionDescription.parse(text), SessionDescription.parse(other)
        except SdpError:
            return False
        if len(one.media) != len(another.media):
            return False
        return all(_value(one, read) == _value(another, read) for read in reads)


@dataclasses.dataclass(slots=True)
class Notes:
    """What is noted of a case's sessions: by the reference agent, in the file `path`, and by the tester."""

    path: Path
    reads: Reads = dataclasses.field(default_factory=Reads)


def _note(reads: set[Read], section: int, kind: str, name: str) -> None:
    reads.add(Read(section, kind, name))


def _value(description: SessionDescription, read: Read) -> object:
    """Return what is read."""
    if read.section == _SESSION:
        section: Any = description
    else:
        section = description.media[read.section]
    if read.kind == _ATTRIBUTE:
        return section.attributes(read.name)
    if read.kind == _LINES:
        return section.values(read.name)
    if read.kind == _FIELD:
        return getattr(section, read.name)
    if read.kind == _CANDIDATES:
        return [getattr(candidate, read.name, None) for candidate in section.candidates]
    return str(description)


class _Description(SessionDescription):
    """A description that notes what is read of it."""

    def __init__(self, plain: SessionDescription, note: Callable[[int, str, str], None]) -> None:
        super().__init__(plain.lines, [])
        self._plain = plain
        self._note = note
        self.media = [_Media(media, self, partial(note, number)) for number, media in enumerate(plain.media)]

    def __getattribute__(self, name: str) -> Any:
        if name == "lines":
            self._note(_SESSION, _TEXT, "")
        return super().__getattribute__(name)

    def _values(self, name: str) -> Iterator[str | None]:
        self._note(_SESSION, _ATTRIBUTE, name)
        return iter(self._plain.attributes(name))

    def values(self, kind: str) -> list[str]:
        self._note(_SESSION, _LINES, kind)
        return self._plain.values(kind)

    def __copy__(self) -> _Description:
        """Return one whose sections may be others; what is read of it is noted with this one's."""
        return _Description(self._plain, self._note)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SessionDescription) and str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]  # as of every description


class _Media(Media):
    """A media section that notes what is read of it."""

    def __init__(self, plain: Media, session: SessionDescription, note: Note) -> None:
        words = {field: getattr(plain, field) for field in _FIELDS}
        candidates: list[Candidate] = [_Candidate.noting(candidate, note) for candidate in plain.candidates]
        super().__init__(plain.lines, session=session, candidates=candidates, **words)
        self._plain = plain
        self._note = note

    def __getattribute__(self, name: str) -> Any:
        if name in _FIELDS:
            self._note(_FIELD, name)
        elif name == "candidates":
            self._note(_CANDIDATES, "")
        elif name == "lines":
            self._note(_TEXT, "")
        return super().__getattribute__(name)

    def _values(self, name: str) -> Iterator[str | None]:
        self._note(_ATTRIBUTE, name)
        return iter(self._plain.attributes(name))

    def values(self, kind: str) -> list[str]:
        self._note(_LINES, kind)
        return self._plain.values(kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Media) and self.lines == other.lines

    __hash__ = None  # type: ignore[assignment]  # as of every section


class _Candidate(Candidate):
    """A candidate that notes what is read of it; a changed copy of it has had all of it read."""

    _note: Note | None = None

    @classmethod
    def noting(cls, plain: Candidate, note: Note) -> _Candidate:
        found = cls(*(getattr(plain, field.name) for field in dataclasses.fields(Candidate)))
        object.__setattr__(found, "_note", note)
        return found

    def __getattribute__(self, name: str) -> Any:
        if name in _OF_CANDIDATES and (note := self._note) is not None:
            note(_CANDIDATES, name)
        return super().__getattribute__(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candidate) and _parts(self) == _parts(other)

    def __hash__(self) -> int:
        return hash(_parts(self))


def _parts(candidate: Candidate) -> tuple[object, ...]:
    return tuple(getattr(candidate, field.name) for field in dataclasses.fields(Candidate))
