"""Faults in checks of its own and in nomination (RFC 6544 sections 7, 7.1 and 8)."""

from __future__ import annotations

from conformance.agent.faults.model import Fault

FAULTS = (
    Fault("udp-first", "RFC6544-7-s02", "checks all UDP pairs before the TCP ones, whatever their priorities"),
    Fault("tcp-first", "RFC6544-7-s02", "checks all TCP pairs before the UDP ones, whatever their priorities"),
    Fault("lite-checks-in-turn", "RFC6544-7-s01", "answers each check with one of its own as a lite agent"),
    Fault("connects-from-other-interface", "RFC6544-7.1-01", "leaves the source address of connections to the kernel"),
    Fault(
        "connects-from-allocated-port", "RFC6544-7.1-02", "connects from the port that its passive candidate listens on"
    ),
    Fault("check-without-frame", "RFC6544-7.1-03", "sends checks without LENGTH before them"),
    Fault("two-messages-in-frame", "RFC6544-7.1-03", "puts a second STUN message into the frame of a check"),
    Fault(
        "one-attempt-at-a-time", "RFC6544-7.1-04", "waits for a connection to come about before it tries another pair"
    ),
    Fault(
        "last-pair-ends-list",
        "RFC6544-7.1-04",
        "gives the check list up with its last pair although candidates may still come",
    ),
    Fault("unreachable-not-failed", "RFC6544-7.1-04", "leaves a pair in progress when its connection was refused"),
    Fault(
        "non-stun-answer-ignored",
        "RFC6544-7.1-05",
        "goes on when the first check is answered by something that is no STUN",
    ),
    Fault(
        "non-stun-answer-retried",
        "RFC6544-7.1-05",
        "tries a remote candidate again that answered with something that is no STUN",
    ),
    Fault(
        "so-connects-from-other-port", "RFC6544-7.1-s01", "connects for S-O pairs from a port that is not their base's"
    ),
    Fault(
        "so-opened-twice", "RFC6544-7.1-s02", "opens a connection for an S-O pair whose connection the peer has opened"
    ),
    Fault(
        "trickled-so-opens-second",
        "RFC6544-7.1-s02",
        "opens a connection for a trickled S-O candidate from which the peer has connected already",
    ),
    Fault("first-stream-alone-checked", "RFC6544-7.1-s01", "makes checks for the first of several streams only"),
    Fault("connects-without-check", "RFC6544-7.1-s01", "opens connections but sends no check on them"),
    Fault(
        "second-connection-per-check", "RFC6544-7.1-s02", "opens another connection for each further check of a pair"
    ),
    Fault("check-retransmitted", "RFC6544-7.1-s03", "sends each check twice"),
    Fault("check-without-integrity", "RFC6544-7.1-s04", "sends checks without MESSAGE-INTEGRITY"),
    Fault("check-without-fingerprint", "RFC6544-7.1-s04", "sends checks without FINGERPRINT"),
    Fault(
        "broken-connection-ends-others",
        "RFC6544-7.1-s04",
        "closes its other connections too when one breaks on which a check has succeeded",
    ),
    Fault("lost-connection-ends-checks", "RFC6544-7.1-s04", "gives all pairs up when a connection of one breaks"),
    Fault("unanswered-check-blocks", "RFC6544-7.1-s04", "sends no check while another is unanswered"),
    Fault("check-without-role", "RFC6544-7.1-s04", "sends checks with neither ICE-CONTROLLING nor ICE-CONTROLLED"),
    Fault("check-without-priority", "RFC6544-7.1-s04", "sends checks without PRIORITY"),
    Fault("check-username-reversed", "RFC6544-7.1-s04", "puts its own fragment first in USERNAME"),
    Fault("response-integrity-unchecked", "RFC6544-7.1-s04", "believes responses whatever their MESSAGE-INTEGRITY"),
    Fault("nominates-as-controlled", "RFC6544-7.1-s04", "nominates although it is the controlled agent"),
    Fault("checks-within-dtls", "RFC6544-7.1-s05", "sends checks as application data of DTLS"),
    Fault("dtls-before-completion", "RFC6544-7.1-s06", "begins DTLS when a pair is valid, before it is nominated"),
    Fault("use-candidate-at-once", "RFC6544-8-01", "nominates aggressively: with every check"),
    Fault("nominates-before-success", "RFC6544-8-01", "nominates before a check of the pair has succeeded"),
    Fault("never-nominates", "RFC6544-8-01", "never nominates"),
    Fault("unselected-kept", "RFC6544-8-02", "keeps connections that were not selected"),
    Fault(
        "framing-ends-with-restart",
        "RFC6544-7.1-03",
        "sends checks without LENGTH on a connection that it uses again after a restart",
    ),
    Fault("check-priority-of-host", "RFC6544-7.1-s04", "puts the host candidate's own priority into PRIORITY"),
    Fault("tie-breaker-anew", "RFC6544-7.1-s04", "takes a new tie-breaker for each check"),
    Fault("nomination-without-integrity", "RFC6544-7.1-s04", "sends nominating checks without MESSAGE-INTEGRITY"),
    Fault("conflict-error-ignored", "RFC6544-7.1-s04", "takes 487 for a failure of the pair, and keeps its role"),
    Fault("unprotected-conflict-believed", "RFC6544-7.1-s04", "changes its role for a 487 without MESSAGE-INTEGRITY"),
    Fault(
        "unknown-attribute-in-response-ignored",
        "RFC6544-7.1-s04",
        "believes success responses with unknown comprehension-required attributes",
    ),
    Fault("response-anywhere-believed", "RFC6544-7.1-s04", "believes responses on other connections than the check"),
    Fault("opened-connections-kept", "RFC6544-8-02", "keeps connections that it opened and that were not selected"),
    Fault("silent-connections-kept", "RFC6544-8-02", "keeps connections on which nobody has authenticated"),
    Fault(
        "non-stun-answer-fails-one-pair",
        "RFC6544-7.1-05",
        "goes on with other pairs of a remote candidate that answered with something that is no STUN",
    ),
    Fault("later-opened-without-frame", "RFC6544-7.1-03", "frames checks on the first connection that it opens only"),
    Fault("closes-at-first-success", "RFC6544-8-02", "closes all other connections once a check has succeeded"),
    Fault("nominates-all", "RFC6544-8-01", "nominates every connection of a component"),
)
