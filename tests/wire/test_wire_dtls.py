"""The beginning of a DTLS handshake, octet by octet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.wire.dtls import (
    DTLS_1_2,
    ClientHello,
    ContentType,
    DtlsError,
    Handshake,
    HandshakeType,
    Kind,
    Record,
    cookie_of,
    handshakes,
    hello_verify_request,
    kind_of,
    records,
)

HELLO = Handshake(HandshakeType.CLIENT_HELLO, ClientHello(bytes(range(32)), b"cookie").encode(), 1)


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (0, Kind.STUN), (3, Kind.STUN), (4, None), (15, None), (16, Kind.ZRTP), (20, Kind.DTLS), (63, Kind.DTLS),
        (64, Kind.TURN_CHANNEL), (79, Kind.TURN_CHANNEL), (80, None), (127, None), (128, Kind.RTP), (191, Kind.RTP),
        (192, None), (255, None),
    ],
)  # fmt: skip
def test_the_first_octet_tells(first, kind) -> None:
    assert kind_of(bytes([first, 0])) is kind


def test_nothing_is_of_no_kind() -> None:
    assert kind_of(b"") is None


def test_a_client_hello_to_the_octet() -> None:
    payload = Record(ContentType.HANDSHAKE, HELLO.encode(), sequence=1).encode()
    body = (
        "fefd" + bytes(range(32)).hex() + "00" + "06" + b"cookie".hex() + "0006c02bc02fc009" + "0100"
        "002e" "00170000" "ff01000100" "000a00060004001d0017" "000b00020100" "000d00080006040304010804"
        "000e00050002000100"
    )  # fmt: skip
    size = f"{len(bytes.fromhex(body)):06x}"
    handshake = f"01{size}0001000000{size}{body}"
    record = f"16fefd0000000000000001{len(bytes.fromhex(handshake)):04x}{handshake}"
    assert payload.hex() == record


def test_what_was_written_is_read() -> None:
    first = Record(ContentType.HANDSHAKE, HELLO.encode(), 0, 1)
    second = Record(ContentType.ALERT, b"\2\x28", 1, 2**48 - 1, DTLS_1_2)
    payload = first.encode() + second.encode()
    assert records(payload) == [first, second]
    assert handshakes(payload) == [HELLO]
    assert ClientHello.decode(HELLO.body) == ClientHello(bytes(range(32)), b"cookie")
    assert cookie_of(hello_verify_request(b"crumb")) == b"crumb"
    assert records(b"") == []


def test_encrypted_messages_are_not_read() -> None:
    assert handshakes(Record(ContentType.HANDSHAKE, HELLO.encode(), epoch=1).encode()) == []


def test_every_beginning_of_a_record_is_refused() -> None:
    whole = Record(ContentType.HANDSHAKE, HELLO.encode()).encode()
    for length in range(1, len(whole)):
        with pytest.raises(DtlsError, match="ends behind its datagram at octet 0"):
            records(whole[:length])
        assert handshakes(whole[:length]) == []


def test_handshake_messages_that_are_not_whole() -> None:
    whole = HELLO.encode()
    fragment = whole[:6] + b"\0\0\1" + whole[9:]
    for octets in (b"", whole[:11], whole[:-1], whole + b"\0", fragment):
        with pytest.raises(DtlsError):
            Handshake.decode(octets)
    assert handshakes(Record(ContentType.HANDSHAKE, fragment).encode()) == []


def test_a_client_hello_in_fragments_begins_in_its_first() -> None:
    """Those with post-quantum key shares do not fit a datagram."""
    first = Handshake(HandshakeType.CLIENT_HELLO, HELLO.body[:60], 1, 0, len(HELLO.body) - 60)
    rest = Handshake(HandshakeType.CLIENT_HELLO, HELLO.body[60:], 1, 60, 60)
    assert first.encode()[:12].hex() == f"01{len(HELLO.body):06x}000100000000003c"
    assert Handshake.decode(rest.encode()) == rest
    payloads = [Record(ContentType.HANDSHAKE, part.encode()).encode() for part in (first, rest)]
    assert handshakes(payloads[0] + payloads[1]) == [first]
    assert handshakes(payloads[1]) == handshakes(b"\x80\x00") == []
    assert ClientHello.decode(first.body) == ClientHello.decode(HELLO.body)


def test_client_hellos_that_are_not_whole() -> None:
    body = HELLO.body
    end = 2 + 32 + 1 + 1 + len(b"cookie")
    for length in range(end):
        with pytest.raises(DtlsError):
            ClientHello.decode(body[:length])
    assert ClientHello.decode(body[:end]).cookie == b"cookie"
    with_session = body[:34] + b"\2ab" + body[35:]
    assert ClientHello.decode(with_session).cookie == b"cookie"


@pytest.mark.parametrize("body", [b"", b"\xfe\xff", b"\xfe\xff\2a", b"\xfe\xff\1ab"])
def test_verify_requests_without_their_cookie(body) -> None:
    with pytest.raises(DtlsError):
        cookie_of(body)


def test_a_cookie_that_is_too_long() -> None:
    assert len(hello_verify_request(bytes(255))) == 258
    with pytest.raises(DtlsError, match="256 octets"):
        hello_verify_request(bytes(256))


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_any_octets_are_read_or_refused(octets) -> None:
    assert isinstance(handshakes(b"\x16" + octets), list)
    try:
        found = records(octets)
    except DtlsError:
        return
    assert b"".join(record.encode() for record in found) == octets
