"""What hangs on messages: how they are written, who answers them, and what follows."""

from __future__ import annotations

from conformance.mutants.reach_row import Reach, breaking, reaching

_FORM = (
    "top-bits-set cookie-missing length-counts-header software-not-padded attribute-runs-past-end attributes-packed "
    "software-behind-fingerprint user-name-in-latin-1 class-before-method padding-counted unknown-attributes-padded "
    "error-of-class-0 error-number-over-99 error-without-code priority-of-64-bits mapped-address-family-of-sockets "
    "mapped-address-plain"
)

ROWS: tuple[Reach, ...] = (
    breaking(
        "a message that is written wrong is so for each sentence about how messages are written",
        _FORM,
        "RFC6062-4.5 RFC8489-5 RFC8489-6.3.1.1 RFC8489-14 RFC8445-16.1",
    ),
    reaching(
        "what is read of a malformed message is not what it should be",
        _FORM,
        "RFC6544-7.1 RFC6544-10 RFC6544-12 RFC8445-6.1.2.2 RFC8445-7.1.1 RFC8445-7.3.1 RFC4571-2",
    ),
    breaking(
        "a wrong key, a wrong length under it or no user name is wrong in every message of its kind",
        "key-with-line-end integrity-over-whole-length check-without-user-name response-without-integrity "
        "password-unchecked",
        "RFC6544-7.1 RFC8445-7.2.2 RFC8489-6.3 RFC8489-9 RFC8489-14.5 RFC8489-14.6",
    ),
    breaking(
        "a role that is not claimed, or claimed against the rules, is so in each check and in each conflict",
        "check-without-role answerer-controls conflict-keeps-role conflict-leaves-controlled conflict-error-ignored "
        "frame-marker tie-breakers-always-compared",
        "RFC8445-6.1.1 RFC8445-7.1.3 RFC8445-7.2.5.1 RFC8489-14.8",
    ),
    reaching(
        "a check that is sent again, or never in return, is no further check of the pair",
        "one-transaction-id check-retransmitted no-triggered-check second-connection-per-check checks-twice-at-once",
        "RFC8445-7.3.1.4 RFC8838-11 RFC8839-5.5",
    ),
    breaking(
        "the pace is that of all checks, however it was agreed",
        "checks-unpaced unanswered-check-blocks",
        "RFC8445-6.1.2.5 RFC8445-14.2 RFC8839-5.5",
    ),
    reaching(
        "a checklist or a session that has failed shows nothing of what would have followed",
        "fails-at-once last-pair-ends-list lost-connection-ends-checks",
        "RFC6544-9.2 RFC8445-6.1.3 RFC8445-8.1.2 RFC8863",
    ),
    breaking("an order of pairs is that of either transport", "own-priority-first worst-pair-first", "RFC6544-7"),
    breaking(
        "data over a pair without a success of its own is such data, whatever kept the success away",
        "media-before-validation nomination-before-own-check client-error-believed data-before-validation "
        "error-response-believed",
        "RFC6544-11.1 RFC8445-7.2.5 RFC8445-7.3.1.5 RFC8445-12 RFC8489-14.8",
    ),
    reaching(
        "without checks, or with one that never ends, no pair, candidate or stream is seen to be checked",
        "connects-without-check active-never-paired frozen-for-good server-error-asked-for-ever "
        "opened-connections-deaf server-error-asked-nine-times",
        "RFC6544-7.1 RFC8445-6.1.4.2 RFC8489-6.3.3 RFC8838-11 RFC8839-4.2.5 RFC8839-5.4",
    ),
    reaching(
        "where nothing is nominated, taken or kept, no selected pair carries data",
        "nomination-ignored nomination-without-integrity check-username-reversed undecided never-nominates "
        "active-port-believed selected-closed connection-closed-unanswered length-little-endian "
        "lite-nomination-ignored integrity-over-whole-length media-not-sent",
        "RFC6544-4.4 RFC8445-6.1.2.2 RFC8445-7.3.1.4 RFC8445-7.3.1.5 RFC8445-8.1.1 RFC8838-11",
    ),
    reaching(
        "a check that is not answered where it came is not answered, whatever is special in it or about it",
        "second-address-deaf late-check-elsewhere-unanswered response-of-another-transaction "
        "response-on-oldest-connection connection-closed-unanswered connection-closed-behind-answer "
        "fingerprint-alone-expected coalesced-frame-lost dead-after-loss active-port-believed",
        "RFC4571-2 RFC4571-4 RFC6544-7 RFC6544-10 RFC6544-11.1 RFC8445-7 RFC8445-8 RFC8489-6 RFC8489-9",
    ),
    reaching(
        "data that leaves by another connection, without frames, or not at all does not come where it should",
        "media-not-sent media-follows-latest later-media-without-frame media-over-late-connection idle-selected-closed",
        "RFC4145-5.1 RFC6544-10.1 RFC6544-12 RFC8445-7.3.1.5 RFC8445-12 RFC8839-4.4.3",
    ),
    reaching(
        "data that does not arrive as it was sent is not received by whoever must be ready for it",
        "media-not-delivered frame-ends-become-newlines components-mixed-up",
        "RFC3264-5.1",
    ),
    breaking(
        "the type preference in PRIORITY, and the candidate that it makes, cannot be right without PRIORITY",
        "check-without-priority",
        "RFC8445-5.1.2.1 RFC8445-7.2.5.3.1",
    ),
    breaking("an address of another transport is not the one that was asked for", "udp-for-tcp", "RFC6544-4.1"),
    reaching(
        "octets that are in no frame, or in a wrong one, are no message whose header could be right",
        "length-includes-itself response-without-frame error-without-frame",
        "RFC8489-5 RFC8489-14 RFC6062-4.5",
    ),
    breaking(
        "an indication that is answered is so whatever it holds",
        "indication-answered bare-indication-answered",
        "RFC8489-6.3.2",
    ),
    breaking(
        "two messages in one frame are so on connections of either side", "two-messages-in-frame", "RFC6544-7.2-03"
    ),
    breaking(
        "pairs that are checked in another order are not in that of their priorities",
        "worst-pair-first",
        "RFC8445-6.1.2.3",
    ),
    breaking("two checks at once are out of any pace", "checks-twice-at-once", "RFC8445-14.2 RFC8839-5.5"),
    breaking(
        "a nomination that counts before its check has succeeded counts when that fails",
        "nomination-counts-at-once",
        "RFC8445-7.2.5.3.4",
    ),
    breaking(
        "who does not yield to a role conflict keeps a role that the peer has taken",
        "lost-conflict-ignored",
        "RFC8445-6.1.1",
    ),
    breaking(
        "a check that is triggered follows any check of ours, from whatever address and on whatever pair",
        "no-triggered-check",
        "RFC8445-7.3.1.3 RFC8445-7.3.1.4",
    ),
    breaking(
        "data that leaves over whichever connection was last used leaves the selected one",
        "media-follows-latest",
        "RFC6544-12-s01",
    ),
    breaking("a LENGTH that is wrong frames nothing", "media-length-modulo-256", "RFC6544-10.1-02 RFC4571-8"),
    breaking("a relayed connection that is kept keeps its data connection", "silent-connections-kept", "RFC6062-4.6"),
    reaching("a response that nobody asked for comes before the first check", "unasked-response", "RFC6544-7.1"),
    reaching("a response of another method is no response in any frame", "response-of-another-method", "RFC6062-4.5"),
    reaching("the other role's check comes first through a relay, too", "answerer-controls", "RFC6062-4.5"),
    reaching(
        "a nomination that is sent at once is one of a removed stream, and is out of the pace",
        "nominates-before-success",
        "RFC8489-6.3 RFC8839-4.4.3.1 RFC8839-5.5",
    ),
    breaking(
        "a response that is taken for the first check's is taken on any connection",
        "response-to-first-check",
        "RFC8445-7.2.5.2.1",
    ),
    breaking("who leaves control to a lite peer does so when it becomes one", "lite-peer-controls", "RFC8445-6.1.1"),
    breaking("a check that is too long to be received is not answered", "receive-limit-1500", "RFC8489-6.3"),
    breaking("a second Connect comes before ten seconds are over", "connects-twice", "RFC6062-4.3"),
    breaking(
        "what a request to a server lacks, or has too much, is so for each sentence about that request",
        "server-key-of-password allocate-without-transport two-families-requested family-and-additional-family "
        "nonce-of-its-own credentials-at-once allocate-without-user challenge-given-up",
        "RFC6544-5-03 RFC6062-4.1 RFC8445-5.1.1.2 RFC8489-9.2 RFC8489-10 RFC8656-7",
    ),
    breaking(
        "a connection that is asked for elsewhere, or another one, is not the one that is bound",
        "connect-on-another-connection another-connection-bound",
        "RFC6062-4.3",
    ),
    breaking("a relayed connection that is kept keeps its data connection", "unselected-kept", "RFC6062-4.6"),
    reaching(
        "a request for consent that is refused keeps none, so the connection ends; a reopened one is asked alike",
        "consent-without-integrity consent-user-name-reversed",
        "RFC6544-11.1-01 RFC6544-11.1-04 RFC6544-11.1-05 RFC6544-11.1-07 RFC6544-11.1-08 RFC6544-11.1-s01 RFC7675",
    ),
    breaking(
        "a check that is sent twice is one too many, and before its turn",
        "check-retransmitted checks-twice-at-once nominates-before-success",
        "RFC8445-6.1.2.5-02 RFC8445-6.1.4.2-s01 RFC8445-14.2-03 RFC8489-14.8-08 RFC8489-6.2.2-s01 RFC8839-5.5-s02",
    ),
    reaching(
        "a check that is sent twice is taken for the one that follows",
        "check-retransmitted checks-twice-at-once",
        "RFC8445-7.2.5.1-04 RFC8839-4.4.3.1-s01",
    ),
    reaching(
        "who nominates early seems to hold the pair for valid, and ends the checks of others",
        "nominates-before-success later-pairs-nominated-at-once",
        "RFC8445-7.2.5 RFC8445-7.3-01 RFC8489-9.1.4-01",
    ),
    breaking("a first check of a later pair is a first check", "later-pairs-nominated-at-once", "RFC6544-8-01"),
    reaching(
        "a check without a role claims none, and changes none",
        "controlled-check-without-role",
        "RFC8445-6.1.1-06 RFC8445-7.2.5.1-03 RFC8489-14.8-03",
    ),
    reaching(
        "a nomination that is not said is not seen",
        "nomination-unsaid",
        "RFC6544-8-01 RFC8445-7.2.5.1-01 RFC8445-7.2.5.2-s01",
    ),
    reaching(
        "of two agents in one role none nominates, or both do",
        "answerer-controls",
        "RFC6544-8-01 RFC8445-7.2.5.2-s01 RFC8445-7.3.1.1-03 RFC8445-8.1.1-02 RFC8838-11-s02",
    ),
    reaching(
        "while a check is unanswered no other is seen",
        "unanswered-check-blocks",
        "RFC6544-6.2-s01 RFC8445-7.3.1.4-01 RFC8838-11",
    ),
    breaking(
        "a name or a priority that is not written as one is not the one that a check must carry",
        "user-name-in-latin-1 priority-of-64-bits",
        "RFC8445-7.1.1-01 RFC8445-7.2.2-s01",
    ),
    breaking("an error that is believed makes its pair valid", "redirection-believed", "RFC8445-7.2.5.3-s01"),
    breaking("a response that nobody asked for has the id of no request", "unasked-response", "RFC8489-5-06"),
    breaking(
        "an attribute that is judged before the credentials gets an answer without integrity",
        "unknown-before-credentials",
        "RFC8489-9.1.3-11",
    ),
    breaking(
        "a request without a user name is one without credentials",
        "user-name-before-attributes",
        "RFC8489-9.1.3-02",
    ),
    breaking(
        "who takes any password on a connection takes that of before a restart there",
        "selected-connections-trusted",
        "RFC8445-9-s01",
    ),
    breaking(
        "a mapped address that is ignored makes no candidate, of whatever type",
        "mapped-address-ignored",
        "RFC8445-7.2.5.3.1-s01",
    ),
    breaking(
        "a check that is not answered late is not answered on the connections that stay or come back",
        "check-after-completion-unanswered late-check-elsewhere-unanswered",
        "RFC8445-8.3.1-01 RFC6544-11.1-08",
    ),
    breaking(
        "what is not ready, or not answered, before the answer is not so once the offer is out",
        "early-check-unanswered",
        "RFC8445-5.3-07",
    ),
    breaking(
        "a check for the old user is no check of the new session",
        "restart-checks-for-old-user",
        "RFC8839-4.4.3.1.1-02",
    ),
    breaking(
        "a check without integrity, or with that of another key, is a request without the right one",
        "check-without-integrity nomination-without-integrity check-signed-otherwise",
        "RFC8489-9.1.2-01 RFC8489-14.5-s01",
    ),
    breaking(
        "who takes any password on a connection that it opened does so for wrong ones and malformed requests alike",
        "opened-connections-trusted",
        "RFC8489-9.1.3-07",
    ),
    breaking(
        "a role that is kept against the rules, or changed against them, is not the one that a restart decides",
        "role-conflict-ignored role-changed-by-restart",
        "RFC8445-6.1.1-05 RFC8445-6.1.1-06",
    ),
    breaking("the pace that was agreed is the slower one", "pacing-of-the-peer-ignored", "RFC8445-14.2-03"),
)
