"""As much of DTLS 1.2 as a handshake's beginning needs (RFC 6347): records, ClientHello, HelloVerifyRequest.

What stands above ICE is another protocol's affair. These are here to see whether, when and where it begins, and that
what begins is understood.
"""

from __future__ import annotations

import enum

from conformance.wire.errors import WireError
from conformance.wire.frozen import frozen

DTLS_1_0, DTLS_1_2 = 0xFEFF, 0xFEFD
_RECORD_HEAD, _HANDSHAKE_HEAD = 13, 12
_HANDSHAKE_FIELDS = ((1, 4), (4, 6), (6, 9), (9, 12))  # of the head: size, sequence number, offset, length
_RANDOM = 32
_MAX_COOKIE = 255
# TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, the same with RSA, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
_SUITES = bytes.fromhex("c02bc02fc009")
_EXTENSIONS = (
    (0x0017, b""),  # extended_master_secret (RFC 7627)
    (0xFF01, b"\0"),  # renegotiation_info (RFC 5746)
    (0x000A, bytes.fromhex("0004001d0017")),  # supported_groups: x25519, secp256r1
    (0x000B, bytes.fromhex("0100")),  # ec_point_formats: uncompressed
    (0x000D, bytes.fromhex("0006040304010804")),  # signature_algorithms: ECDSA, RSA PKCS #1, RSA-PSS with SHA-256
    (0x000E, bytes.fromhex("0002000100")),  # use_srtp: SRTP_AES128_CM_HMAC_SHA1_80 (RFC 5764)
)


class DtlsError(WireError):
    """Octets that are no DTLS records, or a handshake message that is malformed."""


class ContentType(enum.IntEnum):
    """What a record carries (RFC 5246 section 6.2.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


class HandshakeType(enum.IntEnum):
    """The handshake messages that are told apart here (RFC 6347 section 4.3.2)."""

    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    HELLO_VERIFY_REQUEST = 3


class Kind(enum.Enum):
    """What the first octet of a payload says it is (RFC 7983 section 7)."""

    STUN = range(4)
    ZRTP = range(16, 20)
    DTLS = range(20, 64)
    TURN_CHANNEL = range(64, 80)
    RTP = range(128, 192)


def kind_of(payload: bytes) -> Kind | None:
    """Return what a payload is by its first octet; None for an empty one and for what is nobody's."""
    return next((kind for kind in Kind if payload and payload[0] in kind.value), None)


@frozen
class Record:
    """One record (RFC 6347 section 4.1)."""

    content: int
    fragment: bytes
    epoch: int = 0
    sequence: int = 0
    version: int = DTLS_1_2

    def encode(self) -> bytes:
        """Return the octets."""
        head = bytes([self.content]) + self.version.to_bytes(2, "big") + self.epoch.to_bytes(2, "big")
        return head + self.sequence.to_bytes(6, "big") + _vector(self.fragment, 2)


def records(payload: bytes) -> list[Record]:
    """Return the records of one datagram, here: of one frame. Raises `DtlsError`."""
    found = []
    position = 0
    while position < len(payload):
        head = payload[position : position + _RECORD_HEAD]
        end = position + _RECORD_HEAD + int.from_bytes(head[11:], "big")
        if len(head) < _RECORD_HEAD or end > len(payload):
            raise DtlsError("a record ends behind its datagram", f"octet {position}", "RFC 6347 section 4.1")
        version, epoch = int.from_bytes(head[1:3], "big"), int.from_bytes(head[3:5], "big")
        fragment = payload[position + _RECORD_HEAD : end]
        found.append(Record(head[0], fragment, epoch, int.from_bytes(head[5:11], "big"), version))
        position = end
    return found


@frozen
class Handshake:
    """A handshake message, or a fragment of one (RFC 6347 section 4.2.3): ``missing`` octets of it are in others."""

    type: int
    body: bytes
    sequence: int = 0
    offset: int = 0
    missing: int = 0

    def encode(self) -> bytes:
        """Return the octets."""
        size = (len(self.body) + self.missing).to_bytes(3, "big")
        place = self.offset.to_bytes(3, "big") + len(self.body).to_bytes(3, "big")
        return bytes([self.type]) + size + self.sequence.to_bytes(2, "big") + place + self.body

    @classmethod
    def decode(cls, fragment: bytes) -> Handshake:
        """Take a record's fragment apart. Raises `DtlsError`."""
        body = fragment[_HANDSHAKE_HEAD:]
        size, sequence, offset, length = (int.from_bytes(fragment[a:b], "big") for a, b in _HANDSHAKE_FIELDS)
        if len(fragment) < _HANDSHAKE_HEAD or length != len(body) or offset + length > size:
            raise DtlsError("no handshake message, nor a fragment of one", "octet 0", "RFC 6347 section 4.2.2")
        return cls(fragment[0], body, sequence, offset, size - length)


@frozen
class ClientHello:
    """The first message of a handshake (RFC 6347 section 4.2.1). ``random`` is 32 octets."""

    random: bytes
    cookie: bytes = b""

    def encode(self) -> bytes:
        """Return the body, with suites and extensions that DTLS-SRTP endpoints know."""
        extensions = b"".join(number.to_bytes(2, "big") + _vector(body, 2) for number, body in _EXTENSIONS)
        head = DTLS_1_2.to_bytes(2, "big") + self.random + _vector(b"", 1) + _vector(self.cookie, 1)
        return head + _vector(_SUITES, 2) + _vector(b"\0", 1) + _vector(extensions, 2)

    @classmethod
    def decode(cls, body: bytes) -> ClientHello:
        """Take a body apart as far as it says who asks. Raises `DtlsError`."""
        session = body[2 + _RANDOM : 3 + _RANDOM + body[2 + _RANDOM]] if len(body) > 2 + _RANDOM else b""
        start = 2 + _RANDOM + len(session)
        if not session or start >= len(body) or start + 1 + body[start] > len(body):
            raise DtlsError("a ClientHello without random, session id or cookie", "octet 0", "RFC 6347 section 4.2.1")
        return cls(body[2 : 2 + _RANDOM], body[start + 1 : start + 1 + body[start]])


def hello_verify_request(cookie: bytes) -> bytes:
    """Return the body that asks a client to show that it is there (RFC 6347 section 4.2.1).

    Raises `DtlsError` for a cookie that is too long.
    """
    if len(cookie) > _MAX_COOKIE:
        raise DtlsError(f"a cookie of {len(cookie)} octets", "", "RFC 6347 section 4.2.1")
    return DTLS_1_0.to_bytes(2, "big") + _vector(cookie, 1)


def cookie_of(body: bytes) -> bytes:
    """Return the cookie of a HelloVerifyRequest. Raises `DtlsError`."""
    if len(body) < 3 or len(body) != 3 + body[2]:
        raise DtlsError("a HelloVerifyRequest without its cookie", "octet 0", "RFC 6347 section 4.2.1")
    return body[3:]


def handshakes(payload: bytes) -> list[Handshake]:
    """Return the handshake messages that begin in a payload, some as a first fragment; none of one that is no DTLS."""
    if kind_of(payload) is not Kind.DTLS:
        return []
    try:
        plain = [r for r in records(payload) if r.content == ContentType.HANDSHAKE and r.epoch == 0]
        return [message for message in (Handshake.decode(record.fragment) for record in plain) if not message.offset]
    except DtlsError:
        return []


def _vector(octets: bytes, width: int) -> bytes:
    return len(octets).to_bytes(width, "big") + octets
