"""The list of faults, and that a faulty agent is still an agent."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from agent_simulation import Network

import conformance.agent
from conformance.agent.config import Media, StreamPlan
from conformance.agent.events import AgentError
from conformance.agent.faults import BY_NAME, FAULTS
from conformance.catalogue import REQUIREMENTS

ASKED = re.compile(r'"([a-z0-9-]+)"\s+(?:not )?in (?:self\._?)?(?:_?config\.)?_?faults\b')


def asked_for():
    """Return every fault that the agent's code asks for."""
    folder = Path(conformance.agent.__file__).parent
    text = "\n".join(path.read_text() for path in folder.glob("*.py"))
    named = set(ASKED.findall(text))
    return named | {name for name in BY_NAME if f'"{name}"' in text}


def test_names_are_unique_and_asked_for():
    assert len(BY_NAME) == len(FAULTS)
    assert asked_for() == set(BY_NAME)


def test_requirements_exist_and_can_be_tested():
    unknown = {fault.name: fault.requirement for fault in FAULTS if fault.requirement not in REQUIREMENTS}
    assert not unknown
    vain = {fault.name: fault.requirement for fault in FAULTS if REQUIREMENTS[fault.requirement].untestable}
    assert not vain


def play(fault=None, offerer=True):
    """Let a faulty agent meet a healthy one; return everything that the wire and the applications saw."""
    network = Network()
    seen = []

    def record(octets):
        seen.append(octets)
        return [octets[:1], octets[1:]] if len(seen) % 2 else [octets]

    network.cut = record
    faults = frozenset({fault} if fault else ())
    streams = (StreamPlan(Media.RTP, 2),)
    one = network.host(offerer=offerer, faults=faults, streams=streams, addresses=["10.0.0.1", "10.0.0.3"])
    two = network.host(offerer=not offerer, addresses=["10.0.0.2"], streams=streams)
    offerer_host, answerer_host = (one, two) if offerer else (two, one)
    network.exchange(offerer_host, answerer_host)
    texts = [one.agent._described, two.agent._described]
    network.run(4)
    for host in (one, two):
        for size in (10, 30_000, 60_000):
            with contextlib.suppress(AgentError):  # some faults lose the selected connection
                host.tell("send", 2, b"\x80" * size)
    network.run(50)
    return texts, seen, one.states, two.states, one.data, two.data


@pytest.mark.parametrize("offerer", [True, False])
@pytest.mark.parametrize("fault", BY_NAME)
def test_a_faulty_agent_neither_crashes_nor_spins(fault, offerer):
    texts, *_ = play(fault, offerer)
    assert all(text.startswith("v=0") for text in texts)


def test_a_healthy_agent_is_reproducible():
    assert play() == play()
