"""NAT-PMP and PCP messages: octet for octet as the RFCs draw them, read as written, and as tshark reads them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.wire import natpmp, pcp
from conformance.wire.attributes import Address
from conformance.wire.errors import PortMappingError
from pcaps.capture import SyntheticCapture

HOST, GATEWAY = Address("192.0.2.5", 40000), Address("192.0.2.1", 5351)
NONCE = bytes(range(12))
PORTS, SECONDS = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
V4, V6 = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).filter(lambda ip: ip.ipv4_mapped is None).map(str)

# -- as the RFCs draw them -----------------------------------------------------------------------------------------

NATPMP_REQUESTS = [
    (natpmp.AddressRequest(), "0000"),
    (natpmp.MapRequest(natpmp.Opcode.MAP_TCP, 0x1234, 0x5678, 7200), "0002 0000 1234 5678 00001c20"),
    (natpmp.MapRequest(natpmp.Opcode.MAP_UDP, 9, lifetime=0, reserved=7), "0001 0007 0009 0000 00000000"),
]
NATPMP_RESPONSES = [
    (natpmp.AddressResponse(0, 5, "203.0.113.9"), "0080 0000 00000005 cb007109"),
    (natpmp.MapResponse(natpmp.Opcode.MAP_TCP, 0, 5, 1, 2, 3), "0082 0000 00000005 0001 0002 00000003"),
    (natpmp.MapResponse(natpmp.Opcode.MAP_UDP, 4, 5, 1, 0, 0), "0081 0004 00000005 0001 0000 00000000"),
    (natpmp.Refusal(1, natpmp.Result.UNSUPPORTED_VERSION, 5), "0081 0001 00000005"),
]
PCP_MAP = pcp.Map(NONCE, 0x1234, Address("203.0.113.9", 0x5678))
PCP_MAP_OCTETS = NONCE.hex() + "06 000000 1234 5678" + "00" * 10 + "ffff cb007109"
CLIENT = "00" * 10 + "ffff c0000205"


@pytest.mark.parametrize(("message", "octets"), NATPMP_REQUESTS, ids=lambda value: type(value).__name__)
def test_natpmp_requests(message, octets) -> None:
    assert message.encode() == bytes.fromhex(octets)
    assert natpmp.decode_request(message.encode()) == message


@pytest.mark.parametrize(("message", "octets"), NATPMP_RESPONSES, ids=lambda value: type(value).__name__)
def test_natpmp_responses(message, octets) -> None:
    assert message.encode() == bytes.fromhex(octets)
    assert natpmp.decode_response(message.encode()) == message


def test_pcp_map() -> None:
    request = pcp.Request(pcp.Opcode.MAP, 7200, "192.0.2.5", PCP_MAP.encode())
    assert request.encode() == bytes.fromhex("0201 0000 00001c20" + CLIENT + PCP_MAP_OCTETS)
    assert pcp.decode_request(request.encode()) == request
    response = pcp.Response(pcp.Opcode.MAP, pcp.Result.NO_RESOURCES, 30, 5, PCP_MAP.encode())
    assert response.encode() == bytes.fromhex("0281 0008 0000001e 00000005" + "00" * 12 + PCP_MAP_OCTETS)
    assert pcp.decode_response(response.encode()) == response
    assert pcp.decode_map(response.data) == PCP_MAP


def test_pcp_says_its_own_version_when_it_refuses_another() -> None:
    refusal = pcp.Response(pcp.Opcode.MAP, pcp.Result.UNSUPP_VERSION, 0, 5, version=1)
    assert pcp.decode_response(refusal.encode()) == refusal


def test_pcp_options() -> None:
    data = PCP_MAP.encode() + bytes.fromhex("02 00 0000  80 00 0005 0102030405 000000")
    assert list(pcp.options(data)) == [(2, b""), (pcp.OPTIONAL, b"\1\2\3\4\5")]
    assert list(pcp.options(PCP_MAP.encode())) == []


# -- read as written -----------------------------------------------------------------------------------------------


@given(st.sampled_from([1, 2]), PORTS, PORTS, SECONDS, PORTS)
def test_natpmp_requests_read_as_written(opcode, internal, external, lifetime, reserved) -> None:
    message = natpmp.MapRequest(opcode, internal, external, lifetime, reserved)
    assert natpmp.decode_request(message.encode()) == message


@given(st.one_of(V4, V6), st.one_of(V4, V6), PORTS, PORTS, SECONDS, st.binary(min_size=12, max_size=12))
def test_pcp_reads_as_written(client, external, internal, port, lifetime, nonce) -> None:
    mapping = pcp.Map(nonce, internal, Address(external, port), protocol=17, reserved=b"\1\2\3")
    request = pcp.Request(pcp.Opcode.MAP, lifetime, client, mapping.encode(), reserved=9)
    back = pcp.decode_request(request.encode())
    assert (back, pcp.decode_map(back.data)) == (request, mapping)


@given(st.binary(max_size=80))
def test_whatever_comes_is_read_or_refused_and_never_changed(octets) -> None:
    for decode in (natpmp.decode_request, natpmp.decode_response, pcp.decode_request, pcp.decode_response):
        try:
            message = decode(octets)
        except PortMappingError:
            continue
        assert message.encode() == octets


# -- what is no message --------------------------------------------------------------------------------------------

WRONG = [
    (natpmp.decode_request, "00", "1 octets"),
    (natpmp.decode_request, "0200", "version 2"),
    (natpmp.decode_request, "0003", "opcode 3"),
    (natpmp.decode_request, "0080", "opcode 128"),
    (natpmp.decode_request, "000000", "3 octets, not 2"),
    (natpmp.decode_request, "0002 0000", "4 octets, not 12"),
    (natpmp.decode_response, "0000", "opcode 0"),
    (natpmp.decode_response, "0080 0000", "4 octets, not 12"),
    (natpmp.decode_response, "0082 0000 00000005 0001", "10 octets, not 16"),
    (natpmp.decode_response, "0085 0000 00000005 0001", "opcode 133"),
    (pcp.decode_request, "0201", "2 octets"),
    (pcp.decode_request, "0201" + "00" * 23, "25 octets"),
    (pcp.decode_request, "0201" + "00" * 1102, "1104 octets"),
    (pcp.decode_request, "0101" + "00" * 22, "version 1"),
    (pcp.decode_request, "0281" + "00" * 22, "R bit"),
    (pcp.decode_response, "0201" + "00" * 22, "R bit"),
    (pcp.decode_response, "0181" + "00" * 22, "version 1"),
    (pcp.decode_map, "00" * 35, "35 octets of 36"),
    (lambda data: list(pcp.options(data)), "00" * 36 + "0200", "ends in its header"),
    (lambda data: list(pcp.options(data)), "00" * 36 + "02000005 01020304", "reaches beyond"),
]


@pytest.mark.parametrize(("decode", "octets", "what"), WRONG)
def test_what_is_no_message_is_refused_with_its_clause(decode, octets, what) -> None:
    with pytest.raises(PortMappingError, match=what) as refusal:
        decode(bytes.fromhex(octets))
    assert refusal.value.clause.startswith("RFC 688")


# -- the third witness ---------------------------------------------------------------------------------------------

FIELDS = [
    "nat-pmp.opcode",
    "nat-pmp.result_code",
    "nat-pmp.external_ip",
    "nat-pmp.internal_port",
    "nat-pmp.external_port",
    "portcontrol.opcode",
    "portcontrol.result_code",
    "portcontrol.map.nonce",
    "portcontrol.map.internal_port",
    "portcontrol.map.rsp_assigned_external_port",
]


def test_tshark_agrees(tmp_path) -> None:
    path = tmp_path / "mappings.pcapng"
    capture = SyntheticCapture(path, "what the codec wrote")
    sent = [natpmp.MapRequest(natpmp.Opcode.MAP_TCP, 4660)]
    heard = [
        natpmp.AddressResponse(0, 5, "203.0.113.9"),
        natpmp.MapResponse(natpmp.Opcode.MAP_TCP, 0, 5, 4660, 22136, 7200),
        pcp.Response(pcp.Opcode.MAP, pcp.Result.NO_RESOURCES, 30, 5, PCP_MAP.encode()),
    ]
    time = 1_700_000_000_000_000_000
    capture.datagram(HOST, GATEWAY, sent[0].encode(), time)
    for message in heard:
        capture.datagram(GATEWAY, HOST, message.encode(), time)
    capture.close()
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-T", "fields", *[word for field in FIELDS for word in ("-e", field)]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[:5] for row in rows[:3]] == [
        ["2", "", "", "4660", "0"],
        ["128", "0", "203.0.113.9", "", ""],
        ["130", "0", "", "4660", "22136"],
    ]
    assert rows[3][5:] == ["1", "8", NONCE.hex(), "4660", "22136"]
