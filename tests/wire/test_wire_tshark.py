"""The third witness: tshark reads what Scapy wrote, however it was cut, and agrees with the codec."""

from __future__ import annotations

import subprocess

from conformance.wire import layers
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from pcaps.capture import SyntheticCapture

US, THEM = Address("127.16.0.1", 40000), Address("127.0.0.1", 9999)
FIELDS = [
    "tcp.stream",
    "rtp.rfc4571.len",
    "stun.type",
    "stun.id",
    "stun.att.crc32.status",
    "stun.att.username",
    "stun.att.error",
]


def request(number: int) -> bytes:
    packet = layers.binding_request(
        username=f"a:{number}", password="p" * 22, priority=7, controlling=1, transaction_id=bytes([number]) * 12
    )
    return bytes(layers.RFC4571() / packet)


def test_tshark_agrees(tmp_path) -> None:
    path = tmp_path / "scapy.pcapng"
    capture = SyntheticCapture(path, "what Scapy wrote")
    key = (US, THEM)
    time = 1_700_000_000_000_000_000
    capture.opened(US, THEM, True, time)
    capture.sent(key, request(1)[:1], time)
    capture.sent(key, request(1)[1:] + frame(b"") + request(2), time)
    for octet in request(3):
        capture.sent(key, bytes([octet]), time)
    wrong = layers.STUN(transaction_id=b"\4" * 12, attributes=[layers.Fingerprint(value=b"nope")])
    capture.sent(key, bytes(layers.RFC4571() / wrong), time)
    capture.received(key, bytes(layers.RFC4571() / layers.binding_error(b"\1" * 12, 401, "no", None)), time)
    capture.close()
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-d", "tcp.port==1-65535,rtp", "-o", "rtp.version0_type:STUN packets",
         "-T", "fields", *[word for field in FIELDS for word in ("-e", field)], "-Y", "stun"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[1] for row in rows] == ["80,0,80", "80", "28", "40"]
    assert [row[2] for row in rows] == ["0x0001,0x0001", "0x0001", "0x0001", "0x0111"]
    assert [row[3] for row in rows] == [f"{'01' * 12},{'02' * 12}", "03" * 12, "04" * 12, "01" * 12]
    assert [row[4] for row in rows] == ["1,1", "1", "0", "1"]
    assert rows[0][5] == "a:1,a:2"
