"""Faulty reference agents against healthy ones: blame goes to the faulty side and to what it broke, and to nobody else.

All cells are played once, at the same time: most of each is waiting. Each needs namespaces of its own.
"""

from __future__ import annotations

import sys

import pytest

from conformance.interop.evidence import read
from conformance.interop.execution import Table
from conformance.interop.model import ANSWERER, OFFERER, Cell, Kind, Stage
from conformance.interop.plan import Contestant
from conformance.peer.lab import can_enter
from conformance.wire.attributes import Attribute

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(can_enter() is not None, reason="the kernel refuses user and network namespaces"),
]
AGENT = f"exec:{sys.executable} -m conformance.agent"
HEALTHY = "healthy"
# Fault, the tcptypes of the faulty side and of the healthy one, and what it breaks.
FAULTS = [
    ("check-without-integrity", "", "", "RFC8445-7.2.2-01"),
    ("response-without-integrity", "", "", "RFC8489-9.1.3-11"),
    ("opened-connections-deaf", "active", "passive", "RFC8445-11-13"),
    ("connects-without-check", "active", "passive", "RFC6544-7.1-s01"),
    ("check-without-frame", "active", "passive", "RFC6544-7.1-03"),
    ("passive-not-listening", "passive", "active", "RFC6544-7.2-01"),
    ("media-without-frame", "", "", "RFC6544-10.1-02"),
    ("media-not-sent", "", "", "RFC6544-10.1-01"),
    ("media-not-delivered", "", "", "RFC6544-10.2-01"),
]
# Only the controlling agent nominates; as the controlled one, it is checked by another in time.
SIDED = [
    ("never-nominates", OFFERER, "", "", "RFC8445-8.1.1-02"),
    ("no-triggered-check", OFFERER, "passive", "active", "RFC8445-7.3.1.4-s02"),
    ("nomination-ignored", ANSWERER, "", "", "RFC6544-10.1-01"),  # it says that it is connected, and sends nothing
]
FAULTY = [
    *((fault, side, mine, theirs, broken) for fault, mine, theirs, broken in FAULTS for side in (OFFERER, ANSWERER)),
    *SIDED,
]
LAWFUL = [("passive", "passive"), ("active", "active")]
NATTED = [("", "", Kind.WORKS), ("active", "passive", Kind.WORKS), ("passive", "active", Kind.LAWFUL)]

# What both are told to be, and the stacks: only "told" obeys, so that the last one begins with a conflict.
ROLES = [("told", "told", "controlled", "controlling"), ("told", "same", "controlled", "")]


def cell(stack: str, side: str, mine: str = "", theirs: str = "", **options) -> Cell:
    names, wishes = (stack, HEALTHY), (mine, theirs)
    if side == ANSWERER:
        names, wishes = names[::-1], wishes[::-1]
    return Cell(*names, tcptypes=wishes, **options)


CELLS = [
    *(cell(fault, side, mine, theirs) for fault, side, mine, theirs, _ in FAULTY),
    *(cell("same", OFFERER, *wishes) for wishes in LAWFUL),
    *(cell("same", OFFERER, family=family) for family in (4, 6)),
    *(cell("same", OFFERER, mine, theirs, nat="EI/APD") for mine, theirs, _ in NATTED),
    *(Cell(*names, roles=(mine, theirs)) for *names, mine, theirs in ROLES),
    cell("mortal", ANSWERER),
    cell("picky", ANSWERER),
    cell("absent", OFFERER),
]
MORTAL = """
import json, sys
import neighbour  # a script finds what stands in its folder
for line in sys.stdin:
    call = json.loads(line)
    answer = {"jsonrpc": "2.0", "id": call["id"]}
    if call["method"] == "accept" and sys.argv[1:]:
        print(json.dumps({**answer, "error": {"code": -32010, "message": "it wants another offer"}}), flush=True)
        continue
    if call["method"] == "accept":
        sys.exit("the stack trips over an offer")
    result = {"name": "mortal", "version": "1", "pics": {"offers": ["passive"], "connects": ["passive"], "reports": ["state"]}}
    print(json.dumps({**answer, "result": result if call["method"] == "hello" else {}}), flush=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("table")


@pytest.fixture(scope="module")
def outcomes(folder):
    (folder / "mortal.py").write_text(MORTAL)
    (folder / "neighbour.py").write_text("")
    stacks = {fault: Contestant(fault, f"{AGENT} --fault {fault}") for fault, *_ in FAULTY}
    stacks |= {name: Contestant(name, AGENT) for name in (HEALTHY, "same")}
    stacks["told"] = Contestant("told", f"{AGENT} --told-role")
    stacks["mortal"] = Contestant("mortal", f"exec:{sys.executable} {folder}/mortal.py")
    stacks["picky"] = Contestant("picky", f"exec:{sys.executable} {folder}/mortal.py picky")
    stacks["absent"] = Contestant("absent", "exec:nothing", trouble="it is not here")
    found = {}
    Table(folder, stacks).run(CELLS, 8, lambda outcome: found.__setitem__(outcome.cell, outcome))
    return found


@pytest.mark.parametrize(("fault", "side", "mine", "theirs", "broken"), FAULTY)
def test_blame_goes_to_the_faulty_side_and_to_what_it_broke(outcomes, fault, side, mine, theirs, broken) -> None:
    outcome = outcomes[cell(fault, side, mine, theirs)]
    assert (outcome.kind, outcome.blamed) == (Kind.BROKE, [side]), outcome.sentence
    assert [breach.requirement for breach in outcome.breaches if breach.blocks] == [broken], outcome.sentence
    rfc, section, _ = broken.split("-", 2)
    assert outcome.sentence.startswith(f"{fault} broke RFC {rfc[3:]} {section}: ")
    other = [breach for breach in outcome.breaches if breach.side != side]
    assert not other, "a healthy agent breaks nothing"


@pytest.mark.parametrize("wishes", LAWFUL)
def test_nobody_is_blamed_where_no_tcptypes_match(outcomes, wishes) -> None:
    outcome = outcomes[cell("same", OFFERER, *wishes)]
    assert (outcome.kind, outcome.stage, outcome.blamed) == (Kind.LAWFUL, Stage.DESCRIBED, [])
    assert outcome.sentence.startswith("both lawful: no common tcptype (same offers ")


@pytest.mark.parametrize("family", [4, 6])
def test_healthy_agents_work_together_in_both_families(outcomes, family) -> None:
    outcome = outcomes[cell("same", OFFERER, family=family)]
    assert (outcome.kind, outcome.stage, outcome.breaches) == (Kind.WORKS, Stage.MEDIA, []), outcome.sentence
    assert "Binding request" in outcome.ladder


@pytest.mark.parametrize(("offerer", "answerer", "mine", "theirs"), ROLES)
def test_a_stack_begins_with_the_role_that_it_is_told(outcomes, folder, offerer, answerer, mine, theirs) -> None:
    outcome = outcomes[Cell(offerer, answerer, roles=(mine, theirs))]
    assert (outcome.kind, outcome.stage, outcome.breaches) == (Kind.WORKS, Stage.MEDIA, []), outcome.sentence
    seen = read(outcome.cell, folder / outcome.folder)
    controlling: dict[str, list[bool]] = {OFFERER: [], ANSWERER: []}
    for _talk, stun, side in seen.checks():
        controlling[side].append(stun.message.has(Attribute.ICE_CONTROLLING))
    assert controlling[ANSWERER][0] is bool(theirs)
    assert not (theirs and controlling[OFFERER][0])  # in a conflict it may have given way before its first check


@pytest.mark.parametrize(("mine", "theirs", "kind"), NATTED)
def test_a_nat_is_nobodys_fault(outcomes, mine, theirs, kind) -> None:
    outcome = outcomes[cell("same", OFFERER, mine, theirs, nat="EI/APD")]
    assert (outcome.kind, outcome.blamed) == (kind, []), outcome.sentence
    if kind is Kind.LAWFUL:
        assert outcome.sentence == "both lawful: no SYN passes the NAT EI/APD"


def test_a_stack_that_dies_costs_its_own_cell(outcomes) -> None:
    outcome = outcomes[cell("mortal", ANSWERER)]
    assert outcome.kind is Kind.UNDECIDED
    assert outcome.sentence.startswith("undecided: mortal, accept: the adapter ")
    assert "the stack trips over an offer" in outcome.sentence


def test_a_rejected_description_in_which_nothing_is_wrong_is_undecided(outcomes) -> None:
    outcome = outcomes[cell("picky", ANSWERER)]
    assert (outcome.kind, outcome.blamed) == (Kind.UNDECIDED, [])
    assert outcome.sentence.startswith("undecided: picky rejects the offer of healthy, which nothing makes unusable: ")
    assert outcome.sentence.endswith("it wants another offer")


def test_a_stack_that_cannot_be_had_is_named(outcomes) -> None:
    outcome = outcomes[cell("absent", OFFERER)]
    assert (outcome.kind, outcome.sentence) == (Kind.UNDECIDED, "undecided: absent cannot be had: it is not here")
