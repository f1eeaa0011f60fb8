"""Which of all variants a session executes: by the user's filters, and one of each case for a quick run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from conformance.run.collect import one_variant_each, twins, usual_variants, without_long_ones
from conformance.run.selection import Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.run.applicability import Applicability
    from conformance.run.case import Case


@dataclass(frozen=True, slots=True)
class Chosen:
    """The variants of a session: `every` that there is, the `cases` to execute, `long` ones left out for speed."""

    every: Sequence[Case]
    cases: Sequence[Case]
    long: Sequence[Case] = ()

    @property
    def tested(self) -> set[str]:
        """The requirements that have cases."""
        return {requirement for case in self.every for requirement in case.requirements}

    @property
    def partial(self) -> bool:
        """Whether this is not the whole suite."""
        return len(self.cases) < len(self.every)


CHOSEN = pytest.StashKey[Chosen]()  # of the session's configuration, once there are cases


def choose(
    config: pytest.Config, every: Sequence[Case], among: Sequence[Case], applicability: Applicability | None
) -> Chosen:
    """Choose among some of all variants by the options of a session.

    Raises `pytest.UsageError` for a filter that selects nothing of all of them.
    """
    wish = Wish(
        sections=config.getoption("icetcp_section"),
        level=config.getoption("icetcp_level"),
        cases=config.getoption("icetcp_case"),
        requirements=config.getoption("icetcp_requirement"),
    )
    problems = twins(every) or wish.unmatched(every)
    if problems:
        raise pytest.UsageError("; ".join(problems))
    variants = config.getoption("icetcp_variants")
    kept = [case for case in among if wish.holds(case)]
    long: Sequence[Case] = ()
    if variants == "one":
        if not (wish.cases or wish.requirements):
            kept, long = without_long_ones(kept)
        kept = one_variant_each(kept, applicability)
    elif variants == "usual":
        kept = usual_variants(kept)
    return Chosen(every, kept, long)
