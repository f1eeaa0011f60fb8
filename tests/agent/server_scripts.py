"""What tests of the agent and its servers begin with."""

from __future__ import annotations

from server_simulation import PASSWORD, TURN, USER

from conformance.agent.config import IceServer
from conformance.wire.attributes import Address
from conformance.wire.sdp import SessionDescription

STUN = Address("10.0.0.51", 3478)
RELAYING = IceServer(TURN, True, USER, PASSWORD)
REFLECTING = IceServer(STUN)


def gather(host, within=10.0):
    """Let a host gather; return its candidates."""
    host.tell("gather")
    assert host.network.run(within, lambda: host.agent.gathered)
    return candidates(host.agent._exchange.described or host.describe())  # a further one would be an updated offer


def candidates(sdp):
    return SessionDescription.parse(sdp).media[0].candidates


def kinds(found):
    return sorted((c.type, c.tcptype) for c in found)


def only(sdp, wanted):
    lines = sdp.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("a=candidate") or wanted in line)


HOST = [("host", "active"), ("host", "passive")]
RELAY = [("relay", "active"), ("relay", "passive")]
REFLEXIVE = [("srflx", "active"), ("srflx", "passive")]
