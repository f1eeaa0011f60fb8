"""Candidates, pairs and check lists."""

from __future__ import annotations

import pytest

from conformance.agent.candidates import (
    Base,
    Foundations,
    Local,
    check_priority,
    default_candidate,
    peer_reflexive_remote,
)
from conformance.agent.checklist import CheckList, ListState, limit_pairs, pick, set_initial_states, unfreeze
from conformance.agent.config import Config
from conformance.agent.decisions import Decisions
from conformance.agent.forming import form_pairs
from conformance.agent.pairs import Pair, PairState, may_pair
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate

LAWFUL = Decisions(Config(offerer=True))
BASE = Base(1, 1, "10.0.0.1", "passive")


def locals_on(*places):
    """Return host candidates for (ip, tcptype, component, rank)."""
    bases = [Base(n, component, ip, kind, rank, 5000 + n) for n, (ip, kind, component, rank) in enumerate(places)]
    return LAWFUL.host_candidates(bases, Foundations())


def remote(tcptype, address="10.0.0.9", port=7000, component=1, foundation="1", priority=1000, transport="TCP"):
    return Candidate(foundation, component, transport, priority, address, port, "host", tcptype=tcptype)


def test_priorities_are_those_of_the_rfcs_example():
    active, passive, so = locals_on(
        ("10.0.1.1", "active", 1, 0), ("10.0.1.1", "passive", 1, 0), ("10.0.1.1", "so", 1, 0)
    )
    assert [local.candidate.priority for local in (active, passive, so)] == [2128609279, 2124414975, 2120220671]
    assert active.candidate.port == 9
    assert passive.candidate.port == 5001
    assert check_priority(active) == 110 << 24 | active.candidate.priority & 0xFFFFFF


def test_priorities_and_other_preferences_are_unique():
    places = [(f"10.0.0.{n}", kind, c, n) for n in range(4) for kind in ("active", "passive") for c in (1, 2)]
    worth = [local.candidate.priority for local in locals_on(*places)]
    assert len(set(worth)) == len(worth)
    assert max(worth) < 2**31
    assert [LAWFUL.other_preference(rank) for rank in (0, 1, 9000)] == [8191, 8190, 0]


def test_foundations_are_equal_for_equal_type_base_and_transport():
    foundations = Foundations()
    assert foundations.of("host", "10.0.0.1") == foundations.of("host", "10.0.0.1")
    others = [("host", "10.0.0.2"), ("prflx", "10.0.0.1"), ("srflx", "10.0.0.1", "s"), ("host", "10.0.0.1", "", "udp")]
    assert len({foundations.of(*key) for key in [("host", "10.0.0.1"), *others]}) == 5


def test_peer_reflexive_remotes_have_foundations_of_their_own():
    known = [remote("active", foundation="prflx1")]
    known.append(peer_reflexive_remote(Address("10.0.0.9", 1), BASE, 5, known))
    known.append(peer_reflexive_remote(Address("10.0.0.9", 2), BASE, 5, known))
    assert len({candidate.foundation for candidate in known}) == 3


def test_default_candidate():
    both = locals_on(("10.0.0.1", "active", 1, 0), ("10.0.0.1", "passive", 1, 0))
    assert default_candidate(both, 1, "active").tcptype == "active"
    assert default_candidate(both, 1, "passive").tcptype == "passive"
    assert default_candidate(both[:1], 1, "passive").tcptype == "active"
    assert default_candidate(both, 2, "active") is None


@pytest.mark.parametrize("own", ["active", "passive", "so"])
@pytest.mark.parametrize("theirs", ["active", "passive", "so", None, "Passive"])
def test_pairing_table(own, theirs):
    (local,) = locals_on(("10.0.0.1", own, 1, 0))
    wanted = (own, (theirs or "").lower()) in {("so", "so"), ("active", "passive"), ("passive", "active")}
    assert may_pair(local, remote(theirs)) is wanted


@pytest.mark.parametrize(
    "theirs",
    [
        remote("passive", component=2),
        remote("passive", "2001:db8::1"),
        remote("passive", "peer.example"),
        remote("passive", transport="UDP"),
    ],
)
def test_what_does_not_meet(theirs):
    (local,) = locals_on(("10.0.0.1", "active", 1, 0))
    assert not may_pair(local, theirs)


def test_link_local_meets_link_local_only():
    (local,) = locals_on(("fe80::1", "active", 1, 0))
    assert may_pair(local, remote("passive", "fe80::2"))
    assert not may_pair(local, remote("passive", "2001:db8::2"))


def test_pairs_are_ordered_and_pruned():
    ours = locals_on(("10.0.0.1", "active", 1, 0), ("10.0.0.1", "passive", 1, 0), ("10.0.0.2", "active", 1, 1))
    theirs = [remote("passive", priority=500), remote("active", port=9, priority=900), remote("passive", priority=800)]
    pairs = form_pairs(ours, theirs, controlling=True, decisions=LAWFUL)
    assert {pair.local.tcptype for pair in pairs} == {"active"}
    assert len(pairs) == 2, "redundant pairs are left"
    assert {pair.remote.priority for pair in pairs} == {800}
    assert pairs[0].priority > pairs[1].priority


def test_pair_priority_depends_on_the_role():
    (local,) = locals_on(("10.0.0.1", "active", 1, 0))
    pair = Pair(local, remote("passive", priority=1000))
    own = local.candidate.priority
    pair.reprioritise(controlling=True)
    assert pair.priority == (1000 << 32) + 2 * own + 1
    pair.reprioritise(controlling=False)
    assert pair.priority == (1000 << 32) + 2 * own


def example():
    """The three check lists of the table in RFC 8445 section 6.1.2.6."""
    lists = []
    for foundations in (("1", "2", "3"), ("1", "2", "3", "4"), ("1", "5")):
        (local,) = locals_on(("10.0.0.1", "active", 1, 0))
        checks = CheckList(components=1)
        for number, foundation in enumerate(foundations):
            checks.pairs.append(Pair(local, remote("passive", port=100 + number, foundation=foundation)))
            checks.pairs[-1].reprioritise(True)
        lists.append(checks)
    set_initial_states(lists, LAWFUL)
    return lists


def states(checks):
    return "".join(pair.state.value[0] for pair in checks.pairs)


def test_initial_states_are_those_of_the_rfcs_table():
    assert [states(checks) for checks in example()] == ["www", "fffw", "fw"]


def test_lowest_component_is_unfrozen_first():
    ours = locals_on(("10.0.0.1", "active", 2, 0), ("10.0.0.1", "active", 1, 0))
    checks = CheckList(
        2, form_pairs(ours, [remote("passive", component=2), remote("passive", component=1)], True, LAWFUL)
    )
    set_initial_states([checks], LAWFUL)
    assert {pair.component: pair.state for pair in checks.pairs} == {1: PairState.WAITING, 2: PairState.FROZEN}


def test_success_unfreezes_the_foundation_everywhere():
    lists = example()
    unfreeze(lists, lists[0].pairs[0].foundation, LAWFUL)
    assert [states(checks) for checks in lists] == ["www", "wffw", "ww"]


def test_picking_order():
    lists = example()
    second = lists[1]

    def anything(_pair):
        return True

    assert pick(second, lists, anything, LAWFUL) is second.pairs[3]
    second.trigger(second.pairs[1])
    assert pick(second, lists, anything, LAWFUL) is second.pairs[1], "triggered checks come first"
    second.remove_from_queue(second.pairs[1])
    assert pick(second, lists, lambda _pair: False, LAWFUL) is None
    for checks in lists:
        for pair in checks.pairs:
            pair.state = PairState.FAILED if pair.state is PairState.WAITING else pair.state
    thawed = pick(second, lists, anything, LAWFUL)
    assert thawed.state is PairState.WAITING, "frozen foundations thaw when nothing else is left"


def test_limit_takes_the_same_number_from_each_list():
    lists = example()
    limit_pairs(lists, 6, LAWFUL)
    assert [len(checks.pairs) for checks in lists] == [2, 3, 1], "there were 3, 4 and 2"


def test_triggered_check_revives_a_failed_list_and_waits_once():
    (checks, *_) = example()
    checks.state = ListState.FAILED
    checks.trigger(checks.pairs[0])
    checks.trigger(checks.pairs[0])
    assert checks.running
    assert len(checks.triggered) == 1


def test_concluding_a_component_drops_its_other_pairs():
    (checks, *_) = example()
    chosen, other = checks.pairs[:2]
    checks.succeeded(chosen, chosen)
    checks.trigger(other)
    checks.nominated[1] = chosen
    checks.conclude_component(1)
    assert checks.pairs == [chosen]
    assert not checks.triggered


def test_locals_are_told_apart_by_identity():
    first, second = locals_on(("10.0.0.1", "active", 1, 0), ("10.0.0.1", "active", 1, 0))
    assert first != second
    assert isinstance(first, Local)
