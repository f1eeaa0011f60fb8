"""How this program was started, as a command that starts it again."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def command_line(arguments: Sequence[str] | None = None) -> str:
    """Return the command, with these arguments or with those of this process.

    With `python -m NAME`, `sys.argv[0]` is the path of a module, which is not a command.
    """
    return shlex.join([*_program(), *(sys.argv[1:] if arguments is None else arguments)])


def _program() -> list[str]:
    module = getattr(sys.modules["__main__"], "__spec__", None)
    if module is not None:
        return [sys.orig_argv[0], "-m", module.name.removesuffix(".__main__")]
    program = sys.argv[0]
    name = Path(program).name
    return [name if shutil.which(name) == program else program]
