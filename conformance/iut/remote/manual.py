"""The adapter of a person: descriptions are shown at a terminal and typed or pasted there, one session at a time.

    python -m conformance.iut.remote.manual [--pics FILE] --from INPUT --to OUTPUT

INPUT and OUTPUT are the files of the person's terminal, for stdin and stdout are the tester's.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, TextIO

from conformance.iut.stacks import contract
from conformance.iut.stacks.contract import INTERNAL, NO_PARAMS, REJECTED, Refused

# A device of which nothing is known: the cases that need more than this are n/a.
PICS: dict[str, Any] = {
    "offers": ["active", "passive"],
    "connects": ["active", "passive"],
    "transports": ["tcp", "udp"],
    "answers": 1800,
    "sessions": 1,
}
_END = "."
_RULE = "-" * 72
_REFUSED = re.compile(r"refused\b[\s:]*(.*)", re.IGNORECASE)


class Console:
    """What the person reads and types."""

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self._source, self._target = source, target

    def show(self, *lines: str) -> None:
        """Show lines."""
        self._target.write("".join(f"{line}\n" for line in lines))
        self._target.flush()

    def read(self) -> str:
        """Return what is typed on one line. Raises `Refused` when the input has ended."""
        line = self._source.readline()
        if not line:
            raise Refused(INTERNAL, "the terminal's input has ended; nobody can answer")
        return line.rstrip("\r\n")

    def answer(self) -> str:
        """Return a line that is not an instruction to us. Raises `Refused` for "skip" and "refused WORDS"."""
        line = self.read()
        if line.strip().lower() == "skip":
            raise Refused(NO_PARAMS, "skipped by the person at the terminal")
        refused = _REFUSED.match(line.strip())
        if refused:
            raise Refused(REJECTED, refused[1] or "the device refused it")
        return line


class Session(contract.Session):
    """One session of the device."""

    console: Console

    def open(self, params: dict[str, Any]) -> None:
        """Say what the device shall be."""
        side, case = params["side"], params.get("x-case", "")
        wishes = [f"{key}: {params[key]}" for key in ("agent", "components", "streams", "media") if key in params]
        wishes += [f"{key}: {' '.join(params[key])}" for key in ("tcptypes", "transports") if params.get(key)]
        if params.get("ice_servers"):
            wishes += [
                f"ICE server: {' '.join(str(value) for value in each.values())}" for each in params["ice_servers"]
            ]
        self.side = side
        self.console.show(
            "", _RULE, f"Case {case}".rstrip(), f"Begin a new session; the device is the {side}.", *wishes
        )

    def describe(self, _params: dict[str, Any]) -> dict[str, Any]:
        """Ask for the device's description."""
        kind = "offer" if self.side == "offerer" else "answer"
        self.console.show(
            _RULE,
            f"Paste the device's {kind} (SDP, or the JSON of a browser), then a line with a single dot.",
            "Or type: @FILE to read it from a file, skip, refused WORDS.",
        )
        lines = [self.console.answer()]
        if lines[0].startswith("@"):
            return _described(kind, _file(lines[0][1:].strip()), whole=True)
        while (line := self.console.read()) != _END:
            lines.append(line)
        return _described(kind, "\n".join(lines), whole=False)

    def accept(self, params: dict[str, Any]) -> None:
        """Show the tester's description and wait until the device has it."""
        kind = params["type"]
        if kind == "offer":
            self.side = "answerer"
        self.console.show(
            _RULE,
            f"Give this {kind} to the device:",
            _RULE,
            *params["sdp"].splitlines(),
            _RULE,
            "Press Enter when the device has it. Or type: skip, refused WORDS (the device's own).",
        )
        self.console.answer()

    def restart(self, _params: dict[str, Any]) -> None:
        """Ask for an ICE restart."""
        self.side = "offerer"
        self.console.show(
            _RULE, "Restart ICE on the device; its new offer is asked for next. Press Enter, or type skip."
        )
        self.console.answer()

    def close(self, _params: dict[str, Any]) -> None:
        """Say that it is over."""
        self.console.show(_RULE, "The case is over: end the session on the device.")


def _described(kind: str, text: str, *, whole: bool) -> dict[str, Any]:
    """Return a description. If it is not `whole`, it was pasted, and the terminal has changed the ends of its lines."""
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
            return {"type": str(value["type"]), "sdp": str(value["sdp"])}
        except (ValueError, KeyError, TypeError):
            raise Refused(INTERNAL, "what was given begins like JSON, but is not an object with type and sdp") from None
    if whole:
        return {"type": kind, "sdp": text}
    lines = [line for line in (line.rstrip("\r") for line in text.split("\n")) if line]
    return {"type": kind, "sdp": "".join(f"{line}\r\n" for line in lines)}


def _file(name: str) -> str:
    try:
        return Path(name).read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise Refused(INTERNAL, f"{name} cannot be read: {error.strerror}") from None


def _pics(name: str | None) -> dict[str, Any]:
    """Return the pics of a file, with what this adapter needs."""
    said = json.loads(Path(name).read_text(encoding="utf-8")) if name else {}
    if not isinstance(said, dict):
        raise ValueError("it does not hold an object")
    return {**PICS, **said, "sessions": 1, "trickle": False, "reports": []}


def main() -> int:
    """Serve the tester until stdin ends."""
    parser = argparse.ArgumentParser(prog="icetcp-manual")
    parser.add_argument("--pics")
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", dest="target", required=True)
    options = parser.parse_args()
    try:
        pics = _pics(options.pics)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"the pics in {options.pics} cannot be used: {error}\n")
        return 1
    with (
        Path(options.source).open(encoding="utf-8", errors="replace") as source,
        Path(options.target).open("a", encoding="utf-8", errors="replace") as target,
    ):
        Session.console = Console(source, target)
        Session.console.show("icetcp: one case at a time; descriptions are shown here and pasted here.")
        contract.serve(Session, {"name": "manual", "version": "", "pics": pics})
    return 0


if __name__ == "__main__":
    sys.exit(main())
