"""A target that crashes on one known dangerous input: `python fragile.py FAULT`. Each fault is a mistake of real parsers."""

import os
import sys

from fuzz.player.reading import walk
from fuzz.targets import agent, connection

FAULT = sys.argv[1]


def die():
    sys.stderr.write(
        f'Traceback (most recent call last):\n  File "{FAULT}.c", line 1, in parse\nMemoryError: {FAULT}\n'
    )
    sys.stderr.flush()
    os.abort()


def candidate_faults(line):
    parts = line.split(" ")
    if len(parts) < 8:
        return False
    return {
        "local-name": parts[4].endswith(".local"),
        "unknown-transport": parts[2].upper() not in ("TCP", "UDP"),
        "long-line": len(line) > 240,
        "unknown-tcptype": "tcptype" in parts
        and parts[parts.index("tcptype") + 1 :][:1] not in (["active"], ["passive"], ["so"]),
        "ipv6-candidate": parts[4] == "2001:db8::1",
        "zone": "%" in parts[4],
        "port-0": parts[5] == "0",
    }.get(FAULT, False)


def description_faults(text):
    lines = text.splitlines()
    return {
        "many-candidates": sum(line.startswith("a=candidate:") for line in lines) > 64,
        "long-pwd": any(line.startswith("a=ice-pwd:") and len(line) > 10 + 256 for line in lines),
        "empty-description": not text.strip(),
        "second-section": sum(line.startswith("m=") for line in lines) > 1,
    }.get(FAULT, False)


def request_faults(octets):
    walked = walk(octets)
    name = b"" if walked is None else dict(zip(walked[0], walked[2], strict=True)).get(6, b"")
    try:
        name.decode()
        readable = True
    except UnicodeDecodeError:
        readable = False
    role = {} if walked is None else dict(zip(walked[0], walked[2], strict=True))
    short = any(len(role.get(kind, bytes(8))) == 7 for kind in (0x8029, 0x802A))
    return {"nul-in-name": b"\0" in name, "name-not-utf8": not readable, "role-of-7-octets": short}.get(FAULT, False)


def octets_faults(octets):
    place = 20
    while place + 4 <= len(octets):
        length = octets[place + 2] << 8 | octets[place + 3]
        if (FAULT, length) in (("attribute-of-65535", 0xFFFF), ("attribute-of-65532-last", 0xFFFC)):
            return True
        place += 4 + length + 3 & ~3
    if FAULT == "header-length-65535" and octets[2:4] == b"\xff\xff":
        return True
    error = octets[:2] == b"\1\x11" and b"\0\x09\0\x04\0\0\0\0" in octets
    return FAULT == "error-number-0" and error


accept, serve, feed = agent.Session.accept, connection.Connection.frame, connection.Connection.feed
request, ended = connection.Connection.request, connection.Connection.ended
OWNERS = {}  # by session: its connections, in the order of their first checks
IDS = {}  # by transaction id: the connection


def accepting(self, text):
    lines = [line[2:] for line in text.splitlines() if line.startswith("a=candidate:")]
    if description_faults(text) or any(map(candidate_faults, lines)):
        die()
    accept(self, text)


def framed(self, payload):
    if payload[:1] <= b"\x3f" and payload[4:8] == b"\x21\x12\xa4\x42" and octets_faults(payload):
        die()
    if FAULT == "largest-frame" and len(payload) == 65535:
        die()
    serve(self, payload)


def requested(self, message):
    if request_faults(message.octets) and message.authentic(self.session.pwd.encode(), frozenset()):
        die()
    if FAULT == "one-transaction-twice" and IDS.setdefault(message.identity, self) is not self:
        die()
    owners = OWNERS.setdefault(self.session, [])
    if self not in owners:
        owners.append(self)
    request(self, message)


def feeding(self, octets):
    if FAULT == "foreign-protocol" and octets[:4] == b"GET ":
        die()
    if (
        FAULT == "read-ends-in-length"
        and len(self.buffer) + len(octets) >= 4096
        and (self.buffer + octets)[4095:4097] == b"\0\x5c"
    ):
        die()
    feed(self, octets)


def ending(self):
    owners = OWNERS.get(self.session, [])
    if FAULT == "first-owner-ends" and len(owners) > 1 and owners[0] is self:
        die()
    if FAULT == "fin-in-length" and len(self.buffer) == 1:
        die()
    ended(self)


agent.Session.accept = accepting
connection.Connection.frame, connection.Connection.feed = framed, feeding
connection.Connection.request, connection.Connection.ended = requested, ending
sys.exit(agent.main(["--passive"]))
