"""The parts of a table that need no network: which cells there are, what is signalled, what the outputs say."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace

import pytest
from lxml import etree
from lxml import html as parser

from conformance.interop import blame, outputs, page
from conformance.interop.model import ANSWERER, OFFERER, Breach, Cell, Facts, Kind, Outcome, Stage
from conformance.interop.pairing import families, has_media, openings, tcptypes
from conformance.interop.plan import ANY, FORCED, SWITCHED, Contestant, cells, named
from conformance.interop.signalling import passed
from conformance.judge import RULES
from conformance.verdict import ExitStatus
from conformance.wire.candidate import Candidate
from conformance.wire.sdp import SessionDescription

PLAIN, WEBRTC = {"profile": "plain"}, {"profile": "webrtc"}


def candidate(tcptype: str | None, address: str = "198.18.0.1", port: int = 4000, component: int = 1) -> Candidate:
    transport = "UDP" if tcptype is None else "TCP"
    return Candidate("1", component, transport, 1, address, port, "host", tcptype=tcptype)


def description(*candidates: Candidate, **change) -> SessionDescription:
    fields = {"kind": "audio", "proto": "TCP/RTP/AVP", "formats": ["0"], "address": "198.18.0.1", "port": 9}
    fields |= {"ufrag": "ufrag", "pwd": "p" * 22, "candidates": candidates, "mid": "0", **change}
    return SessionDescription.build(**fields)


# -- pairs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "sides"),
    [
        ("active", "passive", [OFFERER]),
        ("passive", "active", [ANSWERER]),
        ("so", "so", [OFFERER, ANSWERER]),
        ("passive", "passive", []),
        ("active", "active", []),
        ("active", "so", []),
    ],
)
def test_who_opens_a_connection_follows_from_the_tcptypes(one, other, sides) -> None:
    described = {OFFERER: description(candidate(one)), ANSWERER: description(candidate(other, "198.18.0.2"))}
    assert [opening.side for opening in openings(described)] == sides


@pytest.mark.parametrize(
    "remote", [candidate("passive", "127.0.0.1"), candidate("passive", "fd6d::2"), candidate("passive", component=2)]
)
def test_loopback_another_family_and_another_component_make_no_pair(remote) -> None:
    assert not openings({OFFERER: description(candidate("active")), ANSWERER: description(remote)})


def test_an_active_candidate_on_loopback_leads_nowhere() -> None:
    described = {OFFERER: description(candidate("active", "127.0.0.1")), ANSWERER: description(candidate("passive"))}
    assert not openings(described)


def test_an_answer_may_reject_all_media() -> None:
    assert has_media(description(candidate("active")))
    assert not has_media(description(candidate("active"), port=0))


def test_what_a_description_offers() -> None:
    offer = description(candidate(None), candidate("active"), candidate("passive", "fd6d::1"), candidate("so", "::1"))
    assert (tcptypes(offer), families(offer)) == (["active", "passive", "so"], [4, 6])


# -- signalling ----------------------------------------------------------------------------------------------------------


def test_a_description_of_the_same_profile_passes_but_for_what_leads_nowhere() -> None:
    loopback = [candidate("active", "127.0.0.1"), candidate("passive", "::1")]
    offer = description(candidate(None), candidate("active"), *loopback, attributes=["x-own:7"])
    told, translated = passed(offer, PLAIN, PLAIN)
    assert not translated
    left_out = (" UDP ", " 127.0.0.1 ", " ::1 ")
    lines = str(offer).splitlines(keepends=True)
    assert str(told) == "".join(line for line in lines if not any(word in line for word in left_out))


def test_ice_is_carried_over_into_the_profile_of_the_receiver() -> None:
    offer = description(candidate(None), candidate("passive"), ice_lite=True, ice_options="ice2")
    told, translated = passed(offer, PLAIN, WEBRTC)
    section = told.media[0]
    assert translated
    assert (section.kind, section.proto, section.mid) == ("application", "UDP/DTLS/SCTP", "0")
    assert section.has("fingerprint")
    assert (section.ufrag, section.pwd, section.candidates) == ("ufrag", "p" * 22, [candidate("passive")])
    assert (told.ice_lite, section.ice_options) == (True, ("ice2",))


def test_an_answer_has_a_section_for_each_that_was_offered() -> None:
    audio = description(candidate("active"), session_attributes=["group:BUNDLE 0 1"], setup="actpass")
    data = description(kind="application", proto="UDP/DTLS/SCTP", formats=["webrtc-datachannel"], mid="1")
    offer = SessionDescription(audio.lines, [*audio.media, *data.media])
    for_rtcp = replace(candidate("passive"), component=2)
    told, _ = passed(description(candidate("passive"), for_rtcp), PLAIN, WEBRTC, offer)
    assert told.attributes("group") == ["BUNDLE 0"]  # else browsers refuse the answer
    assert [(media.kind, media.mid, media.port > 0) for media in told.media] == [
        ("audio", "0", True),
        ("application", "1", False),
    ]
    assert told.media[0].candidates == [candidate("passive")]


# -- cells ---------------------------------------------------------------------------------------------------------------


def contestant(name: str, **pics) -> Contestant:
    return Contestant(name, name, "1", {"offers": ["active", "passive"], "connects": ["active", "passive"], **pics})


def test_every_ordered_pair_meets_in_the_families_of_both() -> None:
    found = cells([contestant("a", families=[4, 6]), contestant("b")])
    assert [(c.offerer, c.answerer, c.family) for c in found] == [
        ("a", "a", 4), ("a", "a", 6), ("a", "b", 4), ("b", "a", 4), ("b", "b", 4)
    ]  # fmt: skip
    assert len({c.id for c in found} | {c.folder for c in found}) == 2 * len(found)


def test_tcptypes_are_forced_where_one_obeys_and_both_can() -> None:
    found = cells([contestant("a", obeys=["tcptypes"]), contestant("b", sides=["answerer"])], families=(4,))
    assert [c.tcptypes for c in found if c.answerer == "b"] == [ANY, FORCED[0], FORCED[1]]
    assert {c.offerer for c in found} == {"a"}
    assert cells([contestant("b")], families=(4,)) == [Cell("b", "b")]


def test_roles_are_forced_where_one_obeys() -> None:
    stacks = [contestant("a", obeys=["role"], role="adapter"), contestant("b")]
    assert [(c.offerer, c.answerer) for c in cells(stacks, families=(4,)) if c.roles == SWITCHED] == [
        ("a", "a"), ("a", "b"), ("b", "a")
    ]  # fmt: skip
    conflict = ("controlling", "controlling")
    found = cells(stacks[1:], families=(4,), tcptypes=[ANY, FORCED[0]], roles=[conflict])
    assert [(c.tcptypes, c.roles) for c in found] == [(ANY, conflict), (FORCED[0], conflict)]
    assert found[0].id == "b -> b [IPv4, controlling with controlling]"
    assert Cell.of(json.loads(json.dumps(found[0].data()))) == found[0]


def test_a_nat_is_before_one_side_and_of_ipv4() -> None:
    found = cells([contestant("a", families=[4, 6])], nat="EI/APD", nat_sides=(OFFERER, ANSWERER))
    assert [(c.family, c.nat_side) for c in found] == [(4, OFFERER), (4, ANSWERER)]


def test_a_stack_is_named_by_its_name_or_by_the_users() -> None:
    assert named("libnice") == Contestant("libnice", "libnice")
    assert named("mine=exec:./adapter --ice") == Contestant("mine", "exec:./adapter --ice")
    assert named("exec:./adapter --port=1").name == "adapter"
    assert named("whip:https://media.example/whip?room=1").spec == "whip:https://media.example/whip?room=1"
    assert named("room=whip:https://media.example/whip?room=1").name == "room"


# -- outputs -------------------------------------------------------------------------------------------------------------


def outcome(one: str, other: str, kind: Kind, *, family: int = 4, blamed: str = "") -> Outcome:
    breaches = [Breach(blamed, "RFC8445-8.1.1-02", "must", "never nominated", blocks=True)] if blamed else []
    breaches += [Breach(OFFERER, "RFC6544-4.2-09", "should", "direction-pref 3")]
    cell = Cell(one, other, family)
    sentence = f"{cell.stack(blamed)} broke RFC 8445 8.1.1: never" if blamed else f"{kind.value}: so it is"
    return Outcome(cell, Facts(seconds=2.5), Stage.MEDIA, kind, sentence, breaches, "ladder", f"cells/{cell.folder}")


OUTCOMES = [
    outcome("a", "a", Kind.WORKS),
    outcome("a", "b", Kind.BROKE, blamed=ANSWERER),
    outcome("a", "b", Kind.WORKS, family=6),
    outcome("b", "a", Kind.LAWFUL),
    outcome("b", "b", Kind.UNDECIDED),
]


def test_the_table_names_the_worst_of_each_pair_and_explains_what_does_not_work() -> None:
    lines = outputs.text(OUTCOMES, ["a", "b", "c"]).splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines[:4]]
    assert rows[0] == ["offerer \\ answerer", "a", "b", "c"]
    assert rows[1:] == [["a", "ok", "answerer, 1 of 2", "-"], ["b", "lawful", "?", "-"], ["c", "-", "-", "-"]]
    assert "a -> b [IPv4]: b broke RFC 8445 8.1.1: never" in lines
    assert not [line for line in lines if line.startswith("a -> a")]


def test_json_and_junit_have_a_test_case_for_each_cell(tmp_path) -> None:
    stacks = {name: contestant(name) for name in "ab"}
    outputs.write(tmp_path, OUTCOMES, stacks, "icetcp interop a b", interrupted=False)
    found = json.loads((tmp_path / "interop.json").read_text())
    assert found["counts"] == {"works": 2, "broke": 1, "lawful": 1, "undecided": 1}
    assert [cell["blamed"] for cell in found["cells"]] == [[], ["b"], [], [], []]
    assert found["cells"][1]["breaches"][0]["stack"] == "b"
    root = etree.parse(tmp_path / "junit.xml").getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert len(cases) == len(OUTCOMES)
    assert cases["a -> b [IPv4]"].find("failure").get("message") == "b broke RFC 8445 8.1.1: never"
    assert cases["b -> a [IPv4]"].find("skipped") is not None
    assert cases["b -> b [IPv4]"].find("error") is not None
    assert cases["a -> a [IPv4]"].find("failure") is None
    assert "RFC6544-4.2-09" in cases["a -> a [IPv4]"].findtext("system-out")


def test_the_page_has_a_field_for_each_pair_and_packs_each_cell(tmp_path) -> None:
    hostile = "a</script><b>\u202e"
    stacks = {name: contestant(name, payload=hostile) for name in "abc"}
    folder = tmp_path / OUTCOMES[0].folder
    folder.mkdir(parents=True)
    (folder / "offer.sdp").write_text(hostile)
    (folder / "capture.pcapng").write_bytes(b"\x0a\x0d")
    text = page.page(OUTCOMES, stacks, tmp_path, "0")
    assert "<b>" not in text
    assert "\u202e" not in text
    root = parser.fromstring(text)
    fields = root.xpath("//section[@data-view='table']//tbody//td")
    assert [" ".join(field.text_content().split()) for field in fields] == [
        "ok", "answerer, 1 of 2", "-", "lawful", "?", "-", "-", "-", "-"
    ]  # fmt: skip
    assert fields[1].find("a").get("href") == "#cells?text=a%20-%3E%20b"
    listed = root.xpath("//ul[@id='cell-list']/li")
    assert [row.get("data-kind") for row in listed] == ["works", "broke", "works", "lawful", "undecided"]
    packed = json.loads(zlib.decompress(base64.b64decode(root.xpath("//script[@id='block-0']")[0].text)))
    assert len(packed) == len(OUTCOMES)
    assert packed[0]["capture"] == "0a0d"
    assert "\u202e" not in packed[0]["files"]["offer.sdp"]
    assert packed[1]["breaches"][0][:2] == ["b", "RFC8445-8.1.1-02"]


def test_the_exit_status_says_the_worst_that_is_certain() -> None:
    assert outputs.status(OUTCOMES) is ExitStatus.DOES_NOT_CONFORM
    assert outputs.status([OUTCOMES[0], OUTCOMES[4]]) is ExitStatus.COULD_NOT_JUDGE
    assert outputs.status([OUTCOMES[0], OUTCOMES[3]]) is ExitStatus.CONFORMS
    assert outputs.status([OUTCOMES[3]]) is ExitStatus.COULD_NOT_JUDGE
    assert outputs.status(OUTCOMES[:4], survey=True) is ExitStatus.CONFORMS
    assert outputs.status(OUTCOMES, survey=True) is ExitStatus.COULD_NOT_JUDGE
    assert outputs.status([]) is ExitStatus.COULD_NOT_JUDGE


def test_a_cell_and_its_facts_survive_their_files() -> None:
    cell = Cell("a", "b", 6, ("active", "passive"), "EI/APD", ANSWERER)
    assert Cell.of(json.loads(json.dumps(cell.data()))) == cell
    facts = Facts(states={OFFERER: [(1, "connected")]}, sent={OFFERER: "sent"})
    assert Facts.of(json.loads(json.dumps(facts.data()))) == facts


def test_the_rules_that_excuse_a_receiver_exist() -> None:
    assert {rule.name for rule in RULES} > blame._UNUSABLE
