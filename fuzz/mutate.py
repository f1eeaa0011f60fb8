"""Mutations of messages: each takes a random source and a valid message, and breaks something in place.

What is computed (integrity, fingerprint, lengths) is computed after the mutation, unless the mutation is about that;
so most mutants get past the checks that stop random octets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from fuzz.player.render import Message

Attribute = dict[str, Any]

TYPES = [0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0007, 0x0008, 0x0009, 0x000A, 0x000B, 0x000C, 0x000D]
TYPES += [0x0012, 0x0013, 0x0014, 0x0015, 0x0016, 0x0017, 0x0018, 0x0019, 0x001A, 0x001C, 0x001D, 0x001E, 0x0020]
TYPES += [0x001B, 0x0022, 0x0024, 0x0025, 0x0026, 0x0027, 0x002A, 0x8000, 0x8001, 0x8002, 0x8003, 0x8004, 0x8022]
TYPES += [0x8023, 0x8025, 0x8027, 0x8028, 0x8029, 0x802A, 0x802B, 0x802C, 0x802D, 0x802E, 0x8030, 0xC000, 0xC001]
TYPES += [0xC057, 0xC059, 0xFFFF, 0x0000, 0x7FFF, 0x6ACE, 0x7E57]
# RFC 8656 section 18 and RFC 8489 section 14: types outside ICE that a STUN parser knows, each with a valid value.
STRUCTURED = {
    0x000C: "40000000", 0x000D: "00000258", 0x0012: "0001221c0912a442", 0x0013: "80*12", 0x0016: "0001221c0912a442",
    0x0017: "01000000", 0x0018: "80", 0x0019: "06000000", 0x001A: "", 0x001B: "0010" + "aa*40", 0x0022: "00*8",
    0x002A: "00000001", 0x8000: "02000000", 0x8001: "0200041c6e6f", 0x8004: "00000301" + "00000000",
    0x0001: "00011f907f000001", 0x000A: "7001", 0x0014: "6578616d706c65", 0x0015: "41*32", 0x001D: "00020000",
    0x001E: "aa*32", 0x8002: "0001000000020000", 0x8003: "6578616d706c65", 0x8023: "00010d967f000001",
}  # fmt: skip
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 19, 20, 21, 24, 32, 63, 64, 65, 127, 128, 255, 256, 257, 512, 513, 514]
LONG = [763, 764, 1024, 1280, 1500, 2048, 4096, 8192, 16384, 32768, 60000]
LENGTHS = [0, 1, 3, 4, 8, 20, 0x7F, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFF0, 0xFFFC, 0xFFFE, 0xFFFF]
NUMBERS = ["00000000", "00000001", "7fffffff", "80000000", "ffffffff", "6e0001ff"]
TIES = ["0000000000000000", "ffffffffffffffff", "7fffffffffffffff", "8000000000000000"]
KINDS = [0x0001, 0x0011, 0x0101, 0x0111, 0x0003, 0x0000, 0x0002, 0x0004, 0x0016, 0x0017, 0x3FFF, 0x00FE, 0x0113]
KINDS += [0x0008, 0x0009, 0x000A, 0x000B, 0x000C, 0x0103, 0x0104, 0x0108, 0x010A, 0x001C, 0x0118]  # TURN's
TEXTS = ["41", "00", "25", "ff", "f0", "3a", "2f", "0d0a", "256e", "c080"]  # repeated into strings


def value(random: Random) -> str:
    """Return a value for an attribute of any type."""
    draw = random.random()
    if draw < 0.25:
        return random.randbytes(random.choice(SIZES[:16])).hex()
    if draw < 0.65:
        return f"{random.choice(TEXTS[:6])}*{random.choice(SIZES)}"
    if draw < 0.72:
        return f"{random.choice(TEXTS)}*{random.choice(LONG)}"
    if draw < 0.8:
        return random.choice(NUMBERS + TIES)
    if draw < 0.92:  # an address: of a family that exists or not, whole or not
        octets = bytes((0, random.choice((0, 1, 2, 3, 4, 255)))) + random.randbytes(random.choice((0, 1, 2, 6, 18, 19)))
        return octets.hex()
    octets = bytes((0, 0, random.randrange(9), random.randrange(256))) + b"text"
    return octets[: random.randrange(9)].hex()


def _insert(random: Random, message: Message, new: Attribute) -> None:
    """Put an attribute in: mostly before the integrity, so that it is signed."""
    attributes = message["attributes"]
    most = len(attributes) if random.random() < 0.25 else max(0, len(attributes) - 2)
    attributes.insert(random.randint(0, most), new)


def _pick(random: Random, message: Message) -> Attribute:
    """Return an attribute of the message. The last two come less often, so that many mutants stay authentic."""
    attributes = message["attributes"]
    if not attributes:
        attributes.append({"type": 0x8022, "value": "41*8"})
    most = len(attributes) if random.random() < 0.3 else max(1, len(attributes) - 2)
    chosen: Attribute = attributes[random.randrange(most)]
    return chosen


def drop(random: Random, message: Message) -> None:
    """Leave an attribute out."""
    chosen = _pick(random, message)
    message["attributes"].remove(chosen)


def duplicate(random: Random, message: Message) -> None:
    """Repeat an attribute somewhere."""
    _insert(random, message, dict(_pick(random, message)))


def swap(random: Random, message: Message) -> None:
    """Exchange two attributes."""
    attributes = message["attributes"]
    if len(attributes) > 1:
        a, b = random.randrange(len(attributes)), random.randrange(len(attributes))
        attributes[a], attributes[b] = attributes[b], attributes[a]


def add_known(random: Random, message: Message) -> None:
    """Put in an attribute of a registered type."""
    _insert(random, message, {"type": random.choice(TYPES), "value": value(random)})


def add_structured(random: Random, message: Message) -> None:
    """Put in an attribute of TURN or another use of STUN, valid or almost valid."""
    kind = random.choice(list(STRUCTURED))
    octets = whole(STRUCTURED[kind])
    draw = random.random()
    if draw < 0.2:
        octets = octets[: 2 * random.randrange(len(octets) // 2 + 1)]
    elif draw < 0.35:
        octets += random.randbytes(random.choice((1, 2, 3, 4, 12))).hex()
    elif draw < 0.7 and octets:
        place = 2 * random.randrange(len(octets) // 2)
        octets = octets[:place] + random.choice(("00", "ff", "7f", "80", "03")) + octets[place + 2 :]
    _insert(random, message, {"type": kind, "value": octets})


def whole(text: str) -> str:
    """Return hexadecimal text without a repetition at its end: "0010aa*2" is 0010aaaa."""
    head, star, count = text.partition("*")
    return head[:-2] + head[-2:] * int(count) if star else text


def add_unknown(random: Random, message: Message) -> None:
    """Put in one or more unknown comprehension-required attributes."""
    for _ in range(random.choice((1, 1, 2, 3))):
        _insert(random, message, {"type": 0x4000 + random.randrange(0x2000), "value": value(random)})


def add_optional(random: Random, message: Message) -> None:
    """Put in an optional attribute: SOFTWARE, or an unknown one."""
    kind = 0x8022 if random.random() < 0.5 else 0x9000 + random.randrange(0x2000)
    _insert(random, message, {"type": kind, "value": value(random)})


def add_many(random: Random, message: Message) -> None:
    """Put in very many attributes."""
    kind = random.choice((0x8022, 0x9000, 0x9001, 0x0006, 0x0024))
    count = random.choice((10, 33, 50, 65, 100, 300)) if random.random() < 0.95 else 1000
    text = random.choice(("", "41*4", "41*1"))
    message["attributes"].insert(0, {"type": kind, "value": text, "times": count})


def resize(random: Random, message: Message) -> None:
    """Give an attribute another value, mostly of another size."""
    _pick(random, message)["value"] = value(random)


def claim(random: Random, message: Message) -> None:
    """Give an attribute a wrong length."""
    chosen = _pick(random, message)
    chosen["length"] = random.choice(LENGTHS) if random.random() < 0.7 else random.randrange(64)


def pad(random: Random, message: Message) -> None:
    """Let the padding be missing, too long, or not zero."""
    chosen = _pick(random, message)
    if random.random() < 0.5:
        chosen["value"] = f"41*{random.randrange(1, 12)}"
    chosen["padding"] = random.choice(("", "ff", "ffff", "ffffff", "00*4", "00*7", "41*3"))


def retype(random: Random, message: Message) -> None:
    """Give an attribute another type."""
    _pick(random, message)["type"] = random.choice(TYPES)


def kind(random: Random, message: Message) -> None:
    """Change the message's type."""
    message["type"] = random.choice(KINDS) if random.random() < 0.8 else random.randrange(0x4000)


def top_bits(random: Random, message: Message) -> None:
    """Set the bits that are zero in STUN."""
    message["type"] |= random.choice((0x4000, 0x8000, 0xC000))


def header_length(random: Random, message: Message) -> None:
    """Give the header a wrong length."""
    message["delta"] = random.choice((-20, -8, -4, -3, -2, -1, 1, 2, 3, 4, 8, 20, 256, 1024, 32768, 65000))


def cookie(random: Random, message: Message) -> None:
    """Change the magic cookie."""
    message["cookie"] = random.choice((0, 0x2112A443, 0x42A41221, 0xFFFFFFFF, random.getrandbits(32)))


def identity(random: Random, message: Message) -> None:
    """Reuse a transaction id, or take a strange one."""
    message["id"] = random.choice(("$peer", "$last", "00*12", "ff*12", random.randbytes(12).hex()))


def tail(random: Random, message: Message) -> None:
    """Put octets behind the attributes that are not attributes; the length in the header counts them."""
    message["tail"] = random.choice(("00", "41", "ffff", "41*3", "00*4", "80220004", "41*5", "802200ff"))


def patch(random: Random, message: Message) -> None:
    """Write over some octets of the finished message."""
    patches = message.setdefault("patch", [])
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        patches.append([random.randrange(120), random.randbytes(random.choice((1, 1, 2, 4))).hex()])


def cut(random: Random, message: Message) -> None:
    """Cut the finished message short; the header's length stays."""
    message["cut"] = random.choice((1, 2, 3, 4, 7, 8, 12, 16, 19, 20, 21, 23, 24, 28, 40, 60))


def integrity(random: Random, message: Message) -> None:
    """Spoil MESSAGE-INTEGRITY: its key, size, place, number."""
    attributes = message["attributes"]
    found = next((a for a in attributes if a["type"] == 8), None)
    draw = random.random()
    if found is None or draw < 0.15:
        _insert(random, message, {"type": random.choice((8, 0x1C)), "value": random.choice(("$integrity", "$sha256"))})
    elif draw < 0.3:
        attributes.remove(found)
    elif draw < 0.5:
        found["value"] = "$integrity:wrong"
    elif draw < 0.7:
        size = random.choice((0, 1, 4, 10, 16, 19, 24, 64))
        found["value"] = f"00*{size}" if random.random() < 0.8 else f"{random.randbytes(2).hex()}*10"
    elif draw < 0.85:
        attributes.remove(found)
        attributes.insert(random.randint(0, len(attributes)), found)
    else:
        found.update(type=0x1C, value=random.choice(("$sha256", "$sha256:16", "$sha256:8", "$sha256:wrong")))


def fingerprint(random: Random, message: Message) -> None:
    """Spoil FINGERPRINT."""
    attributes = message["attributes"]
    found = next((a for a in attributes if a["type"] == 0x8028), None)
    if found is None:
        attributes.append({"type": 0x8028, "value": "$fingerprint"})
    elif random.random() < 0.4:
        found["value"] = random.choice(("$fingerprint:wrong", "ffffffff", "", "00*5"))
    elif random.random() < 0.5:
        attributes.remove(found)
    else:
        attributes.append({"type": random.choice(TYPES), "value": value(random)})


def after(random: Random, message: Message) -> None:
    """Put an attribute behind MESSAGE-INTEGRITY, where it must be ignored."""
    attributes = message["attributes"]
    place = next((i for i, a in enumerate(attributes) if a["type"] == 8), len(attributes) - 1)
    new = random.choice((0x25, 0x24, 0x7F00, 0x5ABC, 0x6, 0x8022, 0x802A))
    attributes.insert(place + 1, {"type": new, "value": value(random) if random.random() < 0.7 else ""})


def username(random: Random, message: Message) -> None:
    """Change USERNAME."""
    found = next((a for a in message["attributes"] if a["type"] == 6), None)
    if found is not None:
        names = [
            "$resu",
            "$ufrag",
            "",
            "3a",
            "41*8",
            "41*513",
            "41*514",
            "41*760",
            "41*1500",
            "3a*20",
            "00*20",
            "ff*20",
        ]
        found["value"] = random.choice(names)


def roles(random: Random, message: Message) -> None:
    """Claim the other role, both, or no role, with a tie-breaker that wins or loses."""
    attributes = message["attributes"]
    found = next((a for a in attributes if a["type"] in ("$role", "$antirole")), None)
    if found is None or random.random() < 0.25:
        _insert(random, message, {"type": "$antirole", "value": random.choice(TIES)})
    elif random.random() < 0.8:
        found.update(type="$antirole", value=random.choice(TIES))
    else:
        attributes.remove(found)


def nominate(random: Random, message: Message) -> None:
    """Put in USE-CANDIDATE."""
    _insert(random, message, {"type": 0x25, "value": random.choice(("", "", "", "00", "41*4"))})


# Those that stand twice come twice as often.
MUTATORS: tuple[Callable[[Random, Message], None], ...] = (
    drop, duplicate, swap, add_known, add_known, add_structured, add_unknown, add_optional, add_many, resize,
    resize, claim, claim, pad, retype, kind, top_bits, header_length, cookie, identity, tail, patch, patch, cut,
    integrity, integrity, fingerprint, after, username, roles, nominate,
)  # fmt: skip
