"""What hangs on connections, checks, candidates and data."""

from __future__ import annotations

from conformance.mutants.reach_row import Reach, breaking, reaching

_PROCEDURES = "RFC4571-2 RFC4571-8 RFC6544-6 RFC6544-7 RFC6544-8 RFC6544-9 RFC6544-10 RFC6544-11 RFC6544-12"

ROWS: tuple[Reach, ...] = (
    reaching(
        "frames cannot be read, so nothing that is said in them can be seen",
        "length-includes-itself length-little-endian frame-marker frames-padded",
        f"RFC6544-3 RFC6544-4.4 RFC6544-5 {_PROCEDURES}",
    ),
    reaching(
        "the agent is never seen to answer a check, so nothing about its answers can be",
        "active-port-believed response-without-frame",
        f"RFC6544-3 RFC6544-4.4 RFC6544-5 {_PROCEDURES}",
    ),
    reaching(
        "no check of the agent's is ever seen, so nothing about its checks can be",
        "active-never-paired check-without-frame two-messages-in-frame connects-without-check",
        f"RFC6544-4.5 RFC6544-5 {_PROCEDURES}",
    ),
    reaching(
        "no check goes to a candidate that was trickled, so nothing about such checks can be seen",
        "trickled-candidate-ignored",
        f"RFC6544-4.5 {_PROCEDURES}",
    ),
    breaking(
        "without RTCP there is nothing of a second component",
        "rtcp-left-out",
        "RFC6544-4.1 RFC8445-5.1.1.1 RFC8445-5.2 RFC8839-4.2.2",
    ),
    breaking(
        "RTCP is the second component",
        "rtcp-connection-refused second-component-deaf",
        "RFC6544-7.2 RFC8445-8.1.2 RFC4571-4",
    ),
    reaching(
        "a component that nobody knows of asks servers, too, and is not seen to complete",
        "rtcp-in-spite-of-bandwidth",
        "RFC8656-7.4 RFC8838-13",
    ),
    reaching(
        "checks within DTLS are not seen where there is DTLS", "checks-within-dtls", "RFC6544-7.1-03 RFC4571-2-s01"
    ),
    reaching(
        "a peer that authenticates requests refuses its checks, so no pair becomes valid",
        "check-without-integrity check-username-reversed",
        "RFC6544-7.1-03 RFC6544-7.1-s01 RFC6544-8 RFC6544-9 RFC6544-10 RFC6544-11",
    ),
    reaching(
        "nothing is ever selected, so nothing can be sent on the selected pair",
        "never-nominates undecided nomination-without-integrity",
        "RFC6544-7.1-03 RFC6544-7.1-s04 RFC6544-9 RFC6544-10 RFC6544-11 RFC4571",
    ),
    reaching(
        "the selected connection is gone, so nothing more can come or go over it",
        "selected-closed",
        "RFC6544-4.5-s04 RFC6544-6.1 RFC6544-7 RFC6544-9 RFC6544-10 RFC6544-11 RFC6544-12 RFC4571",
    ),
    reaching(
        "checks on the selected connection are a part of what happens there",
        "check-after-completion-unanswered framing-ends-with-selection",
        "RFC4571-2-s01 RFC6544-3-s02 RFC6544-7.1-03 RFC6544-7.2 RFC6544-9 RFC6544-10.2 RFC6544-11",
    ),
    reaching(
        "a response without LENGTH takes the frames behind it along",
        "framing-ends-with-selection",
        "RFC6544-10",
    ),
    reaching(
        "data that does not arrive, or not as it was sent, cannot be judged by what it is",
        "media-not-delivered frame-ends-become-newlines stun-delivered-as-data components-mixed-up",
        "RFC4571-2 RFC4571-8 RFC6544-9 RFC6544-10 RFC6544-11 RFC6544-12",
    ),
    reaching(
        "data that does not leave, or not in frames or in order, cannot be judged by what it is",
        "media-not-sent media-without-frame stream-portions-swapped media-length-modulo-256 "
        "length-again-after-partial-write",
        "RFC4571-2 RFC4571-8 RFC6544-7.1-03 RFC6544-7.2-03 RFC6544-7.2-s01 RFC6544-9 RFC6544-10 RFC6544-11",
    ),
    reaching(
        "frames that arrive in pieces or together occur wherever several are sent",
        "split-length-lost unfinished-frame-lost coalesced-frame-lost null-frame-eats-next null-frame-closes",
        "RFC4571-2 RFC4571-8 RFC6544-7.1-03 RFC6544-7.2-03 RFC6544-7.2-s01 RFC6544-8 RFC6544-10",
    ),
    reaching(
        "without a connection of the agent's own accord in return, nothing that follows a check of ours is seen",
        "no-triggered-check peer-reflexive-ignored early-check-forgotten early-check-unanswered "
        "early-connections-dropped",
        "RFC6544-7.1-s05 RFC6544-7.2 RFC6544-8",
    ),
    breaking(
        "a candidate that is not written as one is no candidate",
        "tcptype-missing transport-udp so-spelt-out",
        "RFC6544-4.1 RFC6544-4.2 RFC6544-4.3 RFC6544-4.4 RFC6544-4.5 RFC6544-5 RFC8445-5.1.1 RFC8445-5.2",
    ),
    breaking(
        "without one of the two techniques there are not both",
        "no-reflexive-candidate reflexive-unstated-beside-relayed",
        "RFC6544-5-01 RFC8445-5.1.1.2",
    ),
    reaching(
        "a relay that is not asked, or not with credentials, gives no address to state, to permit for or to refresh",
        "no-turn-server-asked allocates-without-credentials one-server-only",
        "RFC6544-4.1 RFC6544-5-01 RFC8445-5.1.1.2 RFC8445-7.2.1 RFC8489-9.2 RFC8656 RFC6062",
    ),
    reaching(
        "without a permission for our address there is none before a check, and none that names us",
        "permits-nobody permits-others server-connections-closed-early permission-for-nobody",
        "RFC8445-7.2.1",
    ),
    reaching(
        "a connection to a server is kept for one reason or the other", "servers-left-after-3-seconds", "RFC6544-4.1"
    ),
    breaking("the default has an active candidate's port and a=setup", "active-port-allocated", "RFC6544-4.3"),
    reaching("what an answer's a=setup says cannot be judged without one", "setup-missing", "RFC6544-4.3 RFC6544-4.5"),
    breaking("the formula's parts run into each other", "direction-pref-9", "RFC6544-4.2 RFC8445-5.1.2"),
    breaking(
        "a relayed candidate of TCP above the reflexive one is out of the order that either way of mixing has",
        "relayed-above-reflexive",
        "RFC6544-4.2-03",
    ),
    breaking("the formula's parts have changed places", "direction-below-address", "RFC6544-4.2"),
    breaking("connections that are opened together are outstanding together", "connects-all-at-once", "RFC6544-12-03"),
    breaking("what is opened at once is not checked in any order", "connects-all-at-once", "RFC6544-7-s02"),
    breaking("what is left out of every offer is left out of updated ones", "connection-missing", "RFC6544-9.1-s01"),
    breaking("pairing what must not be paired makes pairs that must be pruned", "checks-from-passive", "RFC6544-6.2"),
    breaking("the larger of two values is the slower of two paces", "peers-pace-ignored", "RFC8839-5.5-s02"),
    breaking("who connects to an active candidate does not ignore its port", "checks-from-passive", "RFC6544-3-s01"),
    breaking(
        "every pair that should not be there opens a connection that should not be there",
        "pairs-passive-with-passive pairs-active-with-active pairs-active-with-so so-opened-twice",
        "RFC6544-6.2 RFC6544-7.1-s02 RFC6544-9.2",
    ),
    reaching(
        "a nomination goes with a check, which then takes a connection of its own, and is lost with it",
        "second-connection-per-check",
        "RFC6544-4.5-s04 RFC6544-7.1-03 RFC6544-8 RFC6544-9.2 RFC6544-11.1",
    ),
    reaching(
        "a pair that is nominated before the others were checked is the selected one, whatever we prefer",
        "use-candidate-at-once nominates-before-success",
        "RFC6544-7.1-s04 RFC6544-8",
    ),
    reaching(
        "a second connection is what the case of the unselected one needs",
        "second-connection-refused listens-once",
        "RFC6544-7.2 RFC6544-8",
    ),
    breaking(
        "who does not listen accepts nothing, in either mode and family",
        "passive-not-listening one-address-listens lite-listens-on-default first-stream-alone-listens",
        "RFC4145-4.1-05 RFC6544-4.4 RFC6544-5 RFC6544-6.1 RFC6544-7.2 RFC8839-4.3.3",
    ),
    breaking("who has a check list works through it", "lite-forms-check-list", "RFC6544-6.1 RFC6544-7-s01"),
    breaking("checks in turn come over either transport", "lite-checks-in-turn", "RFC6544-4.4-s02"),
    reaching(
        "what never begins DTLS, or not in frames, is neither its client nor its server to be seen",
        "dtls-never-starts dtls-without-frame",
        "RFC6544-4.5-s04 RFC6544-10",
    ),
    reaching(
        "whoever begins in the other's place is never the client to be seen", "opener-begins-dtls", "RFC6544-10.1-s02"
    ),
    breaking("a check among DTLS and media is answered like any", "responses-within-dtls", "RFC6544-10.2-s03"),
    reaching("a server that takes DTLS for media answers no ClientHello", "dtls-taken-for-media", "RFC6544-4.5-s04"),
    breaking("nothing of DTLS may come before the check", "dtls-at-once", "RFC6544-7.1 RFC6544-4.5-s04"),
    breaking(
        "a connection to an S-O candidate is to come from the port that the IUT states for its own",
        "so-shares-passive-port pairs-active-with-so",
        "RFC6544-7.1",
    ),
    reaching(
        "S-O candidates that are in no pair are never connected from, nor checked when ICE restarts",
        "so-never-paired",
        "RFC6544-7.1 RFC6544-9.2",
    ),
    reaching(
        "a connection that is closed at once carries no check and no response",
        "so-connection-refused closes-at-first-success",
        "RFC6544-7.2 RFC6544-11.1",
    ),
    breaking("who listens once does so for no connection that is reopened", "listens-once", "RFC6544-11.1-06"),
    reaching(
        "who makes no candidate of an unknown address does not know its connection",
        "peer-reflexive-ignored",
        "RFC6544-6.1-04",
    ),
    reaching("what is nominated is no unselected connection", "nominates-all", "RFC6544-8-02"),
    reaching("a nomination ends the wait for it, whoever sends it", "nominates-as-controlled", "RFC6544-7.1-s06"),
    reaching(
        "without frames neither the check on the existing connection nor what follows it is seen",
        "framing-ends-with-restart",
        "RFC6544-9.2",
    ),
    breaking("the data comes first on a connection, before the check", "media-before-validation", "RFC6544-7.1-03"),
    reaching(
        "a nomination of ours that is not taken selects nothing, on whichever connection",
        "nomination-ignored",
        f"RFC6544-4.5-s04 {_PROCEDURES}",
    ),
    reaching(
        "checks on connections that it opened are a part of what happens there",
        "opened-connections-deaf later-opened-without-frame",
        _PROCEDURES,
    ),
    reaching("an error response that is not in a frame is not seen", "error-without-frame", "RFC6544-7.2"),
    reaching(
        "what is done to check after check spoils the answer to each",
        "check-retransmitted check-without-role second-connection-per-check",
        "RFC6544-7.1-s04 RFC6544-7.2-s01",
    ),
    reaching(
        "a connection that is closed carries neither checks nor data any more",
        "restart-closes-selected closes-at-first-success nominates-as-controlled",
        "RFC6544-7.1-s04 RFC6544-8 RFC6544-9.2 RFC6544-10.2-01 RFC6544-11.1-08",
    ),
    breaking(
        "what holds for any unselected connection holds for the formerly selected one",
        "unselected-kept opened-connections-kept",
        "RFC6544-9.2-04",
    ),
    breaking(
        "who leaves an address or a family out has no candidates of any direction there",
        "one-address-only one-family-only active-address-unused",
        "RFC6544-4.1-03 RFC6544-5-02 RFC6544-5.1-01 RFC8445-5.1.1.1 RFC8445-7.2.4 RFC8839-4.3.1 RFC8839-4.3.2",
    ),
    reaching(
        "a second connection is what it takes to mix two up", "second-connection-refused listens-once", "RFC4571-2"
    ),
    breaking(
        "data before any check is data before this one, too, and before DTLS",
        "media-before-validation",
        "RFC6544-4.5-s04 RFC6544-7.1-s05 RFC6544-7.1-s06 RFC6544-11.1-s01",
    ),
    breaking(
        "whoever is let in with any password, or checked in return, is let in with data",
        "password-unchecked refused-check-triggers",
        "RFC6544-12-s01",
    ),
    breaking("what takes any FINGERPRINT takes data for STUN", "fingerprint-unchecked", "RFC6544-10.2-s01"),
    reaching("a nomination without a success stands for one", "nominates-before-success", "RFC6544-7.1-05"),
    reaching(
        "a connection that is closed for its silence takes no frame that pauses",
        "idle-selected-closed",
        "RFC4571-2-s01",
    ),
    breaking(
        "a connection that is closed for its silence does not stay through a restart",
        "idle-selected-closed",
        "RFC6544-9.2",
    ),
    breaking(
        "a pair that is given up with its connection is not opened again", "close-taken-for-revocation", "RFC6544-11.1"
    ),
    reaching("data that never resumes shows no second loss", "media-not-resumed", "RFC6544-11.1-05"),
    reaching(
        "while a check is unanswered there is no other, for another candidate or in return",
        "unanswered-check-blocks",
        "RFC6544-7.1-s01 RFC6544-7.2-s01 RFC8445-7.2.4-s01",
    ),
    reaching(
        "who does not accept a connection serves nothing on it", "unknown-address-refused", "RFC6544-7.2 RFC6544-5-02"
    ),
    breaking(
        "a candidate that is not stated is in no description",
        "active-on-one-address listens-on-one-address no-active-candidate no-passive-candidate",
        "RFC8839-4.3.1 RFC8839-4.3.2",
    ),
    breaking(
        "an address without candidates lacks those of each direction",
        "offer-without-one-address answer-without-one-address",
        "RFC6544-4.1 RFC6544-5.1 RFC6544-5-02 RFC8445-5.1.1.1 RFC8421-4 RFC8421-5",
    ),
    breaking(
        "the component that has no candidates is RTCP's",
        "rtcp-without-candidates no-rtcp-candidates",
        "RFC8839-4.2.2 RFC8445-5.1.1.1",
    ),
    reaching("no check goes to the component that has no candidates", "rtcp-without-candidates", "RFC8838-11"),
    reaching("who believes that it controls follows no nomination", "lite-peer-controls", "RFC8445-8.2"),
    breaking(
        "a component's number is part of its candidates' priorities",
        "rtp-is-component-2",
        "RFC6544-4.2 RFC8445-5.1.2",
    ),
    reaching(
        "a candidate where nobody listens accepts no connection, and it is worth less than any",
        "unspecified-address-stated broadcast-address-stated port-0-stated site-local-candidate compatible-candidate "
        "mapped-candidate",
        "RFC6544-4.2 RFC6544-6.1 RFC6544-7.2 RFC8445-5.1",
    ),
    breaking(
        "the default destination is the address and port of its media line",
        "default-is-no-candidate passive-default-elsewhere active-default-with-a-port answer-keeps-its-default",
        "RFC6544-4.3 RFC4145-4.1 RFC8839-4.2.1.2 RFC8839-4.4.1.2 RFC8839-4.4.2",
    ),
    breaking(
        "what is left out of an offer is left out of updated ones",
        "offer-without-connection",
        "RFC6544-4.5-03 RFC6544-9.1-s01 RFC4145-5.1-02",
    ),
    breaking(
        "an answer to a section of port 0 is one to a removed stream as well",
        "disabled-with-candidates disabled-section-answered",
        "RFC8839-4.4.1.1.2 RFC3264-8",
    ),
    breaking(
        "a=ice-lite that stands in a section is none of the session",
        "lite-in-the-section",
        "RFC8839-4.2.1.4 RFC8445-6.1.1 RFC6544-4.4",
    ),
    reaching(
        "a connection that a later exchange closes carries nothing after any of them",
        "update-closes-connection",
        "RFC8839-4.4 RFC3264-8 RFC6544-9.1",
    ),
    reaching(
        "no check of a restart is seen, so nothing about restarts can be",
        "restart-checks-nothing restart-checks-no-pair",
        "RFC6544-9 RFC6544-10 RFC6544-11 RFC8445-9 RFC8445-7 RFC8445-8 RFC8839-4.4 RFC8838-9 RFC7675",
    ),
    reaching(
        "data that stops in a restart shows no former pair",
        "restart-stops-data lite-restart-stops-data",
        "RFC6544-9 RFC6544-10 RFC8445-9 RFC8445-12 RFC8839-4.4.3",
    ),
    reaching(
        "a lite agent that selects nothing in a restart sends nothing there",
        "lite-restart-selects-nothing",
        "RFC8445-8.2 RFC8445-9",
    ),
    reaching(
        "data that an offerer does not take is delivered in no case",
        "offerer-is-not-ready",
        "RFC4571-2 RFC4571-8 RFC6544-9 RFC6544-10 RFC6544-11 RFC6544-12 RFC8445-12 RFC7983",
    ),
    reaching(
        "a checklist that fails too soon, or never, shows no other end",
        "fails-at-once fails-too-soon never-fails end-of-candidates-ends-patience",
        "RFC8863 RFC8445-6.1.2.1 RFC8445-7.2.5 RFC8445-8 RFC6544-7.1-04 RFC8838-8",
    ),
    reaching(
        "what is never told is not in what is told",
        "pairs-untold-candidates",
        "RFC6544-4.5 RFC6544-7.2 RFC8838-13 RFC8838-17",
    ),
    reaching(
        "a second candidate is what it takes to see what becomes of the first",
        "second-late-candidate-ignored",
        "RFC6544-6.2 RFC6544-7.1-04 RFC8838",
    ),
    reaching(
        "candidates among strange ones are lost with those", "candidates-behind-a-strange-one-lost", "RFC8839-5.1"
    ),
    breaking(
        "a pair of two passive candidates is opened by whoever has it, from whatever base",
        "pairs-passive-with-passive",
        "RFC8445-6.1.2.2-s01 RFC8838-10-02 RFC8838-11-01",
    ),
    reaching(
        "pairs that nobody can have come before those of the case, and take the room of others",
        "pairs-passive-with-passive",
        "RFC6062-4.3-08 RFC8445-6.1.4.2-s05 RFC8838-11-03",
    ),
    breaking(
        "an agent that a restart silences sends no data meanwhile",
        "restart-silences",
        "RFC8445-12.1-s02 RFC8839-4.4.3.1.1-01 RFC8839-4.4.3.2-02",
    ),
    reaching(
        "a lite agent that has no valid pair selects none",
        "lite-forms-check-list peer-reflexive-ignored",
        "RFC8445-6.1.1-03 RFC8445-8.2 RFC8839-4.4.1.3-06",
    ),
    reaching(
        "what the case sends next comes over a connection that is refused, or in a frame that is lost",
        "second-connection-refused coalesced-frame-lost",
        "RFC4571-3 RFC6544-3-s01 RFC7983-7-01 RFC8445-12.2-01 RFC8489-6.3.1.2-s01",
    ),
)
