"""What the topics of decisions have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.agent.config import Config


class Topic:
    """Some decisions about one topic. They know how the agent is configured; each session has an object of its own."""

    def __init__(self, config: Config) -> None:
        self.config = config
