"""What hangs on pairs, their order and their ends."""

from __future__ import annotations

from conformance.mutants.reach_row import Reach, breaking, reaching

ROWS: tuple[Reach, ...] = (
    breaking(
        "who takes connections from the stated port alone refuses all others",
        "active-port-believed",
        "RFC6544-7.2-01 RFC6544-7.2-02",
    ),
    breaking(
        "a check without a frame leaves connections of either side unframed", "check-without-frame", "RFC6544-7.2-03"
    ),
    breaking(
        "an agent that does nothing once a connection is lost neither reopens it nor goes on without it, and neither "
        "answers nor makes checks on the one that the peer opens",
        "dead-after-loss",
        "RFC6544-11.1-05 RFC6544-11.1-08 RFC6544-11.1-09 RFC7675-5.2-01 RFC8445-7.2.5.2-s01",
    ),
    breaking("who makes no pair opens no connection for its check", "active-never-paired", "RFC6544-7.1-s01"),
    breaking(
        "a restart in which nothing is checked checks no existing connection",
        "restart-checks-nothing restart-checks-no-pair",
        "RFC6544-9.2-03",
    ),
    breaking(
        "who takes no data is not ready for any, takes none from frames, and collects none",
        "offerer-is-not-ready media-not-delivered",
        "RFC3264-5.1-21 RFC6544-10.2-01 RFC6544-10.2-s02",
    ),
    breaking(
        "octets at the end of each frame are delivered that no frame has held",
        "frame-ends-become-newlines",
        "RFC6544-10.2-01",
    ),
    breaking(
        "LENGTH that comes twice frames nothing of what is sent",
        "length-again-after-partial-write",
        "RFC6544-10.1-02",
    ),
    breaking(
        "a pair that is not made of a check is neither checked in return nor selected",
        "peer-reflexive-ignored",
        "RFC8445-7.3.1.4-s02 RFC8445-8.2-s01",
    ),
    breaking(
        "data that a restart stops, or takes the connection from, does not go on over the former pair",
        "restart-stops-data restart-closes-selected",
        "RFC8445-9-s02 RFC8445-12.1-s02 RFC8839-4.4.3.1.1-01 RFC8839-4.4.3.2-02",
    ),
    breaking(
        "a session that has failed too soon has failed with the last candidate, too",
        "fails-at-once last-pair-ends-list",
        "RFC8863-5-01",
    ),
    breaking("the end of one pair's connection ends others", "cancelled-check-fails", "RFC8445-7.2.5.2-s01"),
    breaking(
        "connections that are closed at once, or with another one, leave the requests on them unanswered",
        "broken-connection-ends-others listens-once second-connection-refused",
        "RFC8489-6.2.2-07",
    ),
    breaking("who connects back does not wait to be connected to", "connects-back", "RFC6544-11.1-06"),
    breaking(
        "a pair that differs in nothing but its reflexive candidate makes a check too many, whenever it comes",
        "late-reflexive-beside-its-base reflexive-beside-its-base",
        "RFC8445-6.1.2.4-01",
    ),
    breaking("a limit that is exceeded is so for all streams together", "limit-of-120-pairs", "RFC8445-6.1.2.5-01"),
    breaking("an address that is not checked from has no family that is", "one-interface-checked", "RFC6544-5-02"),
    breaking("streams behind the first are checked in no session", "first-stream-alone-checked", "RFC8839-4.4.3.1-04"),
    breaking(
        "who begins with the worst pair does not begin with the thawed one", "worst-pair-first", "RFC8445-6.1.2.6"
    ),
    reaching(
        "where the first check is not over, failed or taken, the pair behind it is not seen to be checked",
        "frozen-for-good error-response-waited-out fails-at-once",
        "RFC8445-6.1.4.2-s05 RFC8445-7.2.5.2.4-01 RFC8839-4.4.3.1.1-02",
    ),
    reaching(
        "without room, or without the candidates that need it, no worse pair is seen to give way",
        "one-attempt-at-a-time trickled-candidate-ignored",
        "RFC8838-11-04",
    ),
    reaching(
        "attempts that were refused count against one stream more than the other",
        "refused-attempts-count-for-good",
        "RFC8445-6.1.2.5-03",
    ),
    reaching(
        "a check that is given up after a second has no success that a nomination could wait for",
        "response-given-up-early",
        "RFC8445-7.3.1.5-s02",
    ),
    reaching("without RTCP there are no pairs of a second component", "rtcp-left-out", "RFC8838-11-s01"),
    reaching(
        "a nomination that was not due stands for the one that the case waits for",
        "nominates-as-controlled nominates-unproved-other nomination-before-own-check response-to-first-check",
        "RFC8445-6.1.3-s01 RFC8445-7.2.5-s01 RFC8445-8.1.1-s01 RFC8839-4.4.2-03",
    ),
    reaching(
        "a nomination that never comes, or comes with the first check, is none that could be waited for",
        "undecided use-candidate-at-once",
        "RFC6544-8-01 RFC8838-11-s02",
    ),
    reaching(
        "a check that is made on a connection of its own, or none, is not the one that answers ours",
        "second-connection-per-check triggered-check-elsewhere restart-checks-nothing second-stream-triggers-none",
        "RFC8445-6.1.1-06 RFC8445-7.1.2-01 RFC8838-10-02 RFC8839-4.4.3.1-01 RFC8839-4.4.3.1-04",
    ),
    reaching(
        "in the wrong role an agent does not take the nomination", "role-changed-by-restart", "RFC8839-4.4.3.2-01"
    ),
    reaching(
        "a stream that takes any credentials, or states none, comes to another end than the first",
        "second-stream-trusted second-stream-without-credentials",
        "RFC6544-8-02 RFC8839-4.3.3-04",
    ),
    reaching(
        "what is taken for something else than DTLS, or comes within it, shows no handshake",
        "dtls-taken-for-media media-taken-for-dtls responses-within-dtls",
        "RFC7983-7-01 RFC6544-4.5-s04",
    ),
    breaking("who follows no nomination follows none as a lite agent", "nomination-ignored", "RFC8445-8.2-s01"),
    breaking(
        "data on a connection that came later, or was used last, is not on that of the selected or former pair",
        "media-over-late-connection media-follows-latest",
        "RFC6544-10.1-01 RFC8445-12.1-s02",
    ),
    reaching(
        "a response that leaves by another connection does not come back through the relay",
        "response-on-oldest-connection",
        "RFC6544-4.1-09",
    ),
    reaching(
        "a default that is never aligned does not show which pair the answer waited for",
        "default-never-aligned",
        "RFC8839-4.4.2-03",
    ),
)
