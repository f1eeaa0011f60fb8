"""`python -m conformance.interop.greeting FOLDER`: asks a stack what it is, on a machine that has it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from conformance.interop.plan import Contestant, greet

HELLO = "hello.json"


def main() -> int:
    """Write what the stack of the folder's ``spec.json`` says of itself."""
    folder = Path(sys.argv[1])
    stack = Contestant(**json.loads((folder / "spec.json").read_text(encoding="utf-8")))
    greet(stack)
    (folder / HELLO).write_text(json.dumps(asdict(stack)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
