"""What holds for a whole run, as the options of its session and its IUT have it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.peer.pixit import Pixit
from conformance.run.engine import Settings
from conformance.run.premise import PROCESSES, iut_of, out_of

if TYPE_CHECKING:
    import pytest

    from conformance.run.premise import Premise

_AT_ONCE = 64  # cases wait most of their time; 64 keep two cores busy without starving each other's deadlines
_LONG_AT_ONCE = 48


def settings_of(config: pytest.Config, premise: Premise) -> Settings:
    """Return what the engines of a run are told."""
    return Settings(
        iut=premise.hello.name,
        out=premise.folder.path,
        pixit=pixit_of(config, premise),
        seed=config.getoption("icetcp_seed"),
        repeat=_repeat(config),
        on_wire=premise.on_wire,
        ipv6=premise.ipv6,
        elsewhere=premise.elsewhere,
        by_hand=premise.stack.by_hand,
        explained=premise.known.explain,
        alone=premise.known.alone,
    )


def pixit_of(config: pytest.Config, premise: Premise) -> Pixit:
    """Return the deadlines of a run."""
    response = config.getoption("icetcp_timeout")
    pixit = Pixit() if response is None else Pixit.scaled(response)
    decides = config.getoption("icetcp_decides") or premise.pics.get("decides")
    return pixit if decides is None else replace(pixit, decides=float(decides))


def jobs_of(config: pytest.Config, premise: Premise) -> int:
    """Return how many cases are executed at once."""
    return min(_wanted(config, premise), _places(premise))


def _places(premise: Premise) -> int:
    """Return how many sessions the IUT serves at once, in all processes that it may have."""
    return int(premise.pics.get("sessions", 1)) * (premise.stack.processes or PROCESSES)


def beside_of(config: pytest.Config, premise: Premise) -> int:
    """Return how many long cases have places of their own; 0 where the user or the stack says how many run at once."""
    if config.getoption("icetcp_jobs") or premise.stack.jobs:
        return 0
    return min(_LONG_AT_ONCE, _places(premise) - jobs_of(config, premise))


def is_inline(config: pytest.Config, premise: Premise) -> bool:
    """Whether the cases are executed in the main thread: for a debugger, and in a worker of pytest-xdist."""
    return _wanted(config, premise) == 1 or hasattr(config, "workerinput")


def _wanted(config: pytest.Config, premise: Premise) -> int:
    return int(config.getoption("icetcp_jobs") or premise.stack.jobs or _AT_ONCE)


def _repeat(config: pytest.Config) -> str:
    """Return the command that repeats a case in a folder of its own, with a place for the {case}.

    Braces of the IUT's command are not such places.
    """
    options = f"--iut {shlex.quote(iut_of(config))} --seed {config.getoption('icetcp_seed')}"
    if config.getoption("icetcp_timeout") is not None:
        options += f" --timeout {config.getoption('icetcp_timeout'):g}"
    if config.getoption("icetcp_decides") is not None:
        options += f" --decides {config.getoption('icetcp_decides'):g}"
    if config.getoption("icetcp_link") != "auto":
        options += f" --link {config.getoption('icetcp_link')}"
    for name in ("iut_address", "tester_address"):
        options += "".join(f" --{name.replace('_', '-')} {value}" for value in config.getoption(f"icetcp_{name}"))
    options += f" --out {shlex.quote(str(out_of(config) / 'repeat'))}"
    return f"icetcp run {options.replace('{', '{{').replace('}', '}}')} -j 1 --case {{case}}"
