"""Options and marks of icetcp in pytest.

Nothing of icetcp is imported here, because pytest sessions of other projects read this module too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_LEVELS = ["must", "stated", "should", "may"]
_PREFIX = "icetcp_"


def add(parser: pytest.Parser) -> None:
    """Add the options, once: all but --iut with a prefix, since other plugins have options too."""
    group = parser.getgroup("icetcp", "ICE-TCP conformance")
    if group.options:
        return
    option = group.addoption
    option("--iut", help="implementation under test: a stack's name or exec:COMMAND (default: the reference agent)")
    option(
        "--icetcp-section",
        action="append",
        default=[],
        metavar="SECTION",
        help="only cases of this section: 7.2",
    )
    option("--icetcp-case", action="append", default=[], metavar="ID", help="only this case, or variant of a case")
    option("--icetcp-requirement", action="append", default=[], metavar="ID", help="only cases of this requirement")
    option(
        "--icetcp-level",
        choices=_LEVELS,
        help="only cases whose first requirement has this level or a stronger",
    )
    option(
        "--icetcp-variants",
        choices=["all", "usual", "one"],
        default="all",
        help="of each case: all variants, the usual one on each side, or one in all",
    )
    option(
        "--icetcp-jobs",
        type=int,
        default=0,
        metavar="N",
        help="variants in parallel (0 = automatic, 1 = for a debugger)",
    )
    option(
        "--icetcp-testers",
        type=int,
        default=0,
        metavar="N",
        help="tester processes that share them (0 = one a core, as far as there is work for them)",
    )
    option(
        "--icetcp-out",
        metavar="DIR",
        help="folder of reports, captures and logs (default: reports/run-NAME, after the IUT)",
    )
    option(
        "--icetcp-fail-on",
        choices=["must", "should"],
        default="must",
        help="weakest level that fails the run",
    )
    option("--icetcp-expect", metavar="FILE", help="file of known failures, which do not fail the run")
    option("--icetcp-write-expect", action="store_true", help="write the run's failures to that file; comments stay")
    option("--icetcp-ratchet", action="store_true", help="remove from that file what no longer fails; add nothing")
    option(
        "--icetcp-repeat",
        type=_times,
        default=1,
        metavar="N",
        help="execute each variant so many times; what comes to different verdicts is flaky, and fails the run",
    )
    option(
        "--icetcp-report",
        action="append",
        default=[],
        choices=["sarif", "tap", "github"],
        help="write another report as well: SARIF 2.1.0, TAP 14, or annotations of GitHub Actions; repeatable",
    )
    option(
        "--icetcp-attachments",
        choices=["folder", "project", "absolute"],
        default="folder",
        help="paths of captures and logs: relative to the reports, to the project (GitLab), or absolute (Jenkins)",
    )
    option(
        "--icetcp-require-reach",
        type=_percent,
        default=0.0,
        metavar="PERCENT",
        help="part of the requirements with cases that must be judged: 80%%",
    )
    option(
        "--icetcp-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of everything random on the tester's side",
    )
    option(
        "--icetcp-timeout",
        type=float,
        default=None,
        metavar="SECONDS",
        help="deadline of a response; others scale",
    )
    option(
        "--icetcp-decides",
        type=float,
        default=None,
        metavar="SECONDS",
        help="how long the IUT may take to nominate",
    )
    option(
        "--icetcp-link",
        choices=["auto", "lab", "sockets"],
        default="auto",
        help="own network where the kernel allows it",
    )
    for whose, name in (("implementation", "iut"), ("tester", "tester")):
        option(
            f"--icetcp-{name}-address",
            action="append",
            default=[],
            metavar="ADDRESS",
            help=f"address of the {whose} where the implementation is not on this machine; once for each family",
        )


def _times(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise ValueError(text)
    return value


def _percent(text: str) -> float:
    value = float(text.strip().removesuffix("%"))
    if not 0 <= value <= 100:
        raise ValueError(text)
    return value


def is_given(config: pytest.Config) -> bool:
    """Whether an IUT is named, or any option of icetcp has been given a value."""
    given = {name: value for name, value in vars(config.option).items() if name.startswith(_PREFIX)}
    return bool(config.getoption("iut") or (any(given.values()) and _unusual(given)))


def _unusual(given: dict[str, object]) -> bool:
    usual = {
        "icetcp_variants": "all",
        "icetcp_fail_on": "must",
        "icetcp_link": "auto",
        "icetcp_attachments": "folder",
        "icetcp_repeat": 1,
    }
    return any(value and usual.get(name) != value for name, value in given.items())


def declare_marks(config: pytest.Config) -> None:
    """Declare the marks of cases."""
    config.addinivalue_line("markers", "requirement(*ids, needs): the requirements that a conformance case tests")
    config.addinivalue_line("markers", "watches(seconds): this case, or variant, watches a clock for so long")
    config.addinivalue_line("markers", "lasts(seconds): this case, or variant, takes so long")
    config.addinivalue_line("markers", "in_segments: the tester's TCP is made of segments of its own in this case")
