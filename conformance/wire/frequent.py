"""Scapy layers of which a run makes very many: made, and built, without what only rare uses of Scapy need."""

from __future__ import annotations

import logging
from typing import Any

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.packet import Packet  # noqa: E402  (Scapy warns about the machine's routes while it is imported)

put = object.__setattr__  # a packet's own looks for a field of that name
_PLAIN = frozenset((bytes, int, list, type(None)))  # values that Scapy takes for a field's as they are
_LIKE: dict[type[Packet], tuple[list[tuple[str, Any]], list[tuple[str, Any]], list[str]]] = {}


class FrequentLayer(Packet):
    """A layer that is made often: what all of its class begin with is taken from two that Scapy has made."""

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        same, own, names = _LIKE.get(type(self)) or _like(type(self))
        if arguments or not _PLAIN.issuperset(map(type, fields.values())):
            super().__init__(*arguments, **fields)
            return
        for name, value in same:
            put(self, name, value)
        for name, value in own:
            put(self, name, value.copy())
        put(self, "time", 0.0)  # as of those that Scapy makes for itself: when one is sent the capture tells
        mine = self.fields
        for name in names:
            if name in fields:
                mine[name] = fields.pop(name)
            elif name in mine:  # a list, empty
                mine[name] = mine[name].copy()
        for unknown in fields:
            raise AttributeError(unknown)


def _like(kind: type[Packet]) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]], list[str]]:
    """Return what is the same in all new packets of a class, what each has of its own, and the names of the fields."""
    one, other = (kind.__new__(kind) for _ in range(2))
    for made in (one, other):
        Packet.__init__(made)
    there = [(name, getattr(one, name)) for name in sorted(kind.__all_slots__) if hasattr(one, name)]
    same = [(name, value) for name, value in there if value is getattr(other, name) and name != "time"]
    own = [(name, value) for name, value in there if value is not getattr(other, name) and name != "time"]
    _LIKE[kind] = same, own, [field.name for field in kind.fields_desc]
    return _LIKE[kind]


class OneValueLayer(FrequentLayer):
    """A layer whose fields each have one value: building it goes through no sets of values, and so copies nothing."""

    def do_build(self) -> bytes:
        """Build without making the packets that Scapy lets a field with several values stand for."""
        put(self, "explicit", 1)
        built: bytes = super().do_build()
        return built
