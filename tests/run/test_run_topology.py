"""IUTs that leave loopback out are met on the lab's wire, and only they."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.iut.description import Description
from conformance.peer import lab
from conformance.run.topology import is_on_wire
from conformance.verdict import Verdict
from pcaps.packets import endpoints
from pcaps.pcapng import read_file
from reports.record import read

ADAPTER = Path(__file__).with_name("wire_adapter.py")
RETICENT = Path(__file__).with_name("reticent_adapter.py")
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 TCP/RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"


def described(*addresses: str, kind: str = "host") -> Description:
    lines = [f"a=candidate:1 1 TCP 5 {address} 5000 typ {kind} tcptype passive\r\n" for address in addresses]
    return Description("offer", HEAD + "".join(lines))


def test_what_an_iut_offers_tells_where_it_lives() -> None:
    assert is_on_wire(described("198.18.0.1"))
    assert is_on_wire(described("host.local", "10.9.8.7", "FD6D::0:1"))
    assert not is_on_wire(described("198.18.0.1", "127.0.0.1"))
    assert not is_on_wire(described("fd6d::1", "::1"))
    assert not is_on_wire(described("10.9.8.7", "host.local"))
    assert not is_on_wire(described("198.18.0.1", kind="srflx"))
    assert not is_on_wire(described())


@pytest.mark.skipif(lab.can_enter() is not None, reason="the kernel allows no network of one's own here")
@pytest.mark.parametrize("addresses", [["198.18.0.1"], ["198.18.0.1", "fd6d::1"]])
def test_an_iut_bound_to_the_wires_interface_is_judged_there(tmp_path, addresses) -> None:
    iut = f"exec:{shlex.join([sys.executable, str(ADAPTER), *addresses])}"
    command = [sys.executable, "-m", "conformance", "run", "--quick", "--iut", iut, "--out", str(tmp_path)]
    for section in ("RFC6544-7.2", "RFC6544-4.2", "RFC6544-8"):
        command += ["--section", section]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    _, results = read(tmp_path / "record.jsonl")
    passed = [result for result in results if result.verdict is Verdict.PASS]
    assert len(passed) > len(results) / 2
    for result in passed:
        if result.capture:
            packets = read_file(tmp_path / result.capture)
            ends = {end for packet in packets for end in endpoints(packet.link_type, packet.octets) or ()}
            assert not [end for end in ends if end.startswith("127.") or end == "::1"], result.case


@pytest.mark.skipif(lab.can_enter() is not None, reason="the kernel allows no network of one's own here")
def test_an_iut_that_leaves_the_ipv6_loopback_out_is_met_at_another_address(tmp_path) -> None:
    iut = f"exec:{shlex.join([sys.executable, str(RETICENT), '--without', '::1'])}"
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(tmp_path)]
    for case in ("RFC6544-7.2/response_is_framed", "RFC6544-5/candidates_of_both_families"):
        command += ["--case", case]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "told to use ::1, it has no IPv6 candidate; it is at fd6d::1" in done.stdout
    _, results = read(tmp_path / "record.jsonl")
    ours = [result for result in results if "/judge_" not in result.case]
    assert {result.verdict for result in ours} == {Verdict.PASS}
    assert [result for result in ours if "IPv6" in result.case and "response_is_framed" in result.case]


@pytest.mark.parametrize("link", ["lab", "sockets"])
def test_an_iut_on_loopback_is_met_there(tmp_path, link) -> None:
    command = [sys.executable, "-m", "conformance", "run", "--quick", "--out", str(tmp_path), "--link", link]
    done = subprocess.run(
        [*command, "--section", "RFC6544-3"], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    captures = [path.read_bytes() for path in (tmp_path / "captures").glob("*.pcapng")]
    assert captures
    assert any(bytes([127, 16]) in octets for octets in captures)


def test_cases_on_a_shared_address_wait_for_port_9(tmp_path) -> None:
    """Outside the lab all cases share ::1: what each listens at there is free again when the case before has ended."""
    command = [sys.executable, "-m", "conformance", "run", "--out", str(tmp_path), "--link", "sockets"]
    done = subprocess.run([*command, "-k", "port_9"], capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    _, results = read(tmp_path / "record.jsonl")
    assert len([result for result in results if "IPv6" in result.case]) > 1
    assert not [result.case for result in results if "in use" in result.reason]
