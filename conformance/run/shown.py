"""Which sentences an ordinary session shows by itself, and at which of its steps.

An agent that breaks one of them has no ordinary session, or none that comes further: for a case about the sentence, an
ordinary session that goes wrong there is no excuse. `conformance.mutants.ordinary` has measured it, by holding every
fault of the reference agent against such sessions.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(enum.IntEnum):
    """What an ordinary session comes to: the first three one after the other, then one of the others."""

    CHECK = 1
    ANSWER = 2
    SELECTION = 3
    LATE_ANSWER = 4
    DELIVERY = 5
    DATA = 6


Shown = dict[Step, frozenset[str]]


def _table(**sentences: str) -> Shown:
    return {Step[name.upper()]: frozenset(identifiers.split()) for name, identifiers in sentences.items()}


# The steps that are the first to be missing, by who opens the connection. One sentence can be broken in several ways.
SHOWN: Mapping[str, Shown] = {
    "tester": _table(
        check="RFC4571-2-01 RFC4571-2-s01 RFC4571-2-s03 RFC6544-3-s01 RFC6544-4.5-s01 RFC6544-4.5-s02 "
        "RFC6544-5.1-01 RFC6544-7.1-03 RFC6544-7.1-s05 RFC6544-7.2-01 RFC6544-7.2-03 RFC6544-7.2-s01 "
        "RFC8445-5.3-s01 RFC8445-6.1.1-01 RFC8445-7.3.1.1-s01 RFC8445-7.3.1.3-s01 RFC8445-7.3.1.4-s02 "
        "RFC8489-14-01 RFC8489-14-02 RFC8489-14.7-02 RFC8489-14.7-s01 RFC8489-5-01 RFC8489-5-03 "
        "RFC8489-5-06 RFC8489-5-07 RFC8489-5-s01 RFC8489-5-s02 RFC8489-6.2.2-06 RFC8839-4.2.1.4-02 "
        "RFC8839-4.2.5-04 RFC8839-4.3.1-02 RFC8839-4.3.2-02 RFC8839-5.1-s01 RFC8839-5.4-05 RFC8839-5.4-s02",
        answer="RFC4571-2-s01 RFC4571-2-s03 RFC6544-7.2-01 RFC6544-7.2-02 RFC6544-8-02 RFC8445-10-s01 "
        "RFC8445-7.3.1.1-s01 RFC8489-6.2.2-06 RFC8489-6.2.2-07 RFC8489-6.3.1.2-s01",
        selection="RFC6544-11.1-01 RFC6544-8-01 RFC6544-8-02 RFC8445-10-s01 RFC8445-6.1.1-02 RFC8445-7.1.2-01 "
        "RFC8445-7.2.2-01 RFC8445-7.2.2-s01 RFC8445-7.2.2-s02 RFC8445-7.3.1.3-s01 RFC8445-8.1.1-02 "
        "RFC8445-8.1.1-s02 RFC8445-8.2-s01 RFC8489-14.3-01 RFC8489-14.5-s01 RFC8489-9.1.1-s01 "
        "RFC8489-9.1.2-01 RFC8839-4.2.1.4-01 RFC8839-5.3-s01",
        late_answer="RFC4571-2-01 RFC6544-10.1-02 RFC6544-11.1-08 RFC6544-3-s02 RFC6544-7.2-03",
        delivery="RFC3264-5.1-21 RFC6544-10.2-01 RFC6544-10.2-s02",
        data="RFC4571-2-01 RFC6544-10.1-01 RFC6544-10.1-02 RFC6544-10.1-s02 RFC6544-11.1-04 RFC6544-4.5-03 "
        "RFC6544-4.5-s04 RFC6544-7.2-03",
    ),
    "IUT": _table(
        check="RFC4571-2-01 RFC4571-2-s01 RFC6544-6.2-s01 RFC6544-7.1-03 RFC6544-7.1-s01 RFC6544-7.1-s05 "
        "RFC8445-5.3-s01 RFC8489-14-01 RFC8489-14-02 RFC8489-14.7-02 RFC8489-14.7-s01 RFC8489-5-01 "
        "RFC8489-5-03 RFC8489-5-07 RFC8489-5-s02 RFC8839-4.2.5-04 RFC8839-5.1-s01 RFC8839-5.4-s02",
        answer="RFC4571-2-s01 RFC4571-2-s03 RFC6544-11.1-08 RFC6544-7.1-03 RFC6544-7.2-03 RFC8445-6.1.1-01 "
        "RFC8445-7.3.1.1-s01 RFC8489-5-06 RFC8489-5-s01 RFC8839-4.2.1.4-02 RFC8839-4.3.1-02 RFC8839-4.3.2-02 "
        "RFC8839-5.4-05",
        selection="RFC6544-11.1-01 RFC6544-7.1-s02 RFC6544-8-01 RFC8445-7.1.2-01 RFC8445-7.2.2-01 RFC8445-7.2.2-s01 "
        "RFC8445-7.2.2-s02 RFC8445-8.1.1-02 RFC8445-8.1.1-s02 RFC8489-14.3-01 RFC8489-14.5-s01 "
        "RFC8489-9.1.1-s01 RFC8489-9.1.2-01",
        late_answer="RFC4571-2-01 RFC6544-10.1-02 RFC6544-11.1-08 RFC6544-3-s02 RFC6544-7.2-03",
        delivery="RFC3264-5.1-21 RFC6544-10.2-01 RFC6544-10.2-s02",
        data="RFC4571-2-01 RFC6544-10.1-01 RFC6544-10.1-02 RFC6544-10.1-s02 RFC6544-11.1-04 RFC6544-4.5-03 "
        "RFC6544-7.2-03",
    ),
}
# What faults do not show each time: no faulty agent of ours refuses all service, and who closes or nominates too soon
# does not always end the connection in question. A second connection that is refused is one that the agent was not
# prepared for, which RFC6544-7.2-01 asks. Who does not take frames apart (RFC6544-7.1-03) loses a check that arrives
# together with a response, which in an ordinary session is a matter of luck.
BY_READING = frozenset({"RFC6544-7.1-03", "RFC6544-7.2-s01", "RFC6544-8-02", "RFC8445-10-s01"})


def steps_shown(requirement: str, opener: str) -> frozenset[Step]:
    """Return the steps that ordinary sessions lack first where a sentence is broken."""
    return frozenset(step for step, shown in SHOWN[opener].items() if requirement in shown)


def way_to(step: Step) -> list[Step]:
    """Return the steps that lead to one, and it."""
    return [*(early for early in (Step.CHECK, Step.ANSWER, Step.SELECTION) if early < step), step]
