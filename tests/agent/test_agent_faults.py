"""The faults, that the agent's body knows none of them, and that a faulty agent is still an agent."""

from __future__ import annotations

import ast
import contextlib
import random
import re
from functools import cache
from pathlib import Path

import pytest
from agent_simulation import Network

import conformance.agent
from conformance.agent.config import Config, Media, StreamPlan
from conformance.agent.decisions import Decisions
from conformance.agent.events import AgentError, Rejected
from conformance.agent.faults import BY_NAME, FAULTS, decisions
from conformance.agent.faults.observation import Observed, replaced
from conformance.catalogue import REQUIREMENTS
from conformance.wire.attributes import Address, Attribute, RawAttribute, xor_address
from conformance.wire.stun import Message, MessageClass, Method, StunError

FOLDER = Path(conformance.agent.__file__).parent
BODY = sorted(path for path in FOLDER.rglob("*.py") if "faults" not in path.relative_to(FOLDER).parts)
WORD = re.compile(r"(?:^|_)faults?(?:_|$)")
CHOOSE = {"__main__.py", "adapter.py"}  # these are told which faults to have


def members(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def test_names_are_unique():
    assert len(BY_NAME) == len(FAULTS)
    assert len({fault.replacement for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("path", BODY, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_the_body_of_the_agent_knows_no_fault(path):
    tree = ast.parse(path.read_text())
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {name for name in BY_NAME for word in words if f'"{name}"' in word or name == word}
    assert not named
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    knows = any(module and module.startswith("conformance.agent.faults") for module in imported)
    assert path.name in CHOOSE or not (knows or any(WORD.search(name) for name in names))


def test_a_fault_replaces_decisions_and_adds_none():
    added = {fault.name: members(fault.replacement) - set(dir(Decisions)) for fault in FAULTS}
    assert not {name: more for name, more in added.items() if more}
    assert not [fault.name for fault in FAULTS if not replaced(fault.replacement)]


def test_every_decision_of_the_agent_names_the_clause_that_it_follows():
    topics = [topic for topic in Decisions.__mro__ if topic.__module__.startswith("conformance.agent.decisions.")]
    asked = {(topic, name) for topic in topics for name in members(topic)}
    assert asked
    vague = [name for topic, name in asked if "RFC" not in (getattr(topic, name).__doc__ or "")]
    assert not vague


def test_faults_are_combined_once_in_any_number():
    every = frozenset(BY_NAME)
    assert isinstance(decisions(every)(Config(offerer=True)), Decisions)
    assert decisions(every) is decisions(frozenset(sorted(every)))
    assert decisions(frozenset()) is Decisions


def test_combined_faults_both_act():
    both = decisions(frozenset({"passive-direction-pref-3", "host-type-pref-100"}))(Config(offerer=True))
    assert both.direction_preference("host", "passive") == 3
    assert both.direction_preference("host", "active") == 6


def test_faults_of_one_decision_both_act():
    both = decisions(frozenset({"pairs-active-with-so", "so-never-paired"}))(Config(offerer=True))
    assert both.meets("active", "so")
    assert not both.meets("so", "so")
    assert both.meets("active", "passive")


def test_requirements_exist_and_can_be_tested():
    unknown = {fault.name: fault.requirement for fault in FAULTS if fault.requirement not in REQUIREMENTS}
    assert not unknown
    vain = {fault.name: fault.requirement for fault in FAULTS if REQUIREMENTS[fault.requirement].untestable}
    assert not vain


def play(fault=None, offerer=True, chosen=None):
    """Let a faulty agent meet a healthy one; return everything that the wire and the applications saw."""
    network = Network()
    if chosen is not None:
        chosen.clock = staticmethod(lambda: network.now)
    seen = []

    def record(octets):
        seen.append(octets)
        return [octets[:1], octets[1:]] if len(seen) % 2 else [octets]

    network.cut = record
    faults = frozenset({fault} if fault else ())
    streams = (StreamPlan(Media.RTP, 2),)
    one = network.host(
        offerer=offerer, faults=faults, chosen=chosen, streams=streams, addresses=["10.0.0.1", "10.0.0.3"]
    )
    two = network.host(offerer=not offerer, addresses=["10.0.0.2"], streams=streams)
    offerer_host, answerer_host = (one, two) if offerer else (two, one)
    with contextlib.suppress(Rejected):  # by the healthy agent: some faults make a description that cannot be read
        network.exchange(offerer_host, answerer_host)
    texts = [text for text in (one.agent._exchange.described, two.agent._exchange.described) if text]
    network.run(4)
    for host in (one, two):
        for size in (10, 30_000, 60_000):
            with contextlib.suppress(AgentError):  # some faults lose the selected connection
                host.tell("send", 2, b"\x80" * size)
    network.run(50)
    return texts, seen, one.states, two.states, one.data, two.data


@cache
def observed(offerer):
    """Return what a healthy agent does, and which faults would have made a difference."""
    seen = []

    class Watched(Observed):
        def __init__(self, config):
            super().__init__(config)
            seen.append(self)

    played = play(offerer=offerer, chosen=Watched)
    return played, seen[0].touched


def test_an_observed_agent_is_a_healthy_one():
    played, touched = observed(True)
    assert played == play()
    assert {"check-without-fingerprint", "host-type-pref-100", "length-includes-itself"} <= touched
    assert not {"so-never-paired", "dtls-at-once", "turn-connection-kept", "lite-undeclared"} & touched


@pytest.mark.parametrize("offerer", [True, False])
@pytest.mark.parametrize("fault", BY_NAME)
def test_a_faulty_agent_neither_crashes_nor_spins(fault, offerer):
    texts, *_ = played = play(fault, offerer)
    assert texts
    assert all(text.startswith("v=0") for text in texts)
    healthy, touched = observed(offerer)
    assert fault in touched or played == healthy, "observing a healthy session tells what a fault does not change"


def observe(seconds, *decided):
    """Return which faults would have made a difference to an agent that decides this and lasts so many seconds."""
    watched, now = Observed(Config(offerer=True)), [0.0]
    watched.clock = lambda: now[0]
    for name, *arguments in decided:
        getattr(watched, name)(*arguments)
    now[0] = seconds
    return watched.touched


def test_another_delay_makes_no_difference_before_it_has_passed():
    assert "fails-too-soon" not in observe(4.9, ("patience_for_checks", 39.5))
    assert "fails-too-soon" in observe(10.0, ("patience_for_checks", 39.5))
    assert "never-fails" not in observe(10.0, ("patience_for_checks", 39.5))
    assert "never-fails" in observe(39.5, ("patience_for_checks", 39.5))
    assert "fails-at-once" in observe(0.0, ("patience_for_checks", 39.5))
    without_clock = Observed(Config(offerer=True))
    without_clock.patience_for_checks(39.5)
    assert "never-fails" in without_clock.touched


def test_a_fault_that_draws_what_was_drawn_makes_no_difference():
    octets = random.Random(1).randbytes
    controlled = Observed(Config(offerer=True))
    assert controlled.tie_breaker(7, octets) == 7
    assert "controlled-tie-breaker-anew" not in controlled.touched
    assert "tie-breaker-anew" in controlled.touched


def test_another_text_of_a_description_is_told_with_what_it_is_instead_of():
    watched = Observed(Config(offerer=True))
    text = "v=0\r\nt=0 0\r\na=ice-options:ice2 x\r\nm=audio 9 TCP 0\r\na=ice-pwd:" + "p" * 24 + "\r\n"
    assert watched.offered(watched.written(text)) == text
    observation = watched.observation
    ((handed_out, others),) = observation["texts"]
    assert handed_out == text
    assert others["ice2-unsaid"] == text.replace("ice2 ", "")
    assert others["short-password"] == text.replace("p" * 24, "p" * 21)
    assert "one-foundation" not in others, "there is no candidate"
    assert "ice2-unsaid" in watched.touched
    assert "ice2-unsaid" not in observation["touched"]
    assert watched.written_answer(watched.written(text.replace("ice2 ", ""))) != text
    assert "ice2-unsaid" not in watched.observation["texts"][1][1]
    assert "short-password" in watched.observation["texts"][1][1]


def test_a_text_with_other_sections_makes_a_difference_to_the_agent():
    watched = Observed(Config(offerer=False))
    watched.written_answer(watched.written("v=0\r\n" + "m=audio 9 TCP 0\r\n" * 2))
    assert "answers-first-section-alone" in watched.observation["touched"]
    assert "answers-first-section-alone" not in watched.observation["texts"][0][1]


def test_a_fault_is_also_compared_where_the_lawful_decision_refuses():
    mapped = xor_address(Attribute.XOR_MAPPED_ADDRESS, Address("192.0.2.1", 9), bytes(12))
    strange = {kind: RawAttribute(kind, b"\0\3" + bytes(18)) for kind in (Attribute.XOR_MAPPED_ADDRESS, 0x0016)}
    watched = Observed(Config(offerer=True))
    with pytest.raises(StunError):
        watched.relayed_in(Message(Method.ALLOCATE, MessageClass.SUCCESS, bytes(12), (mapped, strange[0x0016])))
    assert "strange-family-believed" in watched.touched
    with pytest.raises(StunError):
        watched.mapped_in(Message(Method.BINDING, MessageClass.SUCCESS, bytes(12), (strange[0x0020],)))
    assert "strange-family-stops-all" not in watched.touched, "it refuses as well"
    assert watched.answers(None, None, True)
    assert "strange-family-stops-all" in watched.touched, "and it remembers what it refused"


def test_a_healthy_agent_is_reproducible():
    assert play() == play()
