"""What a shard notes of each case: the log, the coverage of the model, and the corpus."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz.campaign.budget import Budget
    from fuzz.campaign.log import Log
    from fuzz.generate import Generator

Case = dict[str, Any]


class Notes:
    """Takes note of cases that were judged."""

    def __init__(self, log: Log, generator: Generator, budget: Budget) -> None:
        self.log, self._generator, self._budget = log, generator, budget
        self.coverage: Counter[str] = Counter()
        self.last_new = 0.0
        self.session = 0  # the number of the session that is played

    def note(self, case: Case, number: int, result: str, seconds: float, *, new: bool) -> None:
        """Log a case; one that brought something new joins the corpus."""
        plan = case["plan"]
        self.coverage[f"{plan['side']} {plan['iut']} {plan['state']} {case['class']}"] += 1
        if new and case["steps"]:  # a case without steps stands for one that was left out
            self._generator.corpus.append(case)
            self.last_new = self._budget.elapsed
            self.log.event("new", number=number, session=self.session, result=result, case=case)
        self.log.case(number, self.session, case["class"], result, seconds * 1000)

    def share(self, case: Case) -> None:
        """Take a case that was new to another shard into the corpus; the log says since when."""
        self._generator.corpus.append(case)
        self.log.event("shared", case=case)
