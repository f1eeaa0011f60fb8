"""STUN messages that are known to break parsers: one thing is wrong in each, and it is signed after the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzz.player.render import refusal, request, success

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Attribute = dict[str, Any]

_USER, _PRIORITY, _ROLE, _INTEGRITY, _FINGERPRINT = range(5)  # places in a check

_NAMES = (
    "$user+00", "00+$user", "$ufrag+00+3a+$mine", "$ufrag+3a+00+$mine", "$ufrag+3a+$mine+00*4", "$ufrag+3a", "3a", "",
    "$ufrag", "$user+3a", "$user+3a+$user", "$ufrag+3a+c080", "$ufrag+3a+ff*8", "$ufrag+3a+e282", "$ufrag+3a+eda080",
    "$ufrag+3a+f09f9880", "$ufrag+3a+0d0a", "$ufrag+3a+256e*8", "$ufrag+3a+7f", "$ufrag+3a+20", "$ufrag+3a+41*255",
    "$ufrag+3a+41*256", "$ufrag+3a+41*490", "$ufrag+3a+41*513", "$ufrag+3a+41*763", "$ufrag+3a+41*2000",
    "$ufrag+3a+41*40000", "00", "00*4", "00*513", "ff*20", "$resu", "$ufrag+3a*300", "41*513", "$ufrag+3a+2e2e2f*3",
    "$ufrag+3a+27224a3b",
)  # fmt: skip
_SIZED = {
    0x0024: (0, 1, 3, 5, 8, 1000), 0x0025: (1, 4, 300), 0x0008: (0, 1, 19, 21, 32), 0x001C: (0, 1, 4, 15, 16, 31, 33),
    0x8028: (0, 3, 5, 8),
}  # fmt: skip
_ADDED: dict[int, Sequence[str]] = {
    0x0001: ("", "00", "0001", "00011f907f0000", "00011f907f000001", "00021f90" + "00" * 16, "00031f907f000001",
             "00ff1f90" + "00" * 40),
    0x0020: ("", "00", "0001", "0001aabbccdd", "00010000" + "00" * 4, "00020000" + "00" * 15, "00020000" + "00" * 16,
             "00071111" + "00" * 4),
    0x0009: ("", "00", "0000", "000004", "00000457", "00000000", "000007ff", "ffffffff", "00000401" + "ff" * 40,
             "00000401" + "41" * 2000),
    0x000A: ("", "70", "7001", "700170", "7001*40", "7001*2000"),
    0x0014: ("", "00", "41*128", "41*763", "41*764", "ff*40"),
    0x0015: ("", "00*9", "41*764", "6f626d617463685f", "ff*200"),
    0x8022: ("", "00", "41*763", "41*764", "41*9000", "ff*40", "256e*20", "c3"),
    0x8023: ("", "0001", "0009*4", "00011f907f000001"), 0x001A: ("", "00"), 0x0017: ("", "01000000", "ff"),
    0x001D: ("", "0001", "0001ffff", "00020000" * 50), 0x001E: ("", "aa*31", "aa*32", "aa*33"),
    0x8002: ("", "0001ffff", "00010000" * 50), 0x8003: ("", "41*256", "ff*300", "00"), 0x0000: ("", "00*8"),
    0x7FFF: ("", "00*8"), 0x7001: ("", "00*3", "41*2000"), 0x8000: ("", "00"), 0xC057: ("", "0000*9"),
    0xFFFF: ("", "ff*9"), 0x002A: ("", "01", "00000001"), 0x0012: ("", "00011f90", "00ff0000" + "00" * 16),
    0x000D: ("", "ff*4"), 0x0013: ("", "00", "80*1000"), 0x000C: ("", "4000", "ffffffff"), 0x8025: ("", "00*4"),
    0x8029: ("", "00*7", "00*9"), 0x802A: ("", "00*7", "00*9"),
}  # fmt: skip
_LENGTHS = (0xFFFF, 0xFFFE, 0xFFFD, 0xFFFC, 0x8000, 0x7FFF, 0x1000, 0)
_DELTAS = (1, 2, 3, 4, 8, -4, -8, -20, 0x7FFF, 0xFF00)
_KINDS = (
    0x0000, 0x0002, 0x0003, 0x0004, 0x0011, 0x0101, 0x0111, 0x0103, 0x0113, 0x0016, 0x0017, 0x3FFF, 0x3EEF, 0x4001,
    0x8001, 0xC001,
)  # fmt: skip
_CODES = (0, 1, 99, 200, 299, 300, 399, 400, 401, 420, 438, 487, 500, 699, 700, 799)


def checks() -> Iterator[dict[str, Any]]:
    """Return checks with one thing wrong, signed again where that is not the thing."""
    yield from (_changed(_USER, value=name) for name in _NAMES)
    yield from (_changed(_ROLE, value=value) for value in ("", "00", "00*7", "00*9", "00*300", "ff*8"))
    yield from (_changed(_ROLE, type="$antirole", value=value) for value in ("00*8", "ff*8", "", "00*7", "00*9"))
    yield from ({**request(), "patch": [[2, length]]} for length in ("ffff", "fffc", "0000", "0001", "8000"))
    for place in range(5):
        yield from (_changed(place, length=length) for length in _LENGTHS)
    for length in _LENGTHS:  # an attribute that is unknown, in front of all others, and as the last one
        yield request({"type": 0x9001, "value": "41*8", "length": length})
        yield {
            **request(),
            "attributes": [{"type": 0x8022, "value": "41*4", "length": length}, *request()["attributes"]],
        }
        yield {
            **request(),
            "attributes": [*request()["attributes"], {"type": 0x8022, "value": "41*4", "length": length}],
        }
        yield {"type": 1, "attributes": [{"type": 0x8022, "value": "", "length": length}]}
    for kind, values in _ADDED.items():
        yield from (request({"type": kind, "value": value}) for value in values)
    for kind, sizes in _SIZED.items():
        yield from (_sized(kind, size) for size in sizes)
    yield from ({**request(), "delta": delta} for delta in _DELTAS)
    yield from ({**request(), "type": kind} for kind in _KINDS)
    yield from ({**request(), "cut": size} for size in (1, 2, 4, 8, 19, 20, 21, 22, 23, 24, 28))
    yield from (
        {**request(), "tail": tail} for tail in ("00", "ffff", "00*3", "0006", "8022ffff", "00*4", "8028000400000000")
    )
    yield from ({**request(), "id": identity} for identity in ("00*12", "ff*12", "$last"))
    yield from ({**request(), "cookie": cookie} for cookie in (0, 0x42A41221, 0xFFFFFFFF))
    yield from ({**request(), "attributes": some} for some in _arranged())


def _changed(place: int, **change: Any) -> dict[str, Any]:
    spec = request()
    spec["attributes"][place].update(change)
    return spec


def _sized(kind: int, size: int) -> dict[str, Any]:
    """Return a check whose attribute of a type has so many octets; an attribute that it lacks is put in."""
    spec = request()
    found = next((one for one in spec["attributes"] if one["type"] == kind), None)
    if found is None:
        return request({"type": kind, "value": f"00*{size}"})
    found["value"] = f"00*{size}"
    return spec


def _arranged() -> Iterator[list[Attribute]]:
    """Return attributes in another order, repeated, or missing."""
    usual = request()["attributes"]
    yield []
    yield usual[::-1]
    for place in range(len(usual)):
        yield usual[:place] + usual[place + 1 :]
        yield [*usual, usual[place]]
        yield [usual[place], *usual]
    for kind in (0x8022, 0x9001, 0x0006, 0x0024, 0x7001):
        for times in (2, 17, 65, 300):
            yield [{"type": kind, "value": "41*4", "times": times}, *usual]
    yield [{"type": 0x9001, "value": "", "times": 3000}, *usual]
    yield [*usual[:-1], {"type": 0x8022, "value": "41*4"}, usual[-1]]
    yield [*usual, {"type": 0x8022, "value": "41*4"}]
    yield [*usual[:_INTEGRITY], {"type": 0x001C, "value": "$sha256"}, *usual[_INTEGRITY:]]
    yield [
        *usual[:_INTEGRITY],
        {"type": 0x8029, "value": "00*8"},
        {"type": 0x802A, "value": "ff*8"},
        *usual[_INTEGRITY:],
    ]


def answers() -> Iterator[dict[str, Any]]:
    """Return answers to a check of the IUT, or to nothing."""
    for value in (
        "",
        "00",
        "0001",
        "00010000",
        "0007",
        "0007000000070000",
        "0002" + "00" * 4,
        "0002" + "00" * 18,
        "0001" + "00" * 40,
        "ff*8",
    ):
        yield {**success(), "attributes": [{"type": 0x20, "value": value}, *success()["attributes"][1:]]}
    yield {**success(), "attributes": success()["attributes"][1:]}
    yield {**success(), "attributes": []}
    yield {**success(), "id": "00*12"}
    yield from (_refused(bytes((0, 0, code // 100, code % 100)).hex()) for code in _CODES)
    yield from (
        _refused(value)
        for value in ("", "00", "0000", "000004", "00000457ff", "00000457" + "ff" * 800, "00000414", "ffffffff")
    )
    yield {**refusal(420), "attributes": [*refusal(420)["attributes"][:1], {"type": 0x0A, "value": "70"}]}
    yield {**refusal(487), "attributes": refusal(487)["attributes"][1:]}
    for kind, values in (
        (0x8023, ("", "0001", "00ff1111" + "00" * 4)),
        (0x0A, ("", "00", "0006*30")),
        (0x15, ("", "ff*764")),
    ):
        yield from (
            {**refusal(300), "attributes": [*refusal(300)["attributes"][:1], {"type": kind, "value": one}]}
            for one in values
        )


def _refused(value: str) -> dict[str, Any]:
    return {**refusal(400), "attributes": [{"type": 9, "value": value}, *refusal(400)["attributes"][1:]]}
