"""Classes of what came back: which answers, whether media, whether the connection was ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.player.reading import code_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from fuzz.player.connection import Connection
    from fuzz.player.outcome import Outcome


def result_of(outcome: Outcome) -> str:
    """Return the class of what came back, on the connections whose last check shows that they were served."""
    served = {id(connection) for connection, _, _ in outcome.probes}
    ours = {check[8:20] for check in outcome.checks}
    return " ".join(
        sorted({answers_of(connection, ours) for connection in outcome.connections if id(connection) in served})
    )


def answers_of(connection: Connection, but: AbstractSet[bytes] = frozenset()) -> str:
    """Return the class of what came on a connection, without the answers to some ids."""
    return class_of((answers[0] for identity, answers in connection.answers.items() if identity not in but), connection)


def class_of(answers: Iterable[bytes], connection: Connection) -> str:
    """Return the class of some answers, and of what else came on the connection."""
    kinds = {_answer(answer) for answer in answers}
    if connection.media:
        kinds.add("media")
    return ("+".join(sorted(kinds)) if len(kinds) > 1 else "".join(kinds)) + ("/ended" if connection.closed else "")


def _answer(octets: bytes) -> str:
    """Return the class of a response; for an error its code."""
    return "ok" if octets[1] == 0x01 else str(code_of(octets) or "error")
