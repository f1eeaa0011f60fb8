"""A case's frames and messages as octets.

Values that depend on the session (credentials, tie-breaker, the peer's transaction id) and those that are computed
over the rest (integrity, fingerprint) stand in a case as symbols ("$user", "$integrity"), so that a case means the
same in any session, and mutated messages are signed again.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import lru_cache
from typing import Any

from fuzz.player.reading import HEADER

COOKIE = 0x2112A442
OUR_IDS = b"icetcp.."  # what our transaction ids begin with
ROLES = {"$role": (0x802A, 0x8029), "$antirole": (0x8029, 0x802A)}  # as we control, and as we do not
_TYPE_LENGTH = struct.Struct("!HH")
_HEAD = struct.Struct("!HHI12s")
_NUMBER = struct.Struct("!I")
_BLOCK = 64  # octets that SHA-1 and SHA-256 take in at a time

Message = dict[str, Any]
Frame = dict[str, Any]


class Env:
    """What symbols stand for: the credentials of both sides, our role, and the ids of transactions."""

    def __init__(self, ufrag: str, pwd: str, controlling: bool) -> None:
        self.ufrag, self.pwd = ufrag, pwd  # ours
        self.iut_ufrag, self.iut_pwd = "", ""
        self.controlling = controlling
        self.own_key = pwd.encode()
        self.key = b""
        self.peer_id = b"no request!!"  # transaction id of the IUT's last request
        self.peer_address = b"\x00\x01" + bytes(6)  # what XOR-MAPPED-ADDRESS says of the IUT, not XORed
        self.last_id = bytes(12)
        self.count = 0
        self.values: dict[str, bytes] = {}
        self.said: dict[bool, bytes] = {}  # what a valid check says before its integrity, by our role
        self.made: dict[tuple[Any, ...], bytes] = {}  # attributes that are the same in many messages

    def learn(self, ufrag: str, pwd: str) -> None:
        """Take the IUT's credentials."""
        self.iut_ufrag, self.iut_pwd, self.key = ufrag, pwd, pwd.encode()
        self.said, self.made = {}, {}
        self.values = {
            "$user": f"{ufrag}:{self.ufrag}".encode(),
            "$resu": f"{self.ufrag}:{ufrag}".encode(),
            "$ufrag": ufrag.encode(),
            "$mine": self.ufrag.encode(),
            "$priority": b"\x6e\x7f\xff\xff",
            "$tie": b"\x80" + bytes(6) + b"\x01",
        }

    def new_id(self) -> bytes:
        """Return a transaction id of our own."""
        self.count += 1
        self.last_id = OUR_IDS + _NUMBER.pack(self.count)
        return self.last_id


def octets(text: str) -> bytes:
    """Return what "00ff" or "41*1000" stands for."""
    piece, star, count = text.partition("*")
    return bytes.fromhex(piece) * int(count) if star else bytes.fromhex(piece)


def has_symbol(text: str) -> bool:
    """Whether a value is a symbol, or has one in it: "$user", or "$user+00" for the symbol and an octet."""
    return "$" in text


def integrity(before: bytes, key: bytes, name: str = "sha1", size: int = 20) -> bytes:
    """Return MESSAGE-INTEGRITY's value, or -SHA256's (RFC 8489 sections 14.5 and 14.6)."""
    length = len(before) - HEADER + 4 + size
    return _mac(before[:2] + (length & 0xFFFF).to_bytes(2, "big") + before[4:], key, name)[:size]


@lru_cache(maxsize=128)
def _mac(covered: bytes, key: bytes, name: str) -> bytes:
    """Return an HMAC (RFC 2104). What was just signed is soon judged: it is not reckoned twice."""
    inner, outer = _keyed(key, name)
    inner, outer = inner.copy(), outer.copy()
    inner.update(covered)
    outer.update(inner.digest())
    return bytes(outer.digest())


@lru_cache(maxsize=64)
def _keyed(key: bytes, name: str) -> tuple[Any, Any]:
    """Return the two hashes of an HMAC (RFC 2104), which have taken in the key: it is that of many messages."""
    whole = (hashlib.new(name, key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return hashlib.new(name, bytes(one ^ 0x36 for one in whole)), hashlib.new(name, bytes(one ^ 0x5C for one in whole))


def fingerprint(before: bytes) -> bytes:
    """Return FINGERPRINT's value (RFC 8489 section 14.7)."""
    length = len(before) - HEADER + 8
    return _NUMBER.pack(zlib.crc32(before[:2] + (length & 0xFFFF).to_bytes(2, "big") + before[4:]) ^ 0x5354554E)


def _signed(value: str, before: bytes, env: Env) -> bytes:
    """Return the value of a symbol that is computed over what stands before it."""
    name, _, how = value.partition(":")
    own = env.own_key if before[0] & 1 else env.key  # a response is signed with the password of its sender
    key = b"a key that nobody has now" if how == "wrong" else own
    if name == "$integrity":
        return integrity(before, key)
    if name == "$sha256":
        return integrity(before, key, "sha256", int(how) if how.isdigit() else 32)
    if name == "$fingerprint":
        right = fingerprint(before)
        return bytes(4) if how == "wrong" else right
    if name == "$mapped":
        mask = COOKIE.to_bytes(4, "big") + before[8:20]
        plain = env.peer_address
        return plain[:2] + bytes(a ^ b for a, b in zip(plain[2:], mask[:2] + mask, strict=False))
    raise ValueError(f"{value!r} is not a value of an attribute")


def attribute(spec: dict[str, Any], before: bytes, env: Env) -> bytes:
    """Return one attribute. "length" is what it claims, "padding" what follows instead of zeros, "times" how often."""
    kind, text = spec["type"], spec["value"]
    usual = (kind, text, env.controlling) if text in env.values and len(spec) == 2 else None
    if usual in env.made:
        return env.made[usual]
    if kind.__class__ is str:
        kind = ROLES[kind][not env.controlling]
    if "+" in text:
        value = b"".join([env.values.get(part) or octets(part) for part in text.split("+")])
    elif text[:1] != "$":
        value = octets(text)
    else:
        known = env.values.get(text)
        value = _signed(text, before, env) if known is None else known
    if len(spec) == 2:
        whole = _TYPE_LENGTH.pack(kind & 0xFFFF, len(value) & 0xFFFF) + value + bytes(-len(value) & 3)
        if usual is not None:
            env.made[usual] = whole
        return whole
    length = spec.get("length")
    padding = spec.get("padding")
    once = (
        _TYPE_LENGTH.pack(kind & 0xFFFF, (len(value) if length is None else length) & 0xFFFF)
        + value
        + (bytes(-len(value) & 3) if padding is None else octets(padding))
    )
    times: int = spec.get("times", 1)
    return once * times


def message(spec: Message, env: Env) -> bytes:
    """Return a message.

    "type", "attributes"; "cookie"; "id": hexadecimal, "$peer" (of the IUT's last request) or "$last" (of ours);
    "delta": added to the header's length; "tail": octets after the attributes, which the length counts;
    "patch": [offset, octets] written over the finished message; "cut": how many of its octets remain.
    """
    wanted = spec.get("id")
    if wanted is None:
        identity = env.new_id()
    elif wanted == "$peer":
        identity = env.peer_id
    elif wanted == "$last":
        identity = env.last_id
    else:
        identity = octets(wanted)[:12].ljust(12, b"\0")
    built = _HEAD.pack(spec["type"] & 0xFFFF, 0, spec.get("cookie", COOKIE), identity)
    made, controlling = env.made, env.controlling
    for one in spec["attributes"]:
        known = made.get((one["type"], one["value"], controlling)) if len(one) == 2 else None
        built += attribute(one, built, env) if known is None else known
    if len(spec) > 2:
        built += octets(spec.get("tail", ""))
    length: int = len(built) - HEADER + spec.get("delta", 0)
    built = built[:2] + (length & 0xFFFF).to_bytes(2, "big") + built[4:]
    for offset, text in spec.get("patch", ()):
        new = octets(text)
        place = offset % len(built)
        built = built[:place] + new + built[place + len(new) :]
    most: int = spec.get("cut", len(built))
    return built[:most]


def frame(spec: Frame, env: Env) -> bytes:
    """Return a frame: of a "message", of "octets", or of "frames" nested in it. "length" is what its LENGTH says."""
    if "message" in spec:
        payload: bytes = message(spec["message"], env)
    elif "octets" in spec:
        payload = octets(spec["octets"])
    else:
        payload = b"".join([frame(inner, env) for inner in spec["frames"]])
    length: int = spec.get("length", len(payload))
    return (length & 0xFFFF).to_bytes(2, "big") + payload


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    """Cut octets at these offsets (negative: from the end)."""
    places = sorted({cut % len(whole) for cut in cuts} - {0}) if whole else []
    return [whole[begin:end] for begin, end in zip([0, *places], [*places, len(whole)], strict=True)]


# -- what is valid, to begin with --------------------------------------------------------------------------------------


def request(*more: dict[str, Any]) -> Message:
    """Return a connectivity check; `more` stands before its integrity."""
    return {
        "type": 0x0001,
        "attributes": [
            {"type": 0x0006, "value": "$user"},
            {"type": 0x0024, "value": "$priority"},
            {"type": "$role", "value": "$tie"},
            *more,
            {"type": 0x0008, "value": "$integrity"},
            {"type": 0x8028, "value": "$fingerprint"},
        ],
    }


def check(env: Env) -> bytes:
    """Return the frame of a valid check; the same as of `request`, in fewer steps."""
    said = env.said.get(env.controlling)
    if said is None:
        attributes = request()["attributes"][:-2]
        said = env.said[env.controlling] = b"".join([attribute(one, b"", env) for one in attributes])
    identity = env.new_id()
    signed = _HEAD.pack(0x0001, len(said) + 32, COOKIE, identity) + said
    whole = signed + b"\0\x08\0\x14" + integrity(signed, env.key)
    number = _NUMBER.pack(zlib.crc32(whole) ^ 0x5354554E)
    return (len(whole) + 8).to_bytes(2, "big") + whole + b"\x80\x28\0\4" + number


def success() -> Message:
    """Return the answer to the IUT's last check."""
    return {
        "type": 0x0101,
        "attributes": [
            {"type": 0x0020, "value": "$mapped"},
            {"type": 0x0008, "value": "$integrity"},
            {"type": 0x8028, "value": "$fingerprint"},
        ],
        "id": "$peer",
    }


def refusal(code: int, reason: bytes = b"no") -> Message:
    """Return an error response to the IUT's last check."""
    value = bytes((0, 0, code // 100, code % 100)) + reason
    return {
        "type": 0x0111,
        "attributes": [
            {"type": 0x0009, "value": value.hex()},
            {"type": 0x0008, "value": "$integrity"},
            {"type": 0x8028, "value": "$fingerprint"},
        ],
        "id": "$peer",
    }
