"""A "no" in the pics counts at the level of the sentence that asks for the capability."""

from __future__ import annotations

import pytest

from conformance.agent.adapter import pics as reference_pics
from conformance.catalogue import REQUIREMENTS
from conformance.catalogue.capabilities import check_conditions, unmet
from conformance.catalogue.static_review import DEMANDS, review
from conformance.verdict import Level

RICH = {
    "agent": ["full", "lite"],
    "sides": ["offerer", "answerer"],
    "offers": ["active", "passive", "so"],
    "connects": ["active", "passive", "so"],
    "families": [4, 6],
    "obeys": ["addresses", "tcptypes", "transports"],
    "restart": True,
    "updates": True,
    "tcp_srflx": True,
    "tcp_relay": True,
    "nat_assisted": True,
    "payload": "raw",
}


def ids(pics) -> set[str]:
    return {gap.requirement.id for gap in review(pics)}


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda demand: demand.requirement)
def test_a_demand_names_a_requirement_and_capabilities_that_exist(demand) -> None:
    assert demand.requirement in REQUIREMENTS
    check_conditions(atom for need in demand.needs for atom in need.split("|"))
    check_conditions(demand.given)


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda demand: demand.requirement)
def test_a_demand_is_met_by_an_agent_with_all_capabilities_and_missed_without_them(demand) -> None:
    assert demand.requirement not in ids(RICH)
    keys = [atom.partition(":")[0] for atom in demand.needs[0].split("|")]
    without = RICH | {key: ["lite"] if key == "agent" else type(RICH[key])() for key in keys}
    assert unmet(demand.given, without) == []
    assert demand.requirement in ids(without)


def test_the_reference_agent_leaves_no_gap_but_what_this_host_lacks() -> None:
    assert ids(reference_pics()) <= {"RFC6544-5-02"}


def test_either_of_two_techniques_will_do() -> None:
    assert "RFC6544-4.1-04" not in ids(RICH | {"tcp_srflx": False})
    assert "RFC6544-4.1-04" in ids(RICH | {"tcp_srflx": False, "nat_assisted": False})


def test_neither_reflexive_nor_relayed_candidates_are_a_breach_at_should() -> None:
    gaps = review(RICH | {"tcp_srflx": False, "tcp_relay": False, "nat_assisted": False})
    assert {"RFC6544-4.1-04", "RFC6544-4.1-05", "RFC8445-5.1.1.2-01"} <= {gap.requirement.id for gap in gaps}
    assert {gap.requirement.level for gap in gaps} == {Level.SHOULD}
    (techniques,) = [gap for gap in gaps if gap.requirement.id == "RFC6544-5-01"]
    assert techniques.lacks == ("tcp_relay", "tcp_srflx or nat_assisted")
    assert str(techniques) == "RFC6544-5-01 (should): tcp_relay, tcp_srflx or nat_assisted: the pics say no"


def test_a_key_that_is_left_out_is_not_called_declared() -> None:
    gaps = review({"agent": ["full"], "tcp_relay": False})
    declared = {gap.requirement.id: gap.declared for gap in gaps}
    assert declared["RFC6544-4.1-05"]
    assert not declared["RFC6544-4.1-04"]
    assert "the pics do not declare it" in str(next(gap for gap in gaps if gap.requirement.id == "RFC6544-4.1-04"))


def test_a_demand_of_full_agents_does_not_meet_a_lite_one() -> None:
    assert "RFC6544-4.1-04" not in ids({"agent": ["lite"]})
