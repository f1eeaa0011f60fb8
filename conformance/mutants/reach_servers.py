"""What hangs on STUN and TURN servers: what they are asked for, and by whom."""

from __future__ import annotations

from conformance.mutants.reach_row import Reach, breaking, reaching

ROWS: tuple[Reach, ...] = (
    breaking(
        "a challenge that is not taken up, or not each time, is not answered",
        "allocates-without-credentials",
        "RFC8489-9.2.5-03",
    ),
    breaking(
        "a relay that is not asked gives no candidate, and is not the server of its kind that is asked",
        "no-turn-server-asked one-server-only",
        "RFC6544-5-01 RFC8445-5.1.1.2-01 RFC8445-5.1.1.2-04",
    ),
    breaking("a permission for another address is none for ours", "permits-others", "RFC8445-7.2.1-01"),
    breaking("no data connection has integrity, whoever began it", "bound-without-integrity", "RFC6062-4.3-05"),
    breaking(
        "an allocation that is believed is not given up",
        "strange-family-believed",
        "RFC8656-7.3-02",
    ),
    breaking(
        "a success that says no mapped address says it through a relay neither",
        "success-without-mapped-address",
        "RFC8445-7.3.1.2-s01",
    ),
    reaching(
        "an Allocate that the server cannot take leads to no address",
        "family-with-reserved-octets",
        "RFC6544-5-03",
    ),
    breaking(
        "the credentials of a restart are the old ones, whatever the reason for the restart",
        "restart-keeps-fragment",
        "RFC6544-11.2-04",
    ),
    breaking("who binds no connection binds none that it asked for", "attempts-not-bound", "RFC6062-4.3-06"),
)
