"""Every message of the IUT's, and what is right of its octets in one respect (RFC 8489 sections 5 and 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.peer.events import AnyResponse, BindingRequest, BindingSuccess, Frame
from conformance.suites.checks import await_success
from conformance.suites.driving import drive
from conformance.suites.establishing import open_connections
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing, NotApplicable
from conformance.wire.attributes import Attribute, RawAttribute, decode_address, decode_xor_address
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, short_term_key
from conformance.wire.layers import RFC4571, STUN, MessageIntegritySha256, RawStunAttribute
from conformance.wire.stun import Message, MessageClass, Method, unpack_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from scapy.packet import Packet

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.connection import Connection
    from conformance.peer.servers import Server
    from conformance.peer.tester import Peer
    from conformance.wire.attributes import Address

_DOZENS = 24
_HEADER = 20
_IPV4_VALUE = 8  # octets of XOR-MAPPED-ADDRESS for IPv4
_ENOUGH = 3  # transaction ids that are compared
_COOKIE = bytes.fromhex("2112a442")
_BINDINGS = {bytes.fromhex(kind) for kind in ("0001", "0011", "0101", "0111")}
_DTLS, _RTP = range(20, 64), range(128, 192)  # first octets (RFC 7983 section 7)
_STRANGE = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
_REFUSED: tuple[dict[str, Any], ...] = ({"password": "wrong" * 5}, {"password": None}, {"attributes": [_STRANGE]})
_UNKNOWN_ATTRIBUTE = b"\4\x14"  # 420, as ERROR-CODE has it
_LONGEST_TEXT = 128  # characters of reasons, SOFTWARE, REALM and NONCE (RFC 8489 sections 14.8 to 14.14)
_LONGEST_NAME = 513  # RFC 5389 section 15.3: what RFC 8489 allows is less, but two fragments may come to this


def converse(upper: Upper, peer: Peer, side: str, opener: str) -> Description:
    """Have the IUT send what it sends to a peer: refusals, successes, checks and a nomination. Judge nothing.

    `opener` opens the connections, "tester" or "IUT".
    """
    iut, connections = open_connections(upper, peer, side, opener)
    for connection in connections:
        refuse_all(peer, iut, connection)
    drive(peer, iut, connections)
    return iut


def refuse_all(peer: Peer, iut: Description, connection: Connection) -> None:
    """Send requests that are refused each with another code, and wait for an answer to each."""
    for wrong in _REFUSED:
        before = len(connection.octets)
        connection.send(RFC4571() / peer.check(iut, component=connection.component, **wrong))
        peer.wait_until(lambda before=before: len(connection.octets) > before, peer.pixit.response)  # type: ignore[misc]


def sent(peer: Peer) -> Iterator[bytes]:
    """Yield the octets of each frame of the IUT's that can hold nothing but STUN: data begin with other octets.

    The first frame of a connection is STUN whatever it begins with.
    """
    for connection in peer.connections:
        frames = (event for event in connection.events if isinstance(event, Frame) and event.octets)
        for number, one in enumerate(frames):
            if not number or (one.octets[0] not in _DTLS and one.octets[0] not in _RTP):
                yield one.octets


# -- what is right; None: the message has nothing that could be right or wrong ----------------------------------------


def _has_a_bounded_walk(octets: bytes) -> bool:
    return _decoded(octets) is not None or _is_packed(octets)


def _is_packed(octets: bytes) -> bool:
    """Whether attributes follow each other without padding, up to the end."""
    position = _HEADER
    while position + 4 <= len(octets):
        position += 4 + int.from_bytes(octets[position + 2 : position + 4], "big")
    return position == len(octets)


def _decoded(octets: bytes) -> Message | None:
    """Return a message as far as its attributes can be told from each other, whatever its header says."""
    head = bytes(2) + (len(octets) - _HEADER).to_bytes(2, "big")
    try:
        kind = unpack_type(int.from_bytes(octets[:2], "big") & 0x3FFF)[1]
        message = Message.decode(head + octets[4:])
    except StunError:
        return None
    return Message(message.method, kind, message.transaction_id, message.attributes)


def _counts_no_padding(octets: bytes) -> bool | None:
    message = _decoded(octets)
    kinds = (Attribute.ERROR_CODE, Attribute.UNKNOWN_ATTRIBUTES, Attribute.USERNAME)
    found = [a for kind in kinds for a in (message.all(kind) if message else [])]
    # Of ERROR-CODE the reason phrase: without one, the number of 400 or 500 is the last octet.
    texts = [a.value[4:] if a.type == Attribute.ERROR_CODE else a.value for a in found]
    return all(not text.endswith(b"\0") for text in texts) if found else None


def _of(kind: Attribute, right: Callable[[bytes], bool]) -> Callable[[bytes], bool | None]:
    """Return what judges the value of an attribute where there is one."""

    def judge(octets: bytes) -> bool | None:
        message = _decoded(octets)
        found = message.first(kind) if message is not None else None
        return None if found is None else right(found.value)

    return judge


def _has_unknown_attributes_in_a_420(octets: bytes) -> bool | None:
    """None for what is no error response and has none, and where its code cannot be told, which other cases judge."""
    message = _decoded(octets)
    if message is None:
        return None
    if not message.has(Attribute.UNKNOWN_ATTRIBUTES):
        return True if message.is_error else None
    found = message.first(Attribute.ERROR_CODE)
    if not message.is_error:
        return False
    return None if found is None or len(found.value) < 4 else found.value[2:4] == _UNKNOWN_ATTRIBUTE


def _is_text(value: bytes, limit: int) -> bool:
    try:
        return len(value.decode()) < limit
    except UnicodeDecodeError:
        return False


def _ends_with_fingerprint(octets: bytes) -> bool | None:
    message = _decoded(octets)
    if message is None or not message.has(Attribute.FINGERPRINT):
        return None
    return message.attributes[-1].type == Attribute.FINGERPRINT


def _holds_others(octets: bytes) -> bool:
    """Whether a frame holds two messages, or a message without a frame was read as one: other cases judge that."""
    end = _HEADER + int.from_bytes(octets[2:4], "big")
    return octets[2:6] == _COOKIE or octets[end + 4 : end + 8] == _COOKIE


RESPECTS: dict[str, Callable[[bytes], bool | None]] = {
    "two bits that are zero first": lambda octets: octets[0] < 0x40,
    "the magic cookie": lambda octets: octets[4:8] == _COOKIE,
    "the number of octets behind the header as its length": lambda octets: (
        None if _holds_others(octets) else int.from_bytes(octets[2:4], "big") == len(octets) - _HEADER
    ),
    "a length that is a multiple of 4": lambda octets: not (octets[3] | len(octets)) & 3,
    "the type of a Binding request, indication or response": lambda octets: octets[:2] in _BINDINGS,
    "attributes of type, length and value up to its end": _has_a_bounded_walk,
    "attributes that each end on a boundary of 32 bits": lambda octets: (
        _decoded(octets) is not None or not _is_packed(octets)
    ),
    "lengths of attributes without their padding": _counts_no_padding,
    "USERNAME of UTF-8 in at most 513 octets": _of(
        Attribute.USERNAME, lambda value: _is_text(value, _LONGEST_NAME + 1)
    ),
    "SOFTWARE of UTF-8 in less than 128 characters": _of(
        Attribute.SOFTWARE, lambda value: _is_text(value, _LONGEST_TEXT)
    ),
    "a reason of UTF-8 in less than 128 characters": _of(
        Attribute.ERROR_CODE, lambda value: _is_text(value[4:], _LONGEST_TEXT)
    ),
    "zeros before the class of ERROR-CODE": _of(
        Attribute.ERROR_CODE, lambda value: not any(value[:2]) and not value[2] & 0xF8
    ),
    "an error class from 3 to 6": _of(Attribute.ERROR_CODE, lambda value: 3 <= value[2] & 7 <= 6),
    "an error number from 0 to 99": _of(Attribute.ERROR_CODE, lambda value: value[3] <= 99),
    "a 420 around UNKNOWN-ATTRIBUTES": _has_unknown_attributes_in_a_420,
    "a mapped address whose first octet is zero": _of(Attribute.XOR_MAPPED_ADDRESS, lambda value: not value[0]),
    "a mapped address of family 1 with 4 octets or 2 with 16": _of(
        Attribute.XOR_MAPPED_ADDRESS, lambda value: (value[1], len(value)) in ((1, 8), (2, 20))
    ),
    "FINGERPRINT as its last attribute": _ends_with_fingerprint,
}


def flaws(peer: Peer, respect: str) -> list[str]:
    """Return, in words, which of the IUT's messages are not right in one respect, a key of `RESPECTS`.

    Inconclusive if it sent none; n/a if none of them has the attribute that the respect is about.
    """
    octets = [one for one in sent(peer) if len(one) >= _HEADER]
    if not octets:
        raise Inconclusive("the IUT sent no message")
    found = [(one, RESPECTS[respect](one)) for one in octets]
    if all(right is None for _, right in found):
        raise NotApplicable(f"none of its {len(found)} messages could have {respect}")
    return [f"a message without {respect}: {one.hex(' ')[:120]}" for one, right in found if right is False]


# -- messages that are protected otherwise -----------------------------------------------------------------------------


def behind_integrity(request: Packet, *attributes: Packet) -> Packet:
    """Return a message with these attributes between MESSAGE-INTEGRITY and FINGERPRINT."""
    request.attributes = [*request.attributes[:-1], *attributes, request.attributes[-1]]
    return request


def by_sha256(message: Packet, password: str, *, beside: bool = False) -> Packet:
    """Return a message with MESSAGE-INTEGRITY-SHA256 in the place of MESSAGE-INTEGRITY, or `beside` it."""
    *body, integrity, fingerprint = message.attributes
    sha256 = MessageIntegritySha256(key=short_term_key(password))
    message.attributes = [*body, *([integrity] if beside else []), sha256, fingerprint]
    return message


def as_indication(request: Packet) -> Packet:
    """Return the Binding indication with a request's attributes."""
    return STUN(
        message_class=int(MessageClass.INDICATION),
        transaction_id=request.transaction_id,
        attributes=request.attributes,
    )


def sha256_of(message: Message) -> RawAttribute:
    """Return MESSAGE-INTEGRITY-SHA256; n/a where there is none, as of an agent that knows RFC 5389 alone."""
    found = message.first(Attribute.MESSAGE_INTEGRITY_SHA256)
    if found is None:
        raise NotApplicable("the IUT's response has no MESSAGE-INTEGRITY-SHA256")
    return found


def needs_all_octets(message: Message) -> None:
    """Raise `JudgedElsewhere` for a message whose MESSAGE-INTEGRITY-SHA256 is truncated."""
    if len(sha256_of(message).value) != 32:
        raise JudgedElsewhere("it is truncated", case="RFC8489-14.6/message_integrity_sha256_is_not_truncated")


def unprotected(frames: Iterable[Frame], password: str) -> list[str]:
    """Return, in words, whose MESSAGE-INTEGRITY is there and wrong under a password; n/a if there is none at all."""
    found = [(one, check_integrity(one.octets, short_term_key(password))) for one in frames]
    if all(check is Check.ABSENT for _, check in found):
        raise NotApplicable("none of these messages has MESSAGE-INTEGRITY")
    return [f"{one} has a wrong MESSAGE-INTEGRITY" for one, check in found if check is Check.INVALID]


def identifiers(peer: Peer) -> set[bytes]:
    """Return the transaction ids of our requests so far."""
    return {identifier for connection in peer.connections for identifier in connection.asked}


def asked(peer: Peer) -> list[Frame]:
    """Return the IUT's requests so far."""
    return [one for one in _messages(peer) if one.stun.is_request]


def answers(peer: Peer) -> list[Frame]:
    """Return the IUT's responses so far."""
    return [one for one in _messages(peer) if one.solicited]


def _messages(peer: Peer) -> Iterator[Frame]:
    for connection in peer.connections:
        yield from (event for event in connection.events if isinstance(event, Frame) and event.message is not None)


def unasked(connection: Connection) -> list[Frame]:
    """Return the messages on a connection, on which we have asked nothing, that are no requests or indications."""
    frames = [event for event in connection.events if isinstance(event, Frame) and event.message is not None]
    if not frames:
        raise Inconclusive(f"the IUT sent no message on {connection}")
    return [
        one
        for one in frames
        if not (one.stun.is_request or one.stun.is_indication) or one.stun.method != Method.BINDING
    ]


def alike(identifiers: Iterable[bytes]) -> int:
    """Return how many octets are the same in all of these transaction ids; n/a for fewer than three of them."""
    found = list(dict.fromkeys(identifiers))
    if len(found) < _ENOUGH:
        raise NotApplicable(f"{len(found)} transaction ids show nothing about how they are drawn")
    return sum(len(set(octets)) == 1 for octets in zip(*found, strict=True))


def responses_to(peer: Peer, connection: Connection, count: int) -> set[bytes]:
    """Wait for so many responses on a connection, whoever they are for; return their transaction ids."""

    def found() -> list[bytes]:
        frames = (event for event in connection.events if isinstance(event, Frame) and event.message is not None)
        return [one.stun.transaction_id for one in frames if one.stun.is_success or one.stun.is_error]

    if not peer.wait_until(lambda: len(found()) >= count, peer.pixit.response):
        raise Inconclusive(f"{len(found())} of {count} responses came on {connection}")
    return set(found())


def plainly_mapped(peer: Peer, iut: Description, connection: Connection) -> list[Address]:
    """Return what XOR-MAPPED-ADDRESS says to those who do not XOR, or only with the cookie where the id belongs too."""
    check = peer.check(iut)
    connection.send(RFC4571() / check)
    response = connection.await_frame(BindingSuccess(check.transaction_id), within=peer.pixit.response)
    mapped = response.stun.first(Attribute.XOR_MAPPED_ADDRESS)
    if mapped is None:
        raise Inconclusive("the response has no XOR-MAPPED-ADDRESS")
    readings = [decode_address(mapped)]
    if len(mapped.value) > _IPV4_VALUE:
        readings.append(decode_xor_address(mapped, bytes(len(check.transaction_id))))
    return readings


def answer_by_sha256(peer: Peer, iut: Description) -> Frame:
    """Return the response to a check whose only integrity is MESSAGE-INTEGRITY-SHA256 (preamble)."""
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / by_sha256(peer.check(iut), iut.pwd))
    return connection.await_frame(AnyResponse, within=peer.pixit.response)


def first_check(upper: Upper, peer: Peer, side: str = "offerer") -> tuple[Connection, Frame]:
    """Exchange descriptions and return the IUT's first check on a connection that it opens, which we do not answer."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    return connection, connection.await_frame(BindingRequest, within=peer.pixit.response)


def repeated_after_errors(peer: Peer, connection: Connection, code: int) -> int:
    """Answer each check on a connection by an error until no more come; return how many came after the first.

    They are counted until dozens have come, or none for so long that one each Ta would come to dozens.
    """

    def count() -> int:
        return sum(BindingRequest().fulfilled_by(event) for event in connection.events) - 1

    def answer(on: Connection, request: Frame) -> None:
        on.send_between(RFC4571() / peer.error(request, code, "Server Error"))

    for request in [event for event in connection.events if BindingRequest().fulfilled_by(event)]:
        if isinstance(request, Frame):
            answer(connection, request)
    connection.on_request = answer
    before = -1
    while before < count() <= _DOZENS:
        before = count()
        peer.watch(lambda: count() > _DOZENS, 2 * peer.pixit.retransmission)
    return count()


def expect_discarded(
    peer: Peer, iut: Description, connection: Connection, indication: Packet, *attributes: Packet
) -> None:
    """Send an indication, with further attributes, on a connection that has been checked; expect no answer to it."""
    indication.attributes = [*attributes, *indication.attributes]
    await_success(peer, iut, connection)
    connection.send(RFC4571() / indication)
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    connection.expect(BindingSuccess(request.transaction_id), within=peer.pixit.response)
    answers_to_it = connection.messages(transaction_id=indication.transaction_id)
    if answers_to_it:
        raise Failed(
            f"the indication was answered by {answers_to_it[0]}",
            expected="no response to an indication",
            actual=str(answers_to_it[0]),
        )


def ask_and_end(
    peer: Peer, iut: Description, connections: Sequence[Connection]
) -> list[tuple[Connection, list[Packet]]]:
    """Send five requests at once, the first with a wrong password, and FIN behind them on each connection."""
    asked = [
        (one, [peer.check(iut, password="wrong" * 5), *(peer.check(iut) for _ in range(4))]) for one in connections
    ]
    for connection, requests in asked:
        connection.send(b"".join(bytes(RFC4571() / request) for request in requests))
        connection.half_close()
    return asked


def expect_all_answered(asked: Sequence[tuple[Connection, Sequence[Packet]]], *, within: float) -> None:
    """Expect a response to each of these requests, although the connections may end behind them."""
    for connection, requests in asked:
        _expect_responses(connection, requests, within=within)


def _expect_responses(connection: Connection, requests: Sequence[Packet], *, within: float) -> None:
    for one in requests:
        if not connection.wait_for(AnyResponse(one.transaction_id), within=within):
            break  # the others had as much time
    missing = [one for one in requests if not connection.has(AnyResponse(one.transaction_id))]
    if missing:
        raise Missing(
            f"{len(missing)} of {len(requests)} requests were not answered on {connection}",
            expected="a response to each request before the connection ends",
            actual=str(connection.events[-1]) if connection.events else "nothing",
            wanted=AnyResponse(),
        )


def expect_beginning(server: Server, octets: bytes) -> None:
    """Expect that what the IUT says on each connection to a server begins like this."""
    begun = [connection for connection in server.connections if connection.octets]
    if not begun:
        raise Inconclusive("the IUT said nothing to the server")
    for connection in begun:
        if not connection.octets.startswith(octets):
            raise Failed(
                f"{connection} to the server begins with {connection.octets[:4].hex(' ')}",
                expected=f"{octets.hex(' ')}: a STUN message without a frame",
                actual=connection.octets[:4].hex(" "),
            )


def second_check(peer: Peer, iut: Description, connection: Connection, first: Frame) -> Frame:
    """Have the IUT send another check while its first one is unanswered, by a check of ours; n/a where it does not."""
    connection.send(RFC4571() / peer.check(iut))
    if not connection.wait_for(BindingRequest, within=peer.pixit.response):
        raise NotApplicable(f"the IUT has no other request on its way while {first} is unanswered")
    return connection.await_frame(BindingRequest, within=0)


def expect_goes_on(peer: Peer, connection: Connection) -> None:
    """Expect an answer to a check of ours: on this connection or, where the IUT has closed it, on a new one."""
    assert peer.iut is not None
    passive = [c for c in peer.iut.hosts("passive") if c.component == connection.component]
    on = connection if connection.is_open or not passive else peer.connect(passive[0])
    request = peer.check(peer.iut)
    on.send(RFC4571() / request)
    on.expect(AnyResponse(request.transaction_id), within=peer.pixit.response)
