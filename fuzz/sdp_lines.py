"""Lines of a description, valid and invalid: candidate lines by their grammar, others from a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from fuzz.dictionary import Dictionary

LINES: Sequence[str] = (
    "a=candidate:1 1 TCP 2124414975 {address} 9 typ host tcptype active",
    "a=candidate:1 1 TCP 2124414975 {address} {port} typ host tcptype passive",
    "a=candidate:1 1 TCP 2124414975 {address} 0 typ host tcptype passive",
    "a=candidate:1 1 TCP 2124414975 {address} 70000 typ host tcptype passive",
    "a=candidate:1 1 TCP 2124414975 {address} nine typ host tcptype passive",
    "a=candidate:1 1 TCP 99999999999999999999 {address} {port} typ host tcptype passive",
    "a=candidate:1 0 TCP 1 {address} {port} typ host tcptype passive",
    "a=candidate:1 257 TCP 1 {address} {port} typ host tcptype passive",
    "a=candidate:1 -1 TCP 1 {address} {port} typ host tcptype so",
    "a=candidate:1 1 TCP 1 {address} {port} typ",
    "a=candidate:",
    "a=candidate:1 1 TCP 1 :: {port} typ host tcptype passive",
    "a=candidate:1 1 TCP 1 example.invalid {port} typ host tcptype passive",
    "a=candidate:1 1 TCP 1 {address} {port} typ relay raddr {address} rport x tcptype passive",
    "a=candidate:1 1 TCP 1 {address} {port} typ host tcptype",
    "a=candidate:1 1 UDP 1 {address} {port} typ host",
    "a=candidate:1 1 TCP 1 {address} {port} typ host tcptype passive generation 0 a b c",
    "a=ice-ufrag:x",
    "a=ice-pwd:short",
    "a=ice-lite",
    "a=ice-mismatch",
    "a=setup:holdconn",
    "a=remote-candidates:1 {address} {port}",
    "a=end-of-candidates",
    "a=rtcp-mux",
    "m=audio 0 TCP/RTP/AVP 0",
    "m=audio 9 TCP/RTP/AVP 0",
    "m=application 9 UDP/DTLS/SCTP x",
    "c=IN IP6 ::1",
    "b=AS:99999999999",
    "a=",
    "a",
    "",
    "=",
    "x=\u20ac",
)

_ANY = "0.0.0.0"  # noqa: S104  (nobody binds to it)

# A candidate line's parts in their order (RFC 8839 section 5.1, RFC 6544 section 4.5): a right value, then others.
_PARTS: tuple[tuple[str, Sequence[str]], ...] = (
    ("1", ("", "0", "A*32", "A*33", "A*64", "A*257", "/", "+", "a:b", "\u20ac", "-")),
    ("1", ("0", "2", "256", "257", "-1", "65537", "4294967297", "x", "")),
    ("TCP", ("tcp", "UDP", "TLS", "TCP/TLS", "SCTP", "T", "T*600", "")),
    ("2124414975", ("0", "1", "2147483647", "2147483648", "4294967295", "4294967296", "-1", "1e9", "0x7f", "9*40", "")),
    ("{address}", (_ANY, "::", "::1", "::ffff:127.0.0.1", "fe80::1%lo", "255.255.255.255", "224.0.0.1",
                   "127.1", "127.0.0.1.", "example.invalid", "x.local", "A*300", "")),
    ("{port}", ("9", "0", "1", "65535", "65536", "70000", "-1", "nine", "{port}.0", "9*40", "")),
    ("typ", ("Typ", "type", "")),
    ("host", ("srflx", "prflx", "relay", "HOST", "h", "h*300", "")),
)  # fmt: skip
_EXTENSIONS: tuple[tuple[str, Sequence[str]], ...] = (
    ("tcptype", ("passive", "active", "so", "", "none", "PASSIVE", "passive tcptype active", "p*300")),
    ("raddr", ("{address}", _ANY, "::", "x", "A*300")),
    ("rport", ("9", "0", "65536", "-1", "x")),
    ("generation", ("0", "4294967296", "")),
    ("ufrag", ("{ufrag}", "x", "A*300")),
    ("network-cost", ("10", "-1", "99999999999")),
    ("x", ("y", "", "A*2000")),
)


def _long(text: str) -> str:
    """Return what "A*300" stands for."""
    word, star, count = text.partition("*")
    return word * int(count) if star else text


def candidate(random: Random) -> str:
    """Return a candidate line with at most a few things wrong with it."""
    wrong = set(random.sample(range(len(_PARTS)), random.choice((0, 1, 1, 1, 2))))
    parts = [_long(random.choice(others)) if place in wrong else right for place, (right, others) in enumerate(_PARTS)]
    some: list[tuple[str, Sequence[str]]] = [("tcptype", ("passive", "active"))] if random.random() < 0.7 else []
    some += random.sample(_EXTENSIONS, random.choice((0, 0, 1, 2, 4)))
    for name, values in some:
        parts += [name, _long(random.choice(values))]
    if random.random() < 0.1:
        del parts[random.randrange(len(parts)) :]
    return "a=candidate:" + random.choice((" ", " ", " ", " ", "  ", "\t")).join(parts)


def edit(random: Random, dictionary: Dictionary) -> list[Any]:
    """Return one mutation of a description."""
    draw = random.random()
    place = random.randrange(16)
    if draw < 0.12:
        return ["drop", place]
    if draw < 0.2:
        return ["swap", place, random.randrange(16)]
    how = random.choice(("set", "insert", "insert"))
    if draw < 0.28:
        return [how, place, dictionary.edit(random, random.choice((*LINES, candidate(random))))]
    if draw < 0.55:
        return [how, place, candidate(random)]
    if draw < 0.75:
        return [how, place, _run(random)]
    return [how, place, random.choice(LINES)]


def _run(random: Random) -> str:
    """Return a line with a long run of something."""
    word, size = random.choice(("A", "%n", "9", " ", "/")), random.choice((33, 100, 257, 1000, 30000))
    heads = ("a=candidate:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:1 1 TCP ", "s=", "m=audio ", "a=mid:")
    head = random.choice(heads)
    if head == "a=candidate:" and random.random() < 0.6:
        return f"a=candidate:{word.strip() * size or 'A'} 1 TCP 1 {{address}} 9 typ host tcptype active"
    return head + word * size
