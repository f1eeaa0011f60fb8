"""Candidate lines and descriptions that are known to break parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = "{address}"
_UNSPECIFIED = "0.0.0.0"  # noqa: S104  (nothing binds to it)

_ADDRESSES = (
    "1f4712db-ea17-4bcf-a596-105139dfd8bf.local", "a.local", ".local", "host.example.invalid", "localhost",
    "example.invalid.", "xn--bcher-kva.example", "b\u00fccher.example", f"{'a' * 63}.{'b' * 63}.{'c' * 63}.local",
    f"{'n' * 300}.local", "::1", "::", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "::ffff:127.0.0.1", "fe80::1%lo",
    "fe80::1", "[::1]", "ff02::1", "1:2:3:4:5:6:7:8:9", _UNSPECIFIED, "255.255.255.255", "224.0.0.1", "169.254.1.1",
    "127.0.0.1.", "127.1", "2130706433", "0177.0.0.1", "256.1.1.1", "1.2.3", "-", "%s%n", "A" * 300,
)  # fmt: skip
_TRANSPORTS = (
    "UDP", "udp", "tcp", "TLS", "SSLTCP", "SCTP", "DCCP", "QUIC", "TCP-ACT", "TCP-PASS", "TLS-PASS", "TCP/TLS", "X",
    "T" * 64, "T" * 600, "TCP\u00e9", "%n",
)  # fmt: skip
_TCPTYPES = ("none", "simultaneous", "PASSIVE", "passive2", "", "p" * 300, "active tcptype passive", "\u00e9")
_TYPES = ("srflx", "prflx", "relay", "HOST", "nat", "h" * 300, "")
_PORTS = (
    "0", "1", "9", "65535", "65536", "70000", "-1", "4294967296", "99999999999999999999", "nine", "0x50", "5 0", "",
)  # fmt: skip
_COMPONENTS = ("0", "2", "256", "257", "65537", "-1", "4294967297", "one", "1.0", "")
_PRIORITIES = (
    "0", "1", "2147483647", "2147483648", "4294967295", "4294967296", "18446744073709551616", "-1", "1e9", "0x7f", "",
)  # fmt: skip
_FOUNDATIONS = ("A" * 32, "A" * 33, "A" * 64, "A" * 257, "/", "+", "a:b", "\u20ac", "", "0", "%s", "A" * 5000)
_EXTENSIONS = (
    "generation 0", "generation", "generation 4294967296", "network-id 1 network-cost 10", "ufrag x", "ufrag {ufrag}",
    "raddr {address} rport 9", "raddr 192.168.0.1", "rport 9", "raddr x.local rport 0", "raddr 0.0.0.0 rport 0",
    "raddr ::1 rport 65536", f"raddr {'r' * 300} rport 1", "x-unknown", "x-unknown value", "x " + "y" * 180,
    "x " + "y" * 500, "x " + "y" * 2000, "x " + "y" * 9000, "x " + "y" * 65000,
    " ".join(f"k{n} v{n}" for n in range(12)), " ".join(f"k{n} v{n}" for n in range(60)),
    " ".join(f"k{n} v{n}" for n in range(700)), "x " + "\u00e9" * 150, "x a\u0000b", "x \u0001\u001b[31m\u007f",
    "generation 0 generation 0 ufrag a ufrag b",
)  # fmt: skip
_BROKEN = (
    "", "1", "1 1", "1 1 TCP", "1 1 TCP 1", "1 1 TCP 1 {address}", "1 1 TCP 1 {address} 9",
    "1 1 TCP 1 {address} 9 typ", " ", "1  1  TCP  1  {address}  9  typ  host",
    "1\t1\tTCP\t1\t{address}\t9\ttyp\thost", "1 1 TCP 1 {address} 9 host typ",
    "candidate:1 1 TCP 1 {address} 9 typ host tcptype active", "1 1 TCP 1 {address} 9 typ host tcptype", "\u0000",
    "%s%s%s%n",
)  # fmt: skip


def _line(ours: str, **parts: str) -> str:
    """Return a candidate line of ours, of one tcptype unless a part says otherwise."""
    usual = {"foundation": "7", "component": "1", "transport": "TCP", "priority": "2124414975", "address": _HERE,
             "port": "9" if ours == "active" else "{port}", "kind": "host", "tcptype": ours, "more": ""}  # fmt: skip
    p = {**usual, **parts}
    head = f"a=candidate:{p['foundation']} {p['component']} {p['transport']} {p['priority']} {p['address']} {p['port']}"
    kind = f" tcptype {p['tcptype']}" if p["transport"].upper() != "UDP" else ""
    return f"{head} typ {p['kind']}{kind} {p['more']}".rstrip(" ")


def candidates(tcptype: str) -> Iterator[str]:
    """Return candidate lines: each is valid but for one part, or valid and unusual. The most dangerous come first."""
    yield from (_line(tcptype, address=text) for text in _ADDRESSES)
    yield from (_line(tcptype, transport=text) for text in _TRANSPORTS)
    yield from (_line(tcptype, more=text) for text in _EXTENSIONS)
    yield from (_line(tcptype, tcptype=text) for text in _TCPTYPES)
    yield _line(tcptype).partition(" tcptype")[0]
    yield from (_line(tcptype, foundation=text) for text in _FOUNDATIONS)
    yield from (_line(tcptype, port=text) for text in _PORTS)
    yield from (_line(tcptype, kind=text) for text in _TYPES)
    yield from (_line(tcptype, component=text) for text in _COMPONENTS)
    yield from (_line(tcptype, priority=text) for text in _PRIORITIES)
    yield from (f"a=candidate:{text}" for text in _BROKEN)
    yield _line(
        tcptype,
        foundation="F" * 32,
        priority="2147483647",
        address="2001:db8:1111:2222:3333:4444:5555:6666",
        kind="srflx",
        more=f"raddr 2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff rport 65535 generation 4294967295 x-vendor {'v' * 90}",
    )


def targets(tcptype: str) -> Iterator[str]:
    """Return candidate lines that matter to an IUT which connects to our candidates."""
    yield from (_line(tcptype, address=text) for text in _ADDRESSES)
    yield from (_line(tcptype, transport=text) for text in _TRANSPORTS)
    yield from (_line(tcptype, tcptype=text) for text in _TCPTYPES)
    yield from (_line(tcptype, port=text) for text in _PORTS)


_INSERTED = (
    "a=ice-ufrag:x", "a=ice-ufrag:" + "u" * 256, "a=ice-ufrag:" + "u" * 257, "a=ice-ufrag:" + "u" * 5000,
    "a=ice-ufrag:a:b", "a=ice-ufrag:\u00e9\u00e9\u00e9\u00e9", "a=ice-ufrag:ab\u0000cd", "a=ice-ufrag:",
    "a=ice-ufrag", "a=ice-pwd:short", "a=ice-pwd:" + "p" * 256, "a=ice-pwd:" + "p" * 257, "a=ice-pwd:" + "p" * 5000,
    "a=ice-pwd:%s%s%s%s%s%s%s%s%s%s%s%s", "a=ice-pwd:", "a=ice-options:", "a=ice-options:ice2 trickle renomination",
    "a=ice-options:" + "o" * 3000, "a=ice-lite", "a=ice-lite:1", "a=ice-mismatch", "a=ice-pacing:0",
    "a=ice-pacing:-1", "a=ice-pacing:99999999999", "a=ice-pacing:x", "a=remote-candidates:1 {address} {port}",
    "a=remote-candidates:1 x.local 9", "a=remote-candidates:1", "a=remote-candidates:" + "1 {address} 9 " * 100,
    "a=end-of-candidates", "a=end-of-candidates:x", "a=setup:holdconn", "a=setup:", "a=setup:nobody",
    "a=connection:existing", "a=connection:", "a=mid:", "a=mid:" + "m" * 3000, "a=mid:\u00e9",
    "a=rtcp:9 IN IP4 x.local", "a=rtcp:9 IN IP6 ::1", "a=rtcp:65536", "a=rtcp:", "a=rtcp-mux", "a=group:BUNDLE",
    "a=group:BUNDLE 0 1 2 nowhere", "a=fingerprint:sha-256 ", "a=fingerprint:sha-256 AA:ZZ",
    "a=fingerprint:x " + "AA:" * 900, "a=msid:- " + "x" * 300, "a=ssrc:99999999999 cname:x", "a=rtpmap:999 X/1",
    "a=rtpmap:", "a=fmtp:", "a=extmap:1", "c=IN IP4 host.example.invalid", "c=IN IP6 ::1", "c=IN IP4 224.2.1.1/127/3",
    "c=IN", "c=", "b=AS:99999999999", "b=", "b=X-Y:1", "m=audio 9 TCP/RTP/AVP 0", "m=audio 0 TCP/RTP/AVP 0",
    "m=audio 9/2 TCP/RTP/AVP 0", "m=audio 65536 TCP/RTP/AVP 0", "m=video 9 X/Y/Z 0 1 2", "m=audio 9 TCP/RTP/AVP",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=", "m=" + "m" * 3000, "k=prompt", "z=0 0", "r=1 2 3",
    "t=99999999999999999999 0", "i=\u00e9", "u=", "e=", "p=", "v=1", "o=", "s=", "x=1", "=", "a", "a=", "", " ",
    "a=\u0000", "a=" + "a" * 70000, "a=x:" + "%n" * 300, "\u20ac\u20ac", "a=candidate", "a=x\ny", "a=x\ry",
    "a=x\n\na=y", "\r", "a=x\r\na=y",
)  # fmt: skip
_MANY = (10, 100, 1000)  # candidates in one description
_USUAL = (
    "v=", "o=", "s=", "t=", "m=", "c=", "a=ice-ufrag", "a=ice-pwd", "a=mid", "a=setup",
)  # fmt: skip
_REPLACED = (
    "v=1", "v=", "v=99999999999", "o=- 1 1 IN IP4 x.local", "o=- -1 99999999999999999999999 IN IP6 ::1", "o=a",
    "o=" + "o" * 3000, "s=" + "s" * 3000, "s=\u00e9", "t=-1 -1", "t=x",
    "m=audio 9 TCP/RTP/AVP 0 1 2 3 4 5 6 7 8 9 96 97 127 128 999", "m=x 9 tcp *", "m=audio -1 TCP/RTP/AVP 0",
    "m=audio nine TCP/RTP/AVP 0", "m=audio 9 " + "P" * 300 + " 0", "c=IN IP4 0.0.0.0", "c=IN IP4 " + "a" * 300,
    "c=IN IP6 fe80::1%lo", "c=XX YY 1", "a=setup:passive", "a=setup:active", "a=mid:a b", "a=ice-ufrag:abc",
    "a=ice-ufrag:" + "u" * 300, "a=ice-pwd:" + "p" * 21, "a=ice-pwd:" + "p" * 300, "a=ice-pwd:p\u0000",
)  # fmt: skip


def descriptions(tcptype: str) -> Iterator[list[list[Any]]]:
    """Return mutations of a description."""
    yield from ([["insert", -1, line]] for line in candidates(tcptype))
    yield from (
        [["set", -1, _line(tcptype, **one)]] for one in ({"address": "a.local"}, {"transport": "SCTP"}, {"port": "0"})
    )
    for count in _MANY:
        yield [["insert", -1, _line(tcptype, foundation=str(n), priority=str(1000 + n))] for n in range(count)]
    yield [["insert", -1, _line(tcptype)] for _ in range(3)]
    yield from ([["insert", -1, line]] for line in _INSERTED)
    yield from ([["replace", 0, line]] for line in (*_REPLACED, *_INSERTED) if line.startswith(_USUAL))
    yield [["drop", 0]] * 40  # an empty description
    yield [["drop", 1]] * 40
    yield from ([["insert", 4, _line(tcptype)]], [["insert", 0, "v=0"]])
    yield from ([["drop", place]] for place in range(12))
