"""Variants: that every two values meet, that their names stay, and that they differ on the wire."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest

from conformance.catalogue.capabilities import check_conditions
from conformance.peer.shape import USUAL, Shape
from conformance.run.discovery import discover
from conformance.suites.dimensions import DIMENSIONS, EVERY_CUT, case_name, pairwise, usual_form
from conformance.wire.rfc4571 import Deframer, frame
from conformance.wire.stun import Message, looks_like_stun
from pcaps import pcapng
from pcaps.packets import parse
from reports.record import read

CASES = discover().every
SHAPED = [case for case in CASES if isinstance(case.parameters.get("shape"), Shape)]
FRAME = frame(bytes(range(100)))


# -- pairs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1,), (2, 2), (2, 2, 7), (2, 2, 2, 7, 2), (3, 1, 4)])
def test_every_two_values_meet_in_some_row(sizes) -> None:
    values = {f"d{n}": tuple(range(size)) for n, size in enumerate(sizes)}
    rows = pairwise(values)
    for one, other in itertools.combinations(values, 2):
        assert {(row[one], row[other]) for row in rows} == set(itertools.product(values[one], values[other]))
    assert all(list(row) == list(values) for row in rows)
    largest = sorted(sizes, reverse=True)[:2]
    assert len(rows) <= 1.5 * largest[0] * (largest[1] if len(largest) > 1 else 1)


def test_the_first_rows_are_those_asked_for() -> None:
    values = {"side": ("a", "b"), "x": (1, 2)}
    first = [{"side": "a", "x": 1}, {"side": "b", "x": 1}]
    assert pairwise(values, first)[:2] == first
    assert pairwise(values, first) == pairwise(values, first)


# -- names ----------------------------------------------------------------------------------------------


def test_names_tell_what_is_unusual() -> None:
    shape = Shape(family="IPv6", segmentation="cut17", components=2)
    assert shape.words == ["IPv6", "cut17", "2components"]
    assert (USUAL.words, str(USUAL), str(shape)) == ([], "usual", "IPv6 cut17 2components")
    assert case_name("RFC6544-7.2/x[12-offerer]") == "RFC6544-7.2/x"
    assert usual_form("RFC6544-7.2/x[12-offerer-IPv6-switched-cut17-2components]") == "RFC6544-7.2/x[12-offerer]"
    assert usual_form("RFC6544-7.2/x[in-length-offerer-octets]") == "RFC6544-7.2/x[in-length-offerer]"
    assert usual_form("RFC6544-7.2/x") == "RFC6544-7.2/x"


def test_every_case_of_variants_has_its_usual_ones() -> None:
    ids = {case.id for case in CASES}
    for case in SHAPED:
        assert usual_form(case.id) in ids
        assert (usual_form(case.id) == case.id) is (case.parameters["shape"] == USUAL), case.id


def test_a_difference_needs_what_it_takes() -> None:
    assert Shape().needs == ("families:4",)
    assert Shape("IPv6", "switched", "octets", 2).needs == ("families:6", "components:2")
    assert Shape(candidates="trickled").needs == ("families:4", "trickle")
    for case in SHAPED:
        check_conditions(case.parameters["shape"].needs)


def test_trickled_candidates_come_on_top_and_meet_every_other_value_somewhere() -> None:
    trickled = [case for case in SHAPED if case.parameters["shape"].candidates == "trickled"]
    shapes = [case.parameters["shape"] for case in trickled]
    for name, values in DIMENSIONS.items():
        wanted = {"candidates": {"trickled"}, "sdp": {"plain"}}.get(name, set(values))
        assert {getattr(shape, name) for shape in shapes} == wanted, name
    assert len({case.id.split("[")[0] for case in trickled}) > 80
    assert len(trickled) < len(CASES) / 10
    others = {case_name(case.id) for case in SHAPED if case not in trickled}
    assert {case_name(case.id) for case in trickled} <= others
    assert not [case for case in discover(["--icetcp-variants", "one"]).selected if "trickled]" in case.id]


def test_strange_descriptions_come_on_top_in_the_same_cases() -> None:
    strange = [case for case in SHAPED if case.parameters["shape"].sdp == "strange"]
    trickled = [case for case in SHAPED if case.parameters["shape"].candidates == "trickled"]
    assert {case_name(case.id) for case in strange} == {case_name(case.id) for case in trickled}
    assert {case.parameters["shape"].family for case in strange} == {"IPv4", "IPv6"}
    assert not [case for case in discover(["--icetcp-variants", "one"]).selected if "strange]" in case.id]


def test_there_are_enough_of_them() -> None:
    assert len({case_name(case.id) for case in CASES}) >= 150
    assert len(CASES) >= 1500


# -- what is sent ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segmentation", "cuts"),
    [
        ("whole", 0),
        ("octets", 101),
        ("cut1", 1),
        ("cut60", 1),
        ("cut999", 1),
        ("cut", 1),
        ("drip", 5),
        ("coalesced", 0),
    ],
)
def test_segmentation_divides_and_changes_nothing_of_it(segmentation, cuts) -> None:
    octets, at, _ = Shape(segmentation=segmentation).divide(FRAME, 0.02, random.Random(1))
    assert len(at) == cuts
    assert all(0 < cut < len(octets) for cut in at)
    payloads = Deframer().feed(octets)
    assert payloads[0] == FRAME[2:]
    assert len(payloads) == (2 if segmentation == "coalesced" else 1)
    assert octets.startswith(FRAME)


@pytest.mark.parametrize("segmentation", [*DIMENSIONS["segmentation"], "cut5"])
@pytest.mark.parametrize("octets", [b"", b"\0", b"\0\5half"])
def test_what_is_no_whole_frame_is_sent_as_it_is(segmentation, octets) -> None:
    assert Shape(segmentation=segmentation).divide(octets, 0.02, random.Random(1))[0] == octets


def test_every_cut_lies_within_the_shortest_check() -> None:
    assert EVERY_CUT[0] == 1
    assert len(FRAME) > EVERY_CUT[-1]


# -- on the wire ----------------------------------------------------------------------------------------

WATCHED = ("response_is_framed", "framed_media_is_delivered", "check_is_framed", "response_is_taken")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The connections of some cases of each kind in all their variants, and each one's shape."""
    out = tmp_path_factory.mktemp("watched")
    command = [sys.executable, "-m", "conformance", "run", "--out", str(out), "-k", " or ".join(WATCHED)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout
    shapes = {case.id: case.parameters["shape"] for case in SHAPED}
    _, results = read(out / "record.jsonl")
    return {
        result.case: (shapes[result.case], sent_segments(out / result.capture))
        for result in results
        if result.case in shapes
    }


def sent_segments(path):
    """Return the tester's segments that carry something."""
    with path.open("rb") as file:
        found = [parse(packet.link_type, packet.octets) for packet in pcapng.read(file)]
    return [s for s in found if s is not None and s.payload and s.source.ip.startswith(("127.16.", "fd6c::"))]


def shows(shape, segments) -> bool:
    """Whether what went over the wire shows that this is the shape."""
    sent = [segment.payload for segment in segments]
    lengths = [len(octets) for octets in sent]
    if {":" in segment.source.ip for segment in segments} != {shape.family == "IPv6"}:
        return False
    match shape.segmentation:
        case "whole":
            return min(lengths) > 20
        case "octets":
            return lengths.count(1) > 30
        case "drip":
            return len([length for length in lengths if 5 < length < 30]) >= 5
        case "coalesced":
            return any(len(Deframer().feed(octets)) == 2 for octets in sent)
        case "cut":
            return any(not Deframer().feed(octets) for octets in sent)
        case cut:
            return lengths[0] == int(cut[3:])


def test_variants_differ_on_the_wire_as_their_names_say(watched) -> None:
    assert len(watched) > 150
    wrong = []
    for case, (shape, segments) in watched.items():
        if not shows(shape, segments):
            wrong.append((case, [len(segment.payload) for segment in segments][:12]))
    assert not wrong


def test_switched_roles_and_two_components_show_on_the_wire(watched) -> None:
    for case, (shape, segments) in watched.items():
        if "framed_media" not in case or shape.segmentation != "whole":
            continue
        roles = {bool(m.ice_controlling) for s in segments for m in messages(s.payload) if m.is_request}
        assert roles == {("answerer" in case) is (shape.roles == "own")}, case
        assert len({segment.source.port for segment in segments}) == shape.components, case


def messages(octets):
    """Return the STUN messages of a segment."""
    return [Message.decode(payload) for payload in Deframer().feed(octets) if looks_like_stun(payload)]
