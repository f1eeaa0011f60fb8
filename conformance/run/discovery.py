"""Which cases there are, and which of them the filters select: a collection, without execution."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.run.choosing import CHOSEN
from conformance.run.collect import case_of, is_case
from conformance.run.gather import WITHOUT_ITEMS
from conformance.run.session import Outcome, run_pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from conformance.run.case import Case


@dataclass(slots=True)
class Found:
    """What a collection brought: every case there is, and those that the filters select."""

    outcome: Outcome = field(default_factory=Outcome)
    every: list[Case] = field(default_factory=list)
    selected: list[Case] = field(default_factory=list)

    def by_requirement(self) -> dict[str, list[Case]]:
        """Return the cases that test each requirement."""
        tested: defaultdict[str, list[Case]] = defaultdict(list)
        for case in self.every:
            for identifier in case.requirements:
                tested[identifier].append(case)
        return dict(tested)


class _Collector:
    def __init__(self, found: Found) -> None:
        self._found = found

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        chosen = session.config.stash.get(CHOSEN, None)
        if chosen is None:
            return
        alone = session.config.stash.get(WITHOUT_ITEMS, None)
        selected = [case_of(item) for item in session.items if is_case(item)] if alone is None else list(alone)
        self._found.every, self._found.selected = list(chosen.every), selected


def discover(arguments: Sequence[str] = (), private: Sequence[str] = ()) -> Found:
    """Collect the cases, `private` ones too, filtered by the plugin's options; nothing is executed."""
    found = Found()
    found.outcome = run_pytest(["--collect-only", *arguments], [_Collector(found)], private=private)
    return found
