"""The golden captures: the committed ones are what the script makes; the judge finds what was planted, and no more."""

from __future__ import annotations

import gzip
import io
import random
import struct
from dataclasses import replace

import pytest

from conformance.judge import RULES, Known
from conformance.run.judging import judge_file
from conformance.verdict import Verdict
from conformance.wire.sdp import SessionDescription
from pcaps.golden.build import FOLDER, GOLDEN, USUAL, files
from pcaps.pcapng import Writer, read
from pcaps.reading import read_capture
from pcaps.tshark import View, compare, own_view, tshark_view

CLEAN = [golden for golden in GOLDEN.values() if not golden.breaks and not golden.doubts]


def known_of(golden) -> Known:
    found = []
    for kind in ("offer", "answer"):
        path = FOLDER / f"{golden.name}.{kind}.sdp"
        path = path if path.exists() else FOLDER / f"{USUAL}.{kind}.sdp"
        found.append((kind, SessionDescription.parse(path.read_bytes().decode())))
    return replace(Known.of(found), only=frozenset(golden.only))


def verdicts(path, known) -> dict[str, Verdict]:
    return {judgement.rule.name: judgement.verdict for judgement in judge_file(path, known).judgements}


def test_the_committed_files_are_those_that_the_script_makes() -> None:
    made = files()
    committed = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in (".pcapng", ".sdp")}
    assert sorted(committed) == sorted(made)
    assert [name for name in made if made[name] != committed[name]] == []


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=GOLDEN)
def test_what_was_planted_is_found_and_nothing_else(golden) -> None:
    found = verdicts(FOLDER / f"{golden.name}.pcapng", known_of(golden))
    assert {name for name, verdict in found.items() if verdict is Verdict.FAIL} == set(golden.breaks)
    assert {name for name, verdict in found.items() if verdict is Verdict.INCONC} == set(golden.doubts)
    assert sum(verdict is Verdict.PASS for verdict in found.values()) >= 8


def test_every_rule_is_broken_by_a_capture_and_held_by_a_clean_one() -> None:
    broken = {name for golden in GOLDEN.values() for name in golden.breaks}
    held = {
        judgement.rule.name
        for golden in CLEAN
        for judgement in judge_file(FOLDER / f"{golden.name}.pcapng", known_of(golden)).judgements
        if judgement.held
    }
    names = {rule.name for rule in RULES}
    reflexive = {"reflexive_direction_preference"}  # no golden capture holds reflexive candidates; see the rules' tests
    assert names - broken == reflexive
    assert names - held == reflexive | {"other_preference_tells_equals_apart"}


def test_the_peer_that_nominates_aggressively_is_found_when_it_is_judged() -> None:
    golden = GOLDEN["clean-under-aggressive-peer"]
    known = replace(known_of(golden), only=frozenset())
    found = verdicts(FOLDER / f"{golden.name}.pcapng", known)
    assert {name for name, verdict in found.items() if verdict is Verdict.FAIL} == {"nomination_follows_a_success"}


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=GOLDEN)
def test_without_descriptions_and_passwords_nothing_lawful_is_a_failure(golden) -> None:
    known = Known(only=frozenset(golden.only))
    found = verdicts(FOLDER / f"{golden.name}.pcapng", known)
    assert {name for name, verdict in found.items() if verdict is Verdict.FAIL} <= set(golden.breaks)
    if found["check_has_fingerprint"] is not Verdict.NONE:  # a check can be read
        assert found["check_has_integrity"] in (Verdict.INCONC, Verdict.FAIL)


def test_tshark_reads_them_too(tmp_path) -> None:
    paths = {}
    for number, golden in enumerate(GOLDEN.values(), start=1):
        paths[golden.name] = tmp_path / golden.name
        paths[golden.name].write_bytes(golden.written(number)[0])
    seen = tshark_view(list(paths.values()))
    for name, path in paths.items():
        connections = read_capture(path).connections
        mine = {address.ip for connection in connections for address in (connection.client, connection.server)}
        part = View(
            {route: messages for route, messages in seen.messages.items() if {route[0].ip, route[1].ip} <= mine}
        )
        own = own_view([*connections, *read_capture(path).flows])
        assert bool(compare(own, part)) is not GOLDEN[name].tshark, name


# -- the same in other clothes -----------------------------------------------------------------------------------------


def classic(packets, order: str, magic: int, unit: int) -> bytes:
    file = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262144, packets[0].link_type)
    for packet in packets:
        seconds, fraction = divmod(packet.time_ns, 1_000_000_000)
        size = len(packet.octets)
        file += struct.pack(f"{order}IIII", seconds, fraction // unit, size, size) + packet.octets
    return file


def truncated(packets, snaplen: int) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, packets[0].link_type)
    for packet in packets:
        writer.packet(packet.time_ns, packet.octets[:snaplen])
    return file.getvalue()


CLOTHES = {
    "little": lambda packets: classic(packets, "<", 0xA1B2C3D4, 1000),
    "big": lambda packets: classic(packets, ">", 0xA1B2C3D4, 1000),
    "nanoseconds": lambda packets: classic(packets, "<", 0xA1B23C4D, 1),
    "big-nanoseconds": lambda packets: classic(packets, ">", 0xA1B23C4D, 1),
    "gzip": lambda packets: gzip.compress(classic(packets, "<", 0xA1B2C3D4, 1000)),
}
SOME = [
    "clean-controlling-offerer",
    "clean-restart",
    "clean-vlan",
    "clean-cooked-2",
    "broken-retransmission",
    "broken-left-open",
]


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("name", SOME)
def test_the_file_format_makes_no_difference(tmp_path, name, clothes) -> None:
    original = FOLDER / f"{name}.pcapng"
    with original.open("rb") as file:
        packets = list(read(file))
    path = tmp_path / "capture"
    path.write_bytes(CLOTHES[clothes](packets))
    assert verdicts(path, known_of(GOLDEN[name])) == verdicts(original, known_of(GOLDEN[name]))


@pytest.mark.parametrize("golden", CLEAN, ids=[golden.name for golden in CLEAN])
@pytest.mark.parametrize("snaplen", [60, 96, 128, 160])
def test_packets_cut_short_cost_certainty_but_never_the_verdict(tmp_path, golden, snaplen) -> None:
    with (FOLDER / f"{golden.name}.pcapng").open("rb") as file:
        packets = list(read(file))
    path = tmp_path / "capture"
    path.write_bytes(truncated(packets, snaplen))
    found = verdicts(path, known_of(golden))
    assert [name for name, verdict in found.items() if verdict is Verdict.FAIL] == []


@pytest.mark.parametrize("golden", CLEAN, ids=[golden.name for golden in CLEAN])
def test_any_lost_packet_costs_certainty_but_never_the_verdict(tmp_path, golden) -> None:
    with (FOLDER / f"{golden.name}.pcapng").open("rb") as file:
        packets = list(read(file))
    path = tmp_path / "capture"
    known = known_of(golden)
    for missing in range(min(len(packets), 40)):
        path.write_bytes(rewritten(packets[:missing] + packets[missing + 1 :]))
        found = verdicts(path, known)
        assert [name for name, verdict in found.items() if verdict is Verdict.FAIL] == [], f"without packet {missing}"


def rewritten(packets) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, packets[0].link_type)
    for packet in packets:
        writer.packet(packet.time_ns, packet.octets)
    return file.getvalue()


@pytest.mark.parametrize("golden", CLEAN, ids=[golden.name for golden in CLEAN])
def test_packets_lost_at_random_or_out_of_order_never_make_a_failure(tmp_path, golden) -> None:
    with (FOLDER / f"{golden.name}.pcapng").open("rb") as file:
        packets = list(read(file))
    path = tmp_path / "capture"
    for seed in range(12):
        rng = random.Random(seed)
        rate = rng.choice([0.05, 0.2, 0.5])
        kept = [packet for packet in packets if rng.random() > rate] if seed % 2 else list(packets)
        places = {id(packet): number + rng.uniform(0, 3) * (seed // 2 % 2) for number, packet in enumerate(kept)}
        path.write_bytes(rewritten(sorted(kept, key=lambda packet: places[id(packet)])))
        found = verdicts(path, known_of(golden))
        assert [name for name, verdict in found.items() if verdict is Verdict.FAIL] == [], f"seed {seed}"


def test_the_beginning_of_a_capture_may_be_missing(tmp_path) -> None:
    """As long as something shows that there was a connection before; nobody can tell what has left no trace at all."""
    path = tmp_path / "capture"
    for golden in CLEAN:
        with (FOLDER / f"{golden.name}.pcapng").open("rb") as file:
            packets = list(read(file))
        for first in range(1, min(len(packets), 24)):
            path.write_bytes(truncated(packets[first:], 1 << 17))
            found = verdicts(path, known_of(golden))
            assert [name for name, verdict in found.items() if verdict is Verdict.FAIL] == [], (golden.name, first)
