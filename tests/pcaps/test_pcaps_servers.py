"""Connections to STUN and TURN servers: messages without frames, and frames where a data connection begins."""

from __future__ import annotations

import pytest

from conformance.wire import attributes as attr
from conformance.wire import layers
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import Message, MessageClass, Method, build
from conformance.wire.tcp import ACK, SYN
from pcaps.ladder import render
from pcaps.packets import RAW_IP, Segment
from pcaps.packets import build as packet
from pcaps.pcapng import Packet
from pcaps.reading import read_packets
from pcaps.tshark import View, compare, own_view

CLIENT, SERVER = Address("127.0.0.1", 40000), Address("127.16.0.1", 3478)
START = 1_700_000_000_000_000_000


def message(method, cls=MessageClass.REQUEST, number=1, *attributes):
    return build(method, cls, bytes([number]) * 12, attributes)


def capture(*said, server=SERVER):
    """Return the connection on which client (True) and server said these octets, a segment each."""
    numbers = {True: 1000, False: 5000}
    segments = [Segment(CLIENT, server, 999, 0, SYN, b""), Segment(server, CLIENT, 4999, 1000, SYN | ACK, b"")]
    for from_client, octets in said:
        ends = (CLIENT, server) if from_client else (server, CLIENT)
        segments.append(Segment(*ends, numbers[from_client], 0, ACK, octets))
        numbers[from_client] += len(octets)
    packets = [Packet(START + i * 1000, packet(s), RAW_IP) for i, s in enumerate(segments)]
    (connection,) = read_packets(packets).connections
    return connection


def said_on(connection):
    return [event for event in connection.events if event.what in ("frame", "unframed")]


CHECK = bytes(
    layers.binding_request(username="a:b", password="p" * 22, priority=1, controlling=1, transaction_id=b"\7" * 12)
)


def test_messages_without_frames() -> None:
    request = message(Method.ALLOCATE, MessageClass.REQUEST, 1, attr.requested_transport(6))
    answer = message(Method.ALLOCATE, MessageClass.SUCCESS, 1)
    connection = capture((True, request[:5]), (True, request[5:]), (False, answer + answer))
    messages = said_on(connection)
    assert [event.message for event in messages] == [Message.decode(m) for m in (request, answer, answer)]
    assert [(event.what, event.segments, event.order) for event in messages] == [
        ("unframed", 2, 0),
        ("unframed", 1, 0),
        ("unframed", 1, 1),
    ]
    assert "Allocate request 01010101" in render([connection])


@pytest.mark.parametrize("together", [True, False])
def test_frames_begin_behind_a_joined_data_connection(together) -> None:
    bind = message(Method.CONNECTION_BIND, MessageClass.REQUEST, 1, attr.connection_id(77))
    joined = message(Method.CONNECTION_BIND, MessageClass.SUCCESS)
    said = [(False, joined + frame(CHECK))] if together else [(False, joined), (False, frame(CHECK))]
    connection = capture((True, bind), *said, (True, frame(b"\x80data") + frame(b"")))
    assert [(event.what, event.payload) for event in said_on(connection)] == [
        ("unframed", bind),
        ("unframed", joined),
        ("frame", CHECK),
        ("frame", b"\x80data"),
        ("frame", b""),
    ]


def test_an_error_response_joins_nothing() -> None:
    refused = message(Method.CONNECTION_BIND, MessageClass.ERROR, 1, attr.error_code(400))
    connection = capture((True, message(Method.CONNECTION_BIND)), (False, refused + message(Method.BINDING)))
    assert [event.message is not None for event in said_on(connection)] == [True, True, True]


def test_frames_are_frames_at_any_port() -> None:
    connection = capture((True, frame(CHECK)), (False, frame(b"")))
    assert [event.payload for event in said_on(connection)] == [CHECK, b""]
    assert [event.what for event in said_on(connection)] == ["frame", "frame"]


def test_the_witnesses_are_not_compared_where_one_cannot_know() -> None:
    own = own_view([capture((True, message(Method.BINDING)))])
    assert own.messages == {}
    assert own.unsure == {(CLIENT, SERVER)}
    assert compare(own, View({(CLIENT, SERVER): [(0x0001, "aa" * 12)]})) == []
    assert compare(own, View({(SERVER, CLIENT): [(0x0001, "aa" * 12)]}))


def test_too_few_octets_for_a_message_are_a_tiny_frame() -> None:
    """The type of a Binding request may be a LENGTH as well: what follows tells, or that nothing does."""
    connection = capture((True, b"\0\1"), (True, b"\0"))
    assert [(event.what, event.payload) for event in said_on(connection)] == [("frame", b"\0")]
    connection = capture((True, b"\0\1\0"), (False, frame(CHECK)), (True, frame(CHECK)))
    assert [event.payload for event in said_on(connection)] == [CHECK, b"\0", CHECK]


def test_up_to_where_frames_are_certain_the_witnesses_are_compared() -> None:
    own = own_view([capture((True, frame(CHECK)), (True, message(Method.BINDING)), (True, frame(CHECK)))])
    first = (0x0001, "07" * 12)
    assert own.messages == {(CLIENT, SERVER): [first]}
    assert compare(own, View({(CLIENT, SERVER): [first, (0x0101, "aa" * 12)]})) == []
    assert compare(own, View({(CLIENT, SERVER): [(0x0101, "aa" * 12)]}))
    assert compare(own, View())


def test_nothing_else_is_compared_without_a_witness() -> None:
    assert compare(View(), View({(CLIENT, SERVER): [(0x0001, "aa" * 12)]}))
