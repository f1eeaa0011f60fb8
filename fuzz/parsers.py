"""Parsers in process: messages made and mutated as in a campaign, steered by the lines that the parser executes.

    python -m fuzz.parsers conformance.wire.stun:Message.decode --raises ValueError --time 60
    python -m fuzz.parsers aioice.stun:parse_message --raises ValueError --time 60

A parser may refuse its input with the given exceptions. Other exceptions and slow inputs are findings; they are
minimised and printed as Python code. Exit status: 0 nothing found, 1 findings.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz.campaign.tracing.sitecustomize import SIZE, Marks
from fuzz.generate import Generator
from fuzz.minimise import minimise
from fuzz.mutate import MUTATORS
from fuzz.player.render import Env, frame

Case = dict[str, Any]
Parse = Callable[[bytes], Any]

_PICS = {"offers": ["passive"], "sides": ["offerer"]}
_SLOW = 0.25  # seconds for one message
_MOST = 2000  # cases in the corpus


def named(text: str) -> Parse:
    """Return what "package.module:name.name" names."""
    module, _, path = text.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found  # type: ignore[no-any-return]


class Parser:
    """A parser under test."""

    def __init__(self, parse: Parse, allowed: tuple[type[Exception], ...]) -> None:
        self._parse, self._allowed = parse, allowed
        self._octets = bytearray(SIZE)
        self._marks = Marks(self._octets)

    @property
    def lines(self) -> int:
        """How many of its lines were executed so far."""
        return SIZE - self._octets.count(0)

    def wrong(self, octets: bytes) -> str:
        """Return what is wrong when it parses octets: where an exception came from, or that it was slow."""
        begun = time.process_time()
        self._marks.start()
        try:
            self._parse(octets)
        except self._allowed:
            pass
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__module__}.{type(error).__name__} in {last.name}: {error}"[:160]
        finally:
            self._marks.stop()
        return "slow" if time.process_time() - begun > _SLOW else ""


def payloads(case: Case) -> list[bytes]:
    """Return the payloads of a case's frames."""
    env = Env("tstr", "testertestertestertester", controlling=True)
    env.learn("iutu", "iutiutiutiutiutiutiutiut")
    return [frame(one, env)[2:] for step in case["steps"] for one in step.get("frames", ())]


def cause(text: str) -> str:
    """Return the part of a text that tells causes apart."""
    return text.partition(":")[0]


class Search:
    """Makes cases until the time is over."""

    def __init__(self, parser: Parser, seed: int) -> None:
        self._parser, self._random = parser, Random(seed)
        self._generator = Generator(seed, 0, _PICS, ["request", "response", "frame"])
        self.corpus: list[Case] = []
        self.found: dict[str, tuple[str, Case]] = {}
        self.cases = self.lines = 0

    def run(self, seconds: float, cases: int) -> None:
        """Search for so long, or so many cases."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (not cases or self.cases < cases):
            self._once(self._next())

    def _next(self) -> Case:
        """Return a new case, or a mutation of one that brought new lines."""
        random = self._random
        if not self.corpus or random.random() < 0.4:
            return self._generator.case(self.cases, self._generator.plans[0])
        case: Case = eval(repr(random.choice(self.corpus)))  # noqa: S307  (plain data of our own: the fastest deep copy)
        for step in case["steps"]:
            for one in step.get("frames", ()):
                if "message" in one:
                    for _ in range(random.choice((1, 1, 2, 4))):
                        random.choice(MUTATORS)(random, one["message"])
        return case

    def _once(self, case: Case) -> None:
        self.cases += 1
        for octets in payloads(case):
            if (wrong := self._parser.wrong(octets)) and cause(wrong) not in self.found:
                self.found[cause(wrong)] = wrong, case
        seen = self._parser.lines
        if seen > self.lines and len(self.corpus) < _MOST:
            self.corpus.append(case)
        self.lines = seen


def smallest(parser: Parser, wrong: str, case: Case) -> bytes:
    """Return the smallest payload found that shows the same."""

    def holds(some: Case) -> bool:
        return any(cause(parser.wrong(octets)) == cause(wrong) for octets in payloads(some))

    small = minimise(case, holds, 4000)
    return min((one for one in payloads(small) if cause(parser.wrong(one)) == cause(wrong)), key=len, default=b"")


def main(arguments: list[str]) -> int:
    """Search, and print the findings."""
    options = argparse.ArgumentParser(prog="python -m fuzz.parsers")
    options.add_argument("parser", metavar="MODULE:NAME")
    options.add_argument("--raises", action="append", default=[], help="an exception by which it refuses; repeatable")
    options.add_argument("--time", type=float, default=60.0)
    options.add_argument("--cases", type=int, default=0)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args(arguments)
    allowed = tuple(named(name if ":" in name else f"builtins:{name}") for name in given.raises)
    parser = Parser(named(given.parser), allowed)  # type: ignore[arg-type]
    search = Search(parser, given.seed)
    search.run(given.time, given.cases)
    for wrong, case in search.found.values():
        octets = smallest(parser, wrong, case)
        sys.stdout.write(f"{wrong}\n    {given.parser}(bytes.fromhex({octets.hex()!r}))\n")
    sys.stdout.write(f"{search.cases} cases, {search.lines} lines, {len(search.found)} findings\n")
    return 1 if search.found else 0


__all__ = ["Parser", "Search", "main", "payloads", "smallest"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
