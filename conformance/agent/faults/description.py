"""Faults in candidates, descriptions and pairs (RFC 6544 sections 3 to 6)."""

from __future__ import annotations

from conformance.agent.faults.model import Fault

FAULTS = (
    Fault("active-port-believed", "RFC6544-3-s01", "expects connections to come from the port in active candidates"),
    Fault("responses-within-dtls", "RFC6544-3-s02", "answers checks on selected connections within DTLS records"),
    Fault("dtls-at-once", "RFC6544-3-s03", "begins DTLS as soon as a connection stands"),
    Fault("one-address-only", "RFC6544-4.1-02", "gathers host candidates on the first of several addresses only"),
    Fault("no-active-candidate", "RFC6544-4.1-03", "states no active host candidate, although it connects"),
    Fault("no-reflexive-candidate", "RFC6544-4.1-04", "states no server reflexive candidate"),
    Fault(
        "reflexive-port-own",
        "RFC6544-4.1-04",
        "states its own port, not the mapped one, in passive server reflexive candidates",
    ),
    Fault("no-passive-relayed-candidate", "RFC6544-4.1-05", "states no passive relayed candidate"),
    Fault("no-active-relayed-candidate", "RFC6544-4.1-06", "states no active relayed candidate"),
    Fault("relay-instead-of-host", "RFC6544-4.1-07", "states no host candidates once it has relayed ones"),
    Fault(
        "server-connections-closed-early",
        "RFC6544-4.1-08",
        "closes connections to servers as soon as they have given candidates",
    ),
    Fault("checks-unpaced", "RFC6544-4.1-s01", "begins its checks without waiting Ta between them"),
    Fault("connects-all-at-once", "RFC6544-4.1-s02", "opens all connections as soon as it has both descriptions"),
    Fault("host-type-pref-100", "RFC6544-4.2-01", "gives host candidates the type preference 100"),
    Fault("component-not-in-priority", "RFC6544-4.2-01", "leaves the component out of the priority"),
    Fault("relayed-udp-as-tcp", "RFC6544-4.1-09", "states a relayed UDP address as a passive TCP candidate"),
    Fault("relayed-udp-deaf", "RFC6544-4.1-09", "ignores what comes to its relayed UDP addresses"),
    Fault("reflexive-type-pref-95", "RFC6544-4.2-01", "gives server reflexive candidates the type preference 95"),
    Fault("relayed-above-reflexive", "RFC6544-4.2-04", "gives relayed candidates the type preference 110"),
    Fault("direction-pref-9", "RFC6544-4.2-07", "lets direction-pref run over its three bits"),
    Fault("active-direction-pref-5", "RFC6544-4.2-09", "gives active host candidates direction-pref 5"),
    Fault("passive-direction-pref-3", "RFC6544-4.2-09", "gives passive host candidates direction-pref 3"),
    Fault("relayed-direction-pref-7", "RFC6544-4.2-09", "gives relayed candidates direction-pref 7"),
    Fault(
        "reflexive-direction-as-host",
        "RFC6544-4.2-10",
        "gives server reflexive candidates the direction-pref of host candidates",
    ),
    Fault("so-direction-pref-3", "RFC6544-4.2-09", "gives S-O host candidates direction-pref 3"),
    Fault("other-pref-shared", "RFC6544-4.2-11", "gives candidates on different addresses the same other-pref"),
    Fault("other-pref-not-8191", "RFC6544-4.2-12", "gives the only address an other-pref of 8000"),
    Fault("default-so", "RFC6544-4.3-02", "offers an S-O default"),
    Fault("offer-default-passive", "RFC6544-4.3-03", "offers a passive default although it has an active candidate"),
    Fault("tcp-not-switched-off", "RFC6544-4.1-01", "gathers TCP candidates although it is configured for UDP only"),
    Fault("transports-equal", "RFC6544-4.2-02", "gives UDP and TCP candidates for RTP the same type preference"),
    Fault("tcp-above-udp", "RFC6544-4.2-05", "prefers TCP candidates to UDP ones for RTP"),
    Fault("direction-below-address", "RFC6544-4.2-06", "puts other-pref above direction-pref in the local preference"),
    Fault("tcp-default-for-rtp", "RFC6544-4.3-01", "offers a TCP default for RTP although it has UDP candidates"),
    Fault("lite-checks-over-udp", "RFC6544-4.4-s02", "is a lite agent for TCP but checks UDP pairs like a full one"),
    Fault("lite-default-active", "RFC6544-4.3-04", "offers an active default as a lite agent"),
    Fault(
        "mismatch-with-candidates", "RFC6544-6-s02", "answers a=ice-mismatch beside candidates, and goes on with ICE"
    ),
    Fault("lite-undeclared", "RFC6544-4.4-01", "leaves a=ice-lite out as a lite agent"),
    Fault(
        "lite-gathers-active",
        "RFC6544-4.4-s01",
        "gathers active candidates as a lite agent although its default is passive",
    ),
    Fault(
        "lite-offerer-controlled", "RFC6544-6-s01", "takes the controlled role as a lite offerer beside a lite agent"
    ),
    Fault("lite-closes-matching", "RFC6544-6.1-03", "closes the connection that a lite peer's new offer names"),
    Fault("lite-keeps-mismatch", "RFC6544-6.1-04", "keeps a connection that is not that of a lite peer's new offer"),
    Fault(
        "lite-listens-on-default",
        "RFC6544-6.1-02",
        "accepts connections on its default candidate's address only as a lite agent",
    ),
    Fault("lite-forms-check-list", "RFC6544-6.2-s03", "forms a check list as a lite agent, and checks it"),
    Fault("active-port-allocated", "RFC6544-4.5-01", "states a port other than 9 in active candidates"),
    Fault(
        "active-address-unused", "RFC6544-4.5-01", "states an address in active candidates that it never connects from"
    ),
    Fault("active-relayed-address-own", "RFC6544-4.5-02", "states its own address in active relayed candidates"),
    Fault("setup-missing", "RFC6544-4.5-03", "leaves a=setup out"),
    Fault("connection-missing", "RFC6544-4.5-03", "leaves a=connection out"),
    Fault("answer-setup-active", "RFC6544-4.5-04", "answers every offer with setup:active"),
    Fault("answer-setup-actpass", "RFC6544-4.5-04", "answers every offer with setup:actpass"),
    Fault("setup-directs-connections", "RFC6544-4.5-s04", "connects only where setup makes it the DTLS client"),
    Fault("opener-begins-dtls", "RFC6544-4.5-s04", "begins DTLS where it opened the connection, whatever setup says"),
    Fault("transport-udp", "RFC6544-4.5-s01", "writes UDP as the transport of its TCP candidates"),
    Fault(
        "lower-case-transport-ignored",
        "RFC6544-4.5-s01",
        "ignores candidates whose transport is not written in capitals",
    ),
    Fault("tcptype-missing", "RFC6544-4.5-s02", "writes candidates without tcptype"),
    Fault("so-spelt-out", "RFC6544-4.5-s02", "writes tcptype simultaneous-open instead of so"),
    Fault("tcptype-not-in-place", "RFC6544-4.5-s03", "writes another extension attribute before tcptype"),
    Fault("extended-candidate-ignored", "RFC6544-4.5-s05", "ignores candidates that have extension attributes"),
    Fault("one-family-only", "RFC6544-5-02", "gathers no IPv6 candidates where it has an IPv4 address"),
    Fault("one-server-only", "RFC6544-5-01", "asks only the first of several servers"),
    Fault("no-so-candidate", "RFC6544-5.1-01", "states no S-O host candidate, although it acts as one"),
    Fault("so-shares-passive-port", "RFC6544-5.1-01", "states its S-O candidates at the ports of its passive ones"),
    Fault("no-passive-candidate", "RFC6544-5.1-01", "states no passive host candidate, although it listens"),
    Fault("trickled-candidate-ignored", "RFC6544-6.2-s01", "pairs none of the candidates that the peer trickles"),
    Fault("late-candidate-not-paired", "RFC6544-6.2-s01", "pairs no candidate of its own that it trickles"),
    Fault(
        "checks-from-passive", "RFC6544-6.2-01", "connects for pairs of a passive local and an active remote candidate"
    ),
    Fault(
        "pairs-passive-with-passive", "RFC6544-6.2-s01", "pairs passive with passive candidates, and connects for them"
    ),
    Fault("pairs-active-with-active", "RFC6544-6.2-s01", "pairs active with active candidates, and connects for them"),
    Fault(
        "pairs-active-with-so",
        "RFC6544-6.2-s01",
        "pairs active with simultaneous-open candidates, and connects for them",
    ),
    Fault("pairs-so-with-passive", "RFC6544-6.2-s01", "pairs S-O with passive candidates, and connects for them"),
    Fault("pairs-so-with-active", "RFC6544-6.2-s01", "pairs S-O with active candidates, and connects for them"),
    Fault("so-never-paired", "RFC6544-6.2-s01", "forms no pairs with its S-O candidates"),
    Fault("active-never-paired", "RFC6544-6.2-s01", "forms no pair of an active local and a passive remote candidate"),
    Fault("tcptype-case-matters", "RFC6544-4.5-s02", "ignores candidates whose tcptype is not in small letters"),
    Fault("lite-gathers-so", "RFC6544-4.4-s01", "gathers S-O candidates as a lite agent"),
    Fault("active-on-one-address", "RFC6544-4.1-03", "states active candidates on the first of several addresses only"),
    Fault("listens-on-one-address", "RFC6544-5.1-01", "states passive and S-O candidates on its first address only"),
    Fault("components-share-port", "RFC6544-5.1-01", "states the first component's ports for the second as well"),
)
