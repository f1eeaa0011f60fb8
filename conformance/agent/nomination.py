"""When pairs are nominated (RFC 8445 section 8.1.1, RFC 6544 section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.agent.config import Config
    from conformance.agent.decisions import Decisions
    from conformance.agent.stream import Stream


class Nomination:
    """Regular nomination: a successful check is repeated with USE-CANDIDATE.

    RFC 8445 section 8.1.1 leaves the criterion to the agent. Ours: a short while for the peer's own checks, then as
    soon as no better pair can succeed, and after a longer while in any case.
    """

    def __init__(self, config: Config, decisions: Decisions) -> None:
        self._config = config
        self._decisions = decisions

    def nominate_due(self, stream: Stream, now: float) -> None:
        """Queue the checks of a stream that are now to be repeated with USE-CANDIDATE."""
        checks = stream.checks
        for component in range(1, checks.components + 1):
            when = self._time(stream, component)
            best = checks.best_valid(component)
            if when is not None and best is not None and when <= now and best.origin is not None:
                best.origin.nominate = True
                checks.trigger(best.origin)

    def next_time(self, stream: Stream) -> float | None:
        """Return when `nominate_due` may have something to do."""
        times = [self._time(stream, component) for component in range(1, stream.checks.components + 1)]
        return min((time for time in times if time is not None), default=None)

    def _time(self, stream: Stream, component: int) -> float | None:
        """Return from when on the best valid pair of a component may be nominated; None: not foreseeable."""
        checks = stream.checks
        best = checks.best_valid(component)
        if best is None or component in checks.nominated or not checks.running:
            return None
        if any(pair.nominate and pair.component == component for pair in checks.pairs):
            return None  # under way
        if not self._decisions.may_nominate():
            return None
        wait = self._config.decision if checks.better_open(best) else self._config.settling
        return stream.first_valid.get(component, 0.0) + wait
