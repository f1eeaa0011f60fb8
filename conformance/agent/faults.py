"""Named ways to be wrong: each fault breaks one requirement and nothing else. The healthy agent has none.

A fault is asked for where it concerns, by its name written out; the tests hold this list against those
places and the ids against the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A switch. ``requirement`` is the id of the statement that it breaks, ``summary`` what the agent then does."""

    name: str
    requirement: str
    summary: str


FAULTS: tuple[Fault, ...] = (
    Fault(
        "active-port-believed",
        "RFC6544-3-s01",
        "expects connections to come from the port in active candidates",
    ),
    Fault(
        "responses-within-dtls",
        "RFC6544-3-s02",
        "answers checks on selected connections within DTLS records",
    ),
    Fault("dtls-at-once", "RFC6544-3-s03", "begins DTLS as soon as a connection stands"),
    Fault(
        "one-address-only",
        "RFC6544-4.1-02",
        "gathers host candidates on the first of several addresses only",
    ),
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
    Fault(
        "connects-all-at-once",
        "RFC6544-4.1-s02",
        "opens all connections as soon as it has both descriptions",
    ),
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
    Fault(
        "other-pref-shared",
        "RFC6544-4.2-11",
        "gives candidates on different addresses the same other-pref",
    ),
    Fault("other-pref-not-8191", "RFC6544-4.2-12", "gives the only address an other-pref of 8000"),
    Fault("default-so", "RFC6544-4.3-02", "offers an S-O default"),
    Fault(
        "offer-default-passive",
        "RFC6544-4.3-03",
        "offers a passive default although it has an active candidate",
    ),
    Fault("tcp-not-switched-off", "RFC6544-4.1-01", "gathers TCP candidates although it is configured for UDP only"),
    Fault("transports-equal", "RFC6544-4.2-02", "gives UDP and TCP candidates for RTP the same type preference"),
    Fault("tcp-above-udp", "RFC6544-4.2-05", "prefers TCP candidates to UDP ones for RTP"),
    Fault(
        "direction-below-address",
        "RFC6544-4.2-06",
        "puts other-pref above direction-pref in the local preference",
    ),
    Fault("tcp-default-for-rtp", "RFC6544-4.3-01", "offers a TCP default for RTP although it has UDP candidates"),
    Fault("lite-checks-over-udp", "RFC6544-4.4-s02", "is a lite agent for TCP but checks UDP pairs like a full one"),
    Fault("udp-first", "RFC6544-7-s02", "checks all UDP pairs before the TCP ones, whatever their priorities"),
    Fault("tcp-first", "RFC6544-7-s02", "checks all TCP pairs before the UDP ones, whatever their priorities"),
    Fault("lite-default-active", "RFC6544-4.3-04", "offers an active default as a lite agent"),
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
    Fault("lite-checks-in-turn", "RFC6544-7-s01", "answers each check with one of its own as a lite agent"),
    Fault("active-port-allocated", "RFC6544-4.5-01", "states a port other than 9 in active candidates"),
    Fault(
        "active-address-unused",
        "RFC6544-4.5-01",
        "states an address in active candidates that it never connects from",
    ),
    Fault(
        "active-relayed-address-own",
        "RFC6544-4.5-02",
        "states its own address in active relayed candidates",
    ),
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
    Fault(
        "extended-candidate-ignored",
        "RFC6544-4.5-s05",
        "ignores candidates that have extension attributes",
    ),
    Fault(
        "one-family-only",
        "RFC6544-5-02",
        "gathers no IPv6 candidates where it has an IPv4 address",
    ),
    Fault("one-server-only", "RFC6544-5-01", "asks only the first of several servers"),
    Fault("no-so-candidate", "RFC6544-5.1-01", "states no S-O host candidate, although it acts as one"),
    Fault("so-shares-passive-port", "RFC6544-5.1-01", "states its S-O candidates at the ports of its passive ones"),
    Fault("no-passive-candidate", "RFC6544-5.1-01", "states no passive host candidate, although it listens"),
    Fault("trickled-candidate-ignored", "RFC6544-6.2-s01", "pairs none of the candidates that the peer trickles"),
    Fault("late-candidate-not-paired", "RFC6544-6.2-s01", "pairs no candidate of its own that it trickles"),
    Fault(
        "checks-from-passive",
        "RFC6544-6.2-01",
        "connects for pairs of a passive local and an active remote candidate",
    ),
    Fault(
        "pairs-passive-with-passive",
        "RFC6544-6.2-s01",
        "pairs passive with passive candidates, and connects for them",
    ),
    Fault(
        "pairs-active-with-active",
        "RFC6544-6.2-s01",
        "pairs active with active candidates, and connects for them",
    ),
    Fault(
        "pairs-active-with-so",
        "RFC6544-6.2-s01",
        "pairs active with simultaneous-open candidates, and connects for them",
    ),
    Fault("pairs-so-with-passive", "RFC6544-6.2-s01", "pairs S-O with passive candidates, and connects for them"),
    Fault("pairs-so-with-active", "RFC6544-6.2-s01", "pairs S-O with active candidates, and connects for them"),
    Fault("so-never-paired", "RFC6544-6.2-s01", "forms no pairs with its S-O candidates"),
    Fault(
        "active-never-paired",
        "RFC6544-6.2-s01",
        "forms no pair of an active local and a passive remote candidate",
    ),
    Fault(
        "connects-from-other-interface",
        "RFC6544-7.1-01",
        "leaves the source address of connections to the kernel",
    ),
    Fault(
        "connects-from-allocated-port",
        "RFC6544-7.1-02",
        "connects from the port that its passive candidate listens on",
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
    Fault(
        "unreachable-not-failed",
        "RFC6544-7.1-04",
        "leaves a pair in progress when its connection was refused",
    ),
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
        "so-opened-twice",
        "RFC6544-7.1-s02",
        "opens a connection for an S-O pair whose connection the peer has opened",
    ),
    Fault(
        "trickled-so-opens-second",
        "RFC6544-7.1-s02",
        "opens a connection for a trickled S-O candidate from which the peer has connected already",
    ),
    Fault("first-stream-alone-checked", "RFC6544-7.1-s01", "makes checks for the first of several streams only"),
    Fault("connects-without-check", "RFC6544-7.1-s01", "opens connections but sends no check on them"),
    Fault(
        "second-connection-per-check",
        "RFC6544-7.1-s02",
        "opens another connection for each further check of a pair",
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
    Fault(
        "check-without-role",
        "RFC6544-7.1-s04",
        "sends checks with neither ICE-CONTROLLING nor ICE-CONTROLLED",
    ),
    Fault("check-without-priority", "RFC6544-7.1-s04", "sends checks without PRIORITY"),
    Fault("check-username-reversed", "RFC6544-7.1-s04", "puts its own fragment first in USERNAME"),
    Fault(
        "response-integrity-unchecked",
        "RFC6544-7.1-s04",
        "believes responses whatever their MESSAGE-INTEGRITY",
    ),
    Fault("nominates-as-controlled", "RFC6544-7.1-s04", "nominates although it is the controlled agent"),
    Fault("checks-within-dtls", "RFC6544-7.1-s05", "sends checks as application data of DTLS"),
    Fault("dtls-before-completion", "RFC6544-7.1-s06", "begins DTLS when a pair is valid, before it is nominated"),
    Fault("passive-not-listening", "RFC6544-7.2-01", "states passive candidates but listens on none of them"),
    Fault("trickled-passive-not-listening", "RFC6544-7.2-01", "listens on none of the candidates that it trickles"),
    Fault("first-stream-alone-listens", "RFC6544-7.2-01", "listens for the first of several streams only"),
    Fault("so-not-listening", "RFC6544-7.2-01", "listens on none of its S-O candidates"),
    Fault("so-connection-refused", "RFC6544-7.2-02", "closes connections to its S-O candidates at once"),
    Fault("one-address-listens", "RFC6544-7.2-01", "listens on its first address only"),
    Fault("listens-after-answer", "RFC6544-7.2-01", "accepts no connection before it has the answer"),
    Fault("listens-once", "RFC6544-7.2-02", "stops listening after the first connection"),
    Fault(
        "broken-connection-shuts-all", "RFC6544-7.2-02", "accepts none after a connection that ended in its first check"
    ),
    Fault(
        "second-connection-refused",
        "RFC6544-7.2-02",
        "closes a second connection to a passive candidate at once",
    ),
    Fault("response-without-frame", "RFC6544-7.2-03", "answers on accepted connections without LENGTH"),
    Fault(
        "framing-ends-with-selection",
        "RFC6544-7.2-03",
        "answers checks without LENGTH once the pair is selected",
    ),
    Fault("mapped-address-wrong", "RFC6544-7.2-s01", "says a wrong port in XOR-MAPPED-ADDRESS"),
    Fault(
        "response-without-integrity",
        "RFC6544-7.2-s01",
        "sends success responses without MESSAGE-INTEGRITY",
    ),
    Fault("response-without-fingerprint", "RFC6544-7.2-s01", "sends success responses without FINGERPRINT"),
    Fault(
        "error-without-integrity",
        "RFC6544-7.2-s01",
        "sends error responses to authenticated requests without MESSAGE-INTEGRITY",
    ),
    Fault("password-unchecked", "RFC6544-7.2-s01", "accepts requests whatever their MESSAGE-INTEGRITY"),
    Fault("username-unchecked", "RFC6544-7.2-s01", "accepts requests whatever their USERNAME"),
    Fault(
        "missing-integrity-answered-401",
        "RFC6544-7.2-s01",
        "answers requests without credentials with 401",
    ),
    Fault(
        "unknown-attribute-ignored",
        "RFC6544-7.2-s01",
        "accepts requests with unknown comprehension-required attributes",
    ),
    Fault(
        "unknown-attributes-unlisted",
        "RFC6544-7.2-s01",
        "does not name the attributes for which it answers 420",
    ),
    Fault(
        "role-conflict-ignored",
        "RFC6544-7.2-s01",
        "neither answers 487 nor changes its role in a role conflict",
    ),
    Fault("no-triggered-check", "RFC6544-7.2-s01", "sends no check in return for one that it received"),
    Fault("indication-answered", "RFC6544-7.2-s01", "answers Binding indications"),
    Fault(
        "early-check-unanswered",
        "RFC6544-7.2-s02",
        "never answers checks that come before the peer's description",
    ),
    Fault(
        "early-check-forgotten",
        "RFC6544-7.2-s02",
        "answers early checks but does not take them up when the description is there",
    ),
    Fault(
        "peer-reflexive-ignored",
        "RFC6544-7.2-s03",
        "answers checks from unknown addresses but makes no candidate of them",
    ),
    Fault("use-candidate-at-once", "RFC6544-8-01", "nominates aggressively: with every check"),
    Fault("nominates-before-success", "RFC6544-8-01", "nominates before a check of the pair has succeeded"),
    Fault("never-nominates", "RFC6544-8-01", "never nominates"),
    Fault("unselected-kept", "RFC6544-8-02", "keeps connections that were not selected"),
    Fault(
        "media-over-first-stream", "RFC6544-10.1-01", "sends the media of all streams over the first one's connection"
    ),
    Fault("streams-delivered-as-first", "RFC6544-10.2-01", "delivers what comes for any stream as the first one's"),
    Fault("media-not-sent", "RFC6544-10.1-01", "sends no media on the selected pair's connection"),
    Fault("media-not-delivered", "RFC6544-10.2-01", "gives no received media to the application"),
    Fault("media-without-frame", "RFC6544-10.1-02", "sends media without LENGTH before it"),
    Fault(
        "lookalike-not-split",
        "RFC6544-10.1-03",
        "sends octets of a byte stream that look like STUN in one frame",
    ),
    Fault(
        "stream-portions-swapped",
        "RFC6544-10.1-s01",
        "puts the portions of a byte stream in the wrong order",
    ),
    Fault("dtls-never-starts", "RFC6544-10.1-s02", "begins no DTLS handshake"),
    Fault("dtls-without-frame", "RFC6544-10.1-02", "sends DTLS records without LENGTH before them"),
    Fault("components-mixed-up", "RFC6544-10.2-01", "delivers what comes for any component to the first"),
    Fault("stun-delivered-as-data", "RFC6544-10.2-s01", "delivers STUN messages to the application as well"),
    Fault(
        "frame-ends-become-newlines",
        "RFC6544-10.2-s02",
        "adds an octet to the byte stream at the end of each frame",
    ),
    Fault("dtls-taken-for-media", "RFC6544-10.2-s03", "takes DTLS records for media"),
    Fault("media-taken-for-dtls", "RFC6544-10.2-s03", "takes RTP packets for DTLS records, and fails over them"),
    Fault(
        "selected-closed",
        "RFC6544-11.1-01",
        "closes the selected connection with the others when ICE completes",
    ),
    Fault(
        "selected-outlives-session",
        "RFC6544-11.1-02",
        "leaves the selected connection open when the session ends",
    ),
    Fault(
        "updated-offer-wants-new-connection",
        "RFC6544-9.1-s01",
        "says a=connection:new in an updated offer, although the selected pair has its connection",
    ),
    Fault("restart-closes-selected", "RFC6544-9.2-01", "closes the selected connections when ICE restarts"),
    Fault(
        "restart-opens-new-connection",
        "RFC6544-9.2-03",
        "opens another connection for an S-O pair that matches the existing one",
    ),
    Fault(
        "restart-ignores-existing-connection",
        "RFC6544-9.2-03",
        "sends no check on the existing connection although an S-O pair matches it",
    ),
    Fault(
        "reused-connection-closed",
        "RFC6544-9.2-03",
        "closes the existing connection, as a former one, when the restart has selected it again",
    ),
    Fault(
        "restart-begins-dtls-anew",
        "RFC6544-9.2-03",
        "begins another DTLS handshake on a connection that it uses again after a restart",
    ),
    Fault(
        "framing-ends-with-restart",
        "RFC6544-7.1-03",
        "sends checks without LENGTH on a connection that it uses again after a restart",
    ),
    Fault(
        "former-selected-kept",
        "RFC6544-9.2-04",
        "keeps the formerly selected connection when a restart has selected another pair",
    ),
    Fault("idle-selected-closed", "RFC6544-11.1-04", "closes a selected connection half a second after completion"),
    Fault("lost-connection-not-reopened", "RFC6544-11.1-05", "does not reopen the selected connection that it opened"),
    Fault(
        "lost-so-connection-not-reopened",
        "RFC6544-11.1-05",
        "waits for the peer to reopen the connection of a selected pair of S-O candidates",
    ),
    Fault(
        "reopened-so-not-checked-back",
        "RFC6544-11.1-09",
        "sends no check in return on a connection to its S-O candidate that the peer has reopened",
    ),
    Fault(
        "passive-side-reopens",
        "RFC6544-11.1-06",
        "connects to the peer's active candidate when the connection from there is lost",
    ),
    Fault(
        "lost-passive-not-listening",
        "RFC6544-11.1-06",
        "stops listening once the connection to its selected passive candidate is lost",
    ),
    Fault("reopened-without-check", "RFC6544-11.1-07", "sends no check on a connection that it has reopened"),
    Fault(
        "reopened-not-checked-back",
        "RFC6544-11.1-09",
        "sends no check in return on a connection that the peer has reopened",
    ),
    Fault("media-not-resumed", "RFC6544-11.1-s01", "sends no data on a reopened connection that was checked"),
    Fault(
        "media-before-check-on-reopened",
        "RFC6544-11.1-s01",
        "sends data on a connection that it has reopened before its check has succeeded",
    ),
    Fault(
        "loss-never-noticed",
        "RFC6544-11.1-10",
        "neither restarts ICE nor shows another state when the selected connection cannot be reopened",
    ),
    Fault(
        "check-after-completion-unanswered",
        "RFC6544-11.1-08",
        "ignores checks on the selected connection after ICE has completed",
    ),
    Fault("stun-connection-kept", "RFC6544-11.2-01", "keeps connections to STUN servers after completion"),
    Fault(
        "turn-connection-closed",
        "RFC6544-11.2-02",
        "closes the connection to the TURN server although a relayed candidate is selected",
    ),
    Fault(
        "turn-server-abandoned",
        "RFC6544-11.2-04",
        "asks no server again once the connection to a TURN server in use was lost",
    ),
    Fault("turn-connection-kept", "RFC6544-11.2-03", "keeps connections to TURN servers that it does not use"),
    Fault(
        "attempts-unlimited",
        "RFC6544-12-03",
        "has any number of connection attempts to one address outstanding",
    ),
    Fault("so-attempts-uncounted", "RFC6544-12-03", "has any number of attempts of S-O candidates outstanding"),
    Fault("media-before-validation", "RFC6544-12-s01", "sends data on a connection before any check"),
    Fault(
        "unvalidated-data-delivered",
        "RFC6544-12-s01",
        "delivers data from connections on which nobody has authenticated",
    ),
    Fault("length-includes-itself", "RFC4571-2-01", "counts LENGTH's own two octets in LENGTH"),
    Fault("length-little-endian", "RFC4571-2-s01", "writes LENGTH with its low octet first"),
    Fault("split-length-lost", "RFC4571-2-s01", "loses the first octet of a LENGTH that arrives alone"),
    Fault("unfinished-frame-lost", "RFC4571-2-s01", "loses the beginning of a frame whose end comes later"),
    Fault(
        "coalesced-frame-lost",
        "RFC4571-2-s01",
        "loses what follows the first of several frames that arrive together",
    ),
    Fault("frame-marker", "RFC4571-2-s03", "puts an octet of constant value between its frames"),
    Fault("null-frame-closes", "RFC4571-2-s02", "closes the connection on a null frame"),
    Fault(
        "null-frame-eats-next",
        "RFC4571-2-s02",
        "loses the frame that arrives together with a null frame before it",
    ),
    Fault("rtp-format-named", "RFC4571-4-07", "writes an encoding's name as the format of an RTP media line"),
    Fault("rtcp-not-disclaimed", "RFC4571-4-11", "leaves b=RS:0 and b=RR:0 out although it sends no RTCP"),
    Fault("receive-limit-1500", "RFC4571-8-s01", "drops frames of more than 1,500 octets"),
    Fault("receive-limit-16k", "RFC4571-8-s01", "drops frames of more than 16,384 octets"),
    Fault(
        "length-signed",
        "RFC4571-8-s01",
        "takes LENGTH for a signed number and drops frames from 32,768 octets",
    ),
)

BY_NAME = {fault.name: fault for fault in FAULTS}
