"""When the tester processes of a run are forked: as soon as the IUT is known, where enough cases are sure to come.

Then they start the IUT while the run's process still makes the cases. Where a filter may leave few, the cases are
there first.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from conformance.iut.pool import Pool
from conformance.run.engine import Case, Engine
from conformance.run.premise import PROCESSES, Premise
from conformance.run.settings import beside_of, is_inline, jobs_of, settings_of
from conformance.run.testers import Testers, how_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from conformance.peer.share import Share
    from conformance.run.recording import Recording

_FILTERS = ("icetcp_section", "icetcp_level", "icetcp_case", "icetcp_requirement")
_MANY = 500  # cases that there are at least of each suite without a filter


def fork_early(config: pytest.Config, premise: Premise) -> None:
    """Fork before the cases are made, where no filter leaves some of them out."""
    if not (config.option.collectonly or any(config.getoption(name) for name in _FILTERS)):
        premise.testers = _fork(config, premise, _MANY)


def fork(config: pytest.Config, premise: Premise, cases: Sequence[Case]) -> Testers | None:
    """Return tester processes, if there is work for several: while this process has only one thread."""
    return premise.testers or _fork(config, premise, len(cases), cases)


def _fork(config: pytest.Config, premise: Premise, many: int, cases: Sequence[Case] = ()) -> Testers | None:
    """Fork, having ended the threads of this process that the IUT's process and the recorder have.

    Each tester process has its own.
    """
    stack = premise.stack
    if is_inline(config, premise) or premise.elsewhere is not None or stack.host is not None or stack.by_hand:
        return None
    adapters, jobs = stack.processes or PROCESSES, jobs_of(config, premise)
    count = how_many(config.getoption("icetcp_testers"), cases=many, jobs=jobs, adapters=adapters, bears=stack.jobs)
    if count == 1:
        return None
    premise.renew(adapters)
    recording, settings = premise.recording, settings_of(config, premise)
    if threading.active_count() > 1:  # another plugin's
        return None

    def engine(share: Share) -> tuple[Engine, Recording]:
        logs = settings.out / "logs"  # the folder is cleared before the first case
        pool = Pool(stack, processes=adapters // count, log_dir=logs, hello=premise.hello)
        return Engine(pool, recording, settings, premise.pics, share), recording

    return Testers(count, jobs, engine, cases, beside=beside_of(config, premise))
