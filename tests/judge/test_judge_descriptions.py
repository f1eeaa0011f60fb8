"""Descriptions of the field: accepted, refused with the place, or breaking a rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged import OFFER, Judged, whole_call

from conformance.wire.errors import SdpError
from conformance.wire.sdp import SessionDescription
from pcaps.golden.scene import Scene

HOST = "a=candidate:1 1 TCP 2128609279 192.0.2.1 9 typ host tcptype active"
PASSIVE = "a=candidate:2 1 TCP 2124414975 192.0.2.1 7000 typ host tcptype passive"
HEAD = OFFER.replace(next(line for line in OFFER.splitlines() if "candidate" in line) + "\r\n", "")
LONG = (
    f"a=candidate:{'aB3+/' * 6}xy 1 TCP 1688206335 2001:db8:ffff:ffff:ffff:ffff:ffff:fff1 9 typ srflx raddr "
    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff2 rport 65535 tcptype active generation 4294967295 network-id 4294967295"
)
DISABLED = "m=video 0 TCP/RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=ice-ufrag:gone1\r\na=ice-pwd:" + "gone" * 6
LYNC = "a=candidate:1 1 TCP-ACT 2020000255 192.0.2.1 50006 typ host \r\na=candidate:2 1 TCP-PASS 2010000255 192.0.2.1 50006 typ host "


def offer(*lines: str) -> str:
    return HEAD + "".join(f"{line}\r\n" for line in lines)


ACCEPTED = {
    "as usual": offer(HOST),
    "link-local": offer(HOST, "a=candidate:2 1 TCP 2128609023 fe80::5054:ff:fe12:3456 9 typ host tcptype active"),
    "other transport": offer(HOST, "a=candidate:4 1 ssltcp 1500000511 198.51.100.7 443 typ host generation 0"),
    "Lync's transports": offer(LYNC, LYNC),
    "transport unknown, with a name": offer(HOST, "a=candidate:5 1 WS 1 host.example 443 typ host"),
    "LF and trailing blanks": offer(HOST + "  ", PASSIVE + " ").replace("\r\n", "\n"),
    "trailing blank behind the formats": offer(HOST).replace("AVP 0\r\n", "AVP 0 \r\n"),
    "long candidate": offer(HOST, LONG),
    "section disabled": offer(HOST, DISABLED),
    "disabled, with a candidate of no tcptype": offer(HOST, DISABLED, "a=candidate:1 1 TCP 1 h.local 7 typ host"),
    "Latin-1": offer(HOST).replace("s=-", "s=T\xe9l\xe9phone\r\na=charset:ISO-8859-1").encode("latin-1"),
}
REFUSED = {
    "zone": (offer(HOST, "a=candidate:2 1 TCP 1 fe80::1%eth0 9 typ host tcptype active"), "has a zone"),
    "zone by number": (offer(HOST, "a=candidate:2 1 TCP 1 fe80::1%12 9 typ host tcptype active"), "has a zone"),
    "zone in c=": (offer(HOST).replace("c=IN IP4 192.0.2.1", "c=IN IP6 fe80::1%eth0"), "with a zone"),
    "blank line": (offer(HOST).replace("m=audio", "\r\nm=audio"), "line 5, column 1"),
    "doubled prefix": (offer("a=candidate: candidate:1" + HOST[13:]), "line 9, column 3"),
    "doubled prefix without a blank": (offer("a=candidate:candidate:1" + HOST[13:]), "line 9"),
    "doubled a=": (offer(f"a={HOST}"), "line 9, column 1"),
    "blank before the name": (offer("a= " + HOST[2:]), "line 9, column 1"),
    "no ports": (offer(HOST).replace("m=audio 7000 ", "m=audio 7000/0 "), "line 5, column 3"),
    "no ports, in two digits": (offer(HOST).replace("m=audio 7000 ", "m=audio 7000/00 "), "line 5, column 3"),
    "not UTF-8": (offer(HOST).replace("s=-", "s=\xe9").encode("latin-1"), "it is not UTF-8 text"),
}
FAILED = {
    "tcptype unknown": (offer("a=candidate:1 1 TCP 2128609279 192.0.2.1 9 typ host tcptype unknown"), "RFC6544-4.5"),
    "no tcptype": (offer("a=candidate:1 1 tcp 2128609279 192.0.2.1 0 typ host generation 0"), "RFC6544-4.5"),
    "name": (offer("a=candidate:7 1 tcp 2128609279 5b0c9e8d.local 9 typ host tcptype active"), "RFC8839-5.1"),
    "name over UDP": (offer(HOST, "a=candidate:7 1 UDP 2130706431 host.example 9 typ host"), "RFC8839-5.1"),
    "session level": (offer(HOST).replace("m=audio", f"{PASSIVE}\r\nm=audio"), "RFC8839-5.1"),
}


def of_description(folder: Path, description: str | bytes) -> Judged:
    scene = Scene("field")
    whole_call(scene)
    return Judged(folder, scene.octets, description)


@pytest.mark.parametrize("name", ACCEPTED)
def test_descriptions_that_are_accepted(tmp_path, name) -> None:
    found = of_description(tmp_path, ACCEPTED[name])
    assert found.exit == 0, found.text
    assert found.blamed() == set()
    assert "gone1" not in found.text


@pytest.mark.parametrize("name", REFUSED)
def test_descriptions_that_are_refused_with_the_place(tmp_path, name) -> None:
    description, words = REFUSED[name]
    found = of_description(tmp_path, description)
    assert found.exit == 2
    assert words in found.text
    with pytest.raises(SdpError):
        SessionDescription.parse(description)


@pytest.mark.parametrize("name", FAILED)
def test_descriptions_that_break_a_rule(tmp_path, name) -> None:
    description, section = FAILED[name]
    found = of_description(tmp_path, description)
    assert found.exit == 1, found.text
    assert section in {section for _, section in found.blamed()}
    assert "offer: " in found.text
