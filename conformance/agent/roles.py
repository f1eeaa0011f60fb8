"""Our role, and the conflict over it (RFC 8445 sections 6.1.1, 7.2.5.1 and 7.3.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.events import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.agent.config import Config
    from conformance.agent.decisions import Decisions
    from conformance.agent.events import Output
    from conformance.agent.stream import Stream

_CONTROLLING = "controlling"


class Role:
    """Who leads. ``lite``: we make no checks; ``peer_lite``: the peer makes none."""

    def __init__(
        self,
        config: Config,
        decisions: Decisions,
        streams: Sequence[Stream],
        out: list[Output],
        random: Callable[[int], bytes],
    ) -> None:
        self.controlling = config.role == _CONTROLLING if config.role else config.offerer and not config.lite
        self.lite = not decisions.makes_checks()
        self.peer_lite = False
        self._is_told = bool(config.role)
        self._decisions = decisions
        self._streams = streams
        self._out = out
        self._random = random
        self.tie_breaker = self._new_tie_breaker()

    @property
    def both_lite(self) -> bool:
        """Whether nobody checks (RFC 6544 section 6.1)."""
        return self.lite and self.peer_lite

    def meet(self, peer_lite: bool) -> None:
        """Take note of the peer's mode, from which our role follows (RFC 8445 section 6.1.1) if nobody has told it."""
        self.peer_lite = peer_lite
        if not self._is_told:
            self.controlling = self._decisions.controls(peer_lite)

    def restart(self, *, ours: bool) -> None:
        """Keep the role when ICE restarts (RFC 8445 section 9). `ours`: the restart is ours."""
        self.controlling = self._decisions.role_in_restart(self.controlling, ours=ours)

    def switch(self) -> None:
        """Take the other role; pairs get other priorities, and nominations come to nothing."""
        self.controlling = not self.controlling
        self._out.append(Note(f"role conflict: now {'controlling' if self.controlling else 'controlled'}"))
        for stream in self._streams:
            stream.checks.reprioritise(self.controlling)
            for pair in stream.checks.pairs:
                pair.nominate = pair.nominated_by_peer = False

    def lose(self, asked_as_controlling: bool) -> None:
        """Take the other role for a 487, unless that has happened since we asked (RFC 8445 section 7.2.5.1)."""
        if asked_as_controlling == self.controlling:
            if self._decisions.renews_tie_breaker():
                self.tie_breaker = self._new_tie_breaker()
            self.switch()

    def _new_tie_breaker(self) -> int:
        return int.from_bytes(self._random(8), "big")
