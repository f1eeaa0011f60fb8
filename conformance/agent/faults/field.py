"""Faults seen of real stacks: a transport that a lost connection shuts, a buffer for candidates that is too short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.connections import Closing
from conformance.agent.decisions.description import Description
from conformance.agent.decisions.reopening import Reopening
from conformance.agent.decisions.responses import Responses
from conformance.agent.faults.model import Faults
from conformance.wire.candidate import Candidate
from conformance.wire.errors import SdpError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.candidates import Base
    from conformance.agent.pairs import Connection, Pair
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address

fault = Faults()


@fault("dead-after-loss", "RFC6544-11.1-06", "accepts, opens and answers nothing once a selected connection is lost")
class DeadAfterLoss(Checks, Responses, Closing, Reopening):
    _dead = False

    def closed_with(self, connection: Connection, others: Sequence[Connection]) -> Sequence[Connection]:
        self._dead |= connection.selected
        return others if self._dead else super().closed_with(connection, others)

    def admits(self, stream: Stream, base: Base, remote: Address, others: Iterable[Connection]) -> bool:
        return not self._dead and super().admits(stream, base, remote, others)

    def answers(self, stream: Stream, connection: Connection, started: bool) -> bool:
        return not self._dead and super().answers(stream, connection, started)

    def checks_stream(self, stream: Stream) -> bool:
        return not self._dead and super().checks_stream(stream)

    def reopens(self, pair: Pair) -> bool:
        return not self._dead and super().reopens(pair)


@fault("long-candidates-cut", "RFC8839-5.1-10", "keeps 99 characters of a candidate; what then makes no sense is lost")
class LongCandidatesCut(Description):
    def read(self, text: str) -> str:
        lines = [_cut(line) for line in super().read(text).splitlines()]
        return "".join(f"{line}\r\n" for line in lines if line)


def _cut(line: str) -> str:
    if not line.startswith("a=candidate:") or len(line) <= _LONGEST:
        return line
    try:
        Candidate.parse(line[:_LONGEST])
    except SdpError:
        return ""
    return line[:_LONGEST]


_LONGEST = 101  # with "a="
