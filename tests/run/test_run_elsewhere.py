"""IUTs on another machine: their addresses are their own, and the tester is where its routes lead."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import types
from pathlib import Path

import pytest
from other_machine import HERE, THERE

from conformance.iut import stacks
from conformance.iut.description import Description
from conformance.iut.stacks import Stack, StackError
from conformance.iut.stacks.build import built
from conformance.peer import lab
from conformance.run import elsewhere, topology
from conformance.run.elsewhere import Elsewhere
from conformance.verdict import NotApplicable, Verdict
from pcaps.packets import endpoints
from pcaps.pcapng import read_file
from reports.record import read

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\nm=audio 9 TCP/RTP/AVP 0\r\nc=IN IP4 192.0.2.2\r\n"
TESTS = Path(__file__).parent
ROOT = TESTS.parent.parent
AGENT = f"{sys.executable} -m conformance.agent"
needs_networks = pytest.mark.skipif(
    lab.can_enter() is not None, reason="the kernel allows no network of one's own here"
)


@pytest.fixture
def routes(monkeypatch):
    """From this machine to others: over IPv4 alone."""
    monkeypatch.setattr(elsewhere, "route", lambda address: "" if ":" in address else "192.0.2.1")


def remote(host: str | None) -> Stack:
    return Stack("x", ["x"], host=host)


def test_a_stack_that_we_start_is_here():
    assert Elsewhere.of(remote(None)) is None


def test_a_stack_behind_a_port_of_loopback_is_met_there():
    assert Elsewhere.of(remote("127.0.0.1")) is None
    assert Elsewhere.of(remote("localhost")) is None


def test_the_tester_is_where_the_route_begins(routes):
    found = Elsewhere.of(remote("192.0.2.2"))
    assert found.address("IPv4") == "192.0.2.1"
    assert found.iut == {"IPv4": ["192.0.2.2"]}
    with pytest.raises(NotApplicable, match="no IPv6 address of the IUT is known"):
        found.address("IPv6")


def test_a_stack_that_is_started_here_may_have_its_addresses_elsewhere(routes):
    found = Elsewhere.of(
        remote(None), iut=["192.0.2.2", "192.0.2.3", "2001:db8::2"], tester=["192.0.2.9", "2001:db8::9"]
    )
    assert found.iut == {"IPv4": ["192.0.2.2", "192.0.2.3"], "IPv6": ["2001:db8::2"]}
    assert found.tester == {"IPv4": "192.0.2.9", "IPv6": "2001:db8::9"}


def test_the_offer_corrects_what_was_thought_of_the_iuts_address(routes):
    thought = Elsewhere.of(remote("192.0.2.2"))
    assert thought.corrected(["127.0.0.1", "169.254.1.1", "a.local", "fe80::1", "0.0.0.0"]) == thought
    assert thought.corrected(["192.0.2.3", "192.0.2.2"]).iut == thought.iut
    corrected = thought.corrected(["10.0.0.3", "10.0.0.4", "2001:db8::2"])
    assert corrected.iut == {"IPv4": ["10.0.0.3", "10.0.0.4"]}  # over IPv6 there is no route


@pytest.mark.parametrize(
    ("stack", "more", "words"),
    [
        ("", {}, r"where is it\? Say so with --iut-address"),
        ("no-such-host.invalid", {}, r"no-such-host.invalid has no address here \(.*\); where is it\?"),
        ("2001:db8::2", {}, "no route to the IUT's address 2001:db8::2"),
        (None, {"iut": ["bench"]}, "--iut-address bench: that is not an IP address"),
        (None, {"tester": ["192.0.2.9"]}, "--tester-address is for an IUT that is elsewhere"),
    ],
)
def test_what_is_not_known_is_asked_for(routes, stack, more, words):
    with pytest.raises(StackError, match=words):
        Elsewhere.of(remote(stack), **more)


# -- whole runs --------------------------------------------------------------------------------------------------

BOTH = ("--iut-address", THERE["IPv4"], "--iut-address", THERE["IPv6"])


def run(out: Path, *arguments: str, around: tuple[str, ...] = (), **environment: str):
    """Run icetcp on a machine with a neighbour that has the adapter; return the process and the results by variant."""
    icetcp = [sys.executable, "-m", "conformance", "run", *arguments, "--out", str(out)]
    command = [sys.executable, str(TESTS / "other_machine.py"), *around, *icetcp]
    variables = {**os.environ, "ADAPTER": AGENT, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env=variables)
    record = out / "record.jsonl"
    return done, {result.case: result for result in read(record)[1]} if record.exists() else {}


def met_there(out: Path, result) -> bool:
    """Whether all packets of a case were between the two machines."""
    packets = read_file(out / result.capture)
    ends = {end for packet in packets for end in endpoints(packet.link_type, packet.octets) or ()}
    addresses = {*HERE.values(), *THERE.values()}
    return bool(ends) and all(any(end.startswith(address) for address in addresses) for end in ends)


@needs_networks
def test_an_adapter_behind_a_port_is_judged_at_its_own_addresses(tmp_path):
    cases = ("7.2/response_is_framed", "4.1/host_candidates_on_every_address", "5.1/passive_candidate_on_every_address")
    wanted = [word for case in cases for word in ("--case", f"RFC6544-{case}")]
    done, results = run(tmp_path, "--iut", "tcp:192.0.2.2:7000", *BOTH, *wanted)
    assert done.returncode == 0, done.stdout + done.stderr
    framed = [result for case, result in results.items() if case.startswith("RFC6544-7.2/response_is_framed[")]
    assert [result.case for result in framed if result.verdict is not Verdict.PASS] == []
    assert all(met_there(tmp_path, result) for result in framed)
    assert {"IPv6" in result.case for result in framed} == {True, False}
    on_all = {case: result for case, result in results.items() if "on_every_address" in case}
    passive = [result for case, result in on_all.items() if "passive" in case]
    assert {result.verdict for result in passive} == {Verdict.PASS}  # of both families
    two = [result for case, result in on_all.items() if "host" in case]
    assert {result.reason for result in two} == {"the IUT has one IPv4 address here: 192.0.2.2"}


@needs_networks
def test_an_adapter_behind_ssh_is_judged_at_its_own_addresses(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    far = 'exec nsenter --net="$NEIGHBOUR" sh -c "$*"'
    (tools / "ssh").write_text(
        f'#!/bin/sh\n[ "$1" = -G ] && echo "hostname 192.0.2.2" && exit\nwhile [ "$1" != -- ]; do shift; done\nshift 2\n{far}\n'
    )
    (tools / "ssh").chmod(stat.S_IRWXU)
    cases = [f"RFC6544-7.2/response_is_framed[{side}]" for side in ("offerer", "answerer")]
    wanted = [word for case in cases for word in ("--case", case)]
    path = f"{tools}:{os.environ['PATH']}"
    done, results = run(tmp_path / "out", "--iut", f"ssh:bench {AGENT}", *wanted, PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {case: result.verdict for case, result in results.items() if case in cases} == dict.fromkeys(
        cases, Verdict.PASS
    )
    assert all(met_there(tmp_path / "out", results[case]) for case in cases)


@needs_networks
def test_a_person_carries_the_descriptions_of_a_device(tmp_path):
    far = f'nsenter --net="$NEIGHBOUR" {AGENT}'
    around = (sys.executable, str(TESTS / "bench_person.py"), "sh", "-c", f"'{far}'", "--")
    cases = [f"RFC6544-7.2/response_is_framed[{side}]" for side in ("offerer", "answerer")]
    wanted = [word for case in cases for word in ("--case", case)]
    done, results = run(tmp_path, "--iut", "manual", "--iut-address", "192.0.2.2", *wanted, around=around)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {case: result.verdict for case, result in results.items() if case in cases} == dict.fromkeys(
        cases, Verdict.PASS
    )
    assert all(met_there(tmp_path, results[case]) for case in cases)


WHIP = built(stacks.description("pion-whip"))


@needs_networks
@pytest.mark.skipif(WHIP is None, reason="icetcp stacks build pion-whip has not been run")
def test_a_whip_server_is_judged_at_its_own_addresses(tmp_path):
    cases = ["RFC6544-7.2/response_is_framed[answerer]", "RFC6544-5.1/passive_candidate_is_offered[answerer]"]
    wanted = [word for case in cases for word in ("--case", case)]
    url = "whip:http://192.0.2.2:8080/whip"
    done, results = run(tmp_path, "--iut", url, *wanted, SERVER=f"{WHIP} -address 192.0.2.2 -http 192.0.2.2:8080")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {case: result.verdict for case, result in results.items() if case in cases} == dict.fromkeys(
        cases, Verdict.PASS
    )
    assert met_there(tmp_path, results[cases[0]])
    assert "201" in (tmp_path / results[cases[0]].log).read_text()


def test_an_answer_tells_where_a_server_is(routes, monkeypatch):
    """HTTP is at one address of a server, its candidates are at another."""
    sdp = f"{HEAD}a=candidate:1 1 TCP 5 198.51.100.7 5000 typ host tcptype passive\r\n"
    monkeypatch.setattr(topology, "_described", lambda *_: Description("answer", sdp))
    pool = contextlib.nullcontext()
    pool.lease = lambda _case: contextlib.nullcontext(types.SimpleNamespace(session=types.SimpleNamespace))
    thought = Elsewhere.of(remote("192.0.2.2"))
    hosts = topology.answered_hosts(pool, {"sides": ["answerer"]}, thought)
    assert hosts == ["198.51.100.7"]
    assert thought.corrected(hosts).iut == {"IPv4": ["198.51.100.7"]}


def test_the_lab_cannot_hold_an_iut_that_is_elsewhere(tmp_path):
    command = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        "--iut",
        "tcp:127.0.0.1:9",
        "--link",
        "lab",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "is reached through this machine's network: --link lab cannot be had" in done.stderr


def test_a_device_must_be_said_to_be_somewhere(tmp_path):
    command = [sys.executable, "-m", "conformance", "run", "--iut", "manual", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "manual: where is it? Say so with --iut-address ADDRESS" in done.stderr
