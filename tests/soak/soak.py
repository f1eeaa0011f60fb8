"""Runs the same cases again and again at different rates: a verdict must not depend on how busy the machine is.

python tests/soak/soak.py [--iut NAME]... [--times N] [--together N] [--out FOLDER] [--resume] [-- SELECTION OF icetcp run]

At each rate each IUT is judged N times: one case at a time, as many at once as a run takes, and the same with every core
kept busy meanwhile. Runs of one case at a time mostly wait, so several go on together, each in a network of its own.
A race inside a stack that has an entry with consequences in its known failures may strike in any run: what is known by
such an entry is counted and told, and is no other verdict. With --resume, whole runs that the folder already has count. Prints the variants whose verdict was not always the same,
with the rate. Ends with 1 if there are any, and with 3 if a run came to no verdicts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.expectations import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STACKS = ("reference", "libnice", "libjuice")
SELECTION = ("--quick",)
JUDGED = (0, 1, 3)  # exit statuses of a run that wrote a record to its end
PASS = "pass"


@dataclass(frozen=True)
class Rate:
    """How fast the cases are executed; ``busy``: with every core of the machine kept busy meanwhile."""

    name: str
    options: tuple[str, ...] = ()
    busy: bool = False
    waits: bool = False  # a run of this rate mostly waits


RATES = (
    Rate("one at a time", ("-j", "1"), waits=True),
    Rate("full width"),
    Rate("full width, busy machine", busy=True),
)


@dataclass
class Soak:
    """What an IUT's variants came to: by variant and rate, how often to which verdict, and why it was no pass.

    `races`: what known failures say that have consequences; `struck`: by variant and rate, how often they explain it.
    """

    iut: str
    races: frozenset[str] = frozenset()
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    verdicts: defaultdict[str, defaultdict[str, Counter[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    reasons: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def take(self, rate: str, lines: Sequence[Mapping[str, Any]]) -> None:
        """Take a run's record. The last line about a variant counts, as it does for every report."""
        self.runs[rate] += 1
        last = {line["variant"]: line for line in lines if line["kind"] == "verdict"}
        for variant, line in last.items():
            if line.get("known") in self.races:
                self.struck[variant, rate] += 1
                continue
            self.verdicts[variant][rate][line["verdict"]] += 1
            self.reasons[variant, line["verdict"]][line["reason"]] += 1

    def settle(self) -> None:
        """Count a pass wherever a run says nothing: a rule of the judge is recorded where it is broken."""
        for variant, rates in self.verdicts.items():
            for rate, runs in self.runs.items():
                silent = runs - rates[rate].total() - self.struck[variant, rate]
                if silent:
                    rates[rate][PASS] += silent

    def unsteady(self) -> dict[str, Mapping[str, Counter[str]]]:
        """Return the variants whose verdict was not the same in all runs."""
        return {
            variant: rates
            for variant, rates in sorted(self.verdicts.items())
            if len({verdict for counts in rates.values() for verdict in counts}) > 1
        }

    def told(self) -> list[str]:
        """Return in words what was not steady."""
        lines = []
        for variant, rates in self.unsteady().items():
            lines.append(f"{self.iut}: {variant}")
            for rate, counts in rates.items():
                lines.append(f"    {rate}: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
            for verdict in sorted({v for counts in rates.values() for v in counts} - {PASS}):
                reason, count = self.reasons[variant, verdict].most_common(1)[0]
                lines.append(f"    {verdict}, {count} times: {reason}")
        return lines


def races(iut: str) -> frozenset[str]:
    """Return what a stack's known failures say of races inside it, as they do in a record."""
    file = files("conformance.iut.stacks").joinpath(iut, "expectations.toml")
    entries = parse(file.read_text(encoding="utf-8"), iut) if file.is_file() else []
    return frozenset(str(entry) for entry in entries if entry.consequences)


@contextlib.contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep so many cores busy."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def judge(iut: str, rate: Rate, out: Path, selection: Sequence[str], *, resume: bool = False) -> list[dict[str, Any]]:
    """Let `icetcp run` judge an IUT; return its record. Raises `RuntimeError` if it came to none.

    `resume`: a record that is there already, and whole, is of a soak that was interrupted, and counts.
    """
    record = out / "record.jsonl"
    if resume and (lines := whole(record)):
        return lines
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(out), *rate.options, *selection]
    with busy(os.cpu_count() or 2) if rate.busy else contextlib.nullcontext():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = whole(record)
    if done.returncode not in JUDGED or not lines:
        raise RuntimeError(f"{iut}, {rate.name}: status {done.returncode}: {done.stderr.strip() or done.stdout[-400:]}")
    return lines


def whole(record: Path) -> list[dict[str, Any]]:
    """Return the lines of a record; none if it is not there, or is not of a whole run."""
    try:
        lines = [json.loads(line) for line in record.read_text().splitlines()]
    except (OSError, ValueError):
        return []
    return lines if lines and lines[-1]["kind"] == "end" and not lines[-1].get("interrupted") else []


def soak(
    iut: str,
    times: int,
    out: Path,
    selection: Sequence[str],
    rates: Sequence[Rate] = RATES,
    *,
    together: int = 1,
    resume: bool = False,
) -> Soak:
    """Judge an IUT so many times at each rate; so many runs that mostly wait go on together."""
    found = Soak(iut, races(iut))

    def judged(rate: Rate, number: int) -> list[dict[str, Any]]:
        folder = out / iut / rate.name.replace(" ", "-").replace(",", "") / str(number)
        return judge(iut, rate, folder, selection, resume=resume)

    for rate in rates:
        with ThreadPoolExecutor(together if rate.waits else 1) as pool:
            for number, lines in enumerate(pool.map(partial(judged, rate), range(times)), start=1):
                found.take(rate.name, lines)
                print(f"{iut}, {rate.name}, {number} of {times}", file=sys.stderr, flush=True)
    found.settle()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iut", action="append", help=f"default: {' '.join(STACKS)}")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--together", type=int, default=4, help="runs of one case at a time that go on at once")
    parser.add_argument("--out", type=Path, default=Path("reports/soak"))
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted soak was, in its folder")
    parser.add_argument("selection", nargs="*", help=f"of icetcp run, default: {' '.join(SELECTION)}")
    options = parser.parse_args()
    if options.times < 1:
        parser.error("--times: at least 1")
    if options.together < 1:
        parser.error("--together: at least 1")
    failed, steady = [], True
    for iut in options.iut or STACKS:
        try:
            selection = options.selection or SELECTION
            found = soak(iut, options.times, options.out, selection, together=options.together, resume=options.resume)
        except RuntimeError as error:
            failed.append(str(error))
            continue
        for line in found.told():
            print(line)
        steady = steady and not found.unsteady()
        for variant, count in sorted(Counter(variant for variant, _ in found.struck.elements()).items()):
            print(f"{iut}: {variant}: {count} times the consequence of a known race")
        print(f"{iut}: {len(found.unsteady())} of {len(found.verdicts)} variants unsteady in {found.runs.total()} runs")
    for text in failed:
        print(f"no verdicts: {text}", file=sys.stderr)
    return 3 if failed else 0 if steady else 1


if __name__ == "__main__":
    sys.exit(main())
