"""What each end of a row sent and got, as capture files, beside the descriptions that it exchanged."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from conformance.nattable.path.middle import ANSWERER, OFFERER
from pcaps.pcapng import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.nattable.model import Row
    from conformance.nattable.path.middle import Way

_RAW = 101  # LINKTYPE_RAW: from the IP header on


def folder_of(out: Path, row: Row) -> Path:
    """Return where a row's files go."""
    return out / re.sub(r"[^A-Za-z0-9]+", "-", row.name).strip("-")


def write(out: Path, row: Row, way: Way, described: Sequence[str]) -> None:
    """Write offer, answer and a pcapng of each end: what a recorder beside the agent has. Raises `OSError`."""
    folder = folder_of(out, row)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(("offer.sdp", "answer.sdp"), described, strict=True):
        (folder / name).write_bytes(text.encode())
    epoch = time.time_ns() - time.monotonic_ns()
    for end, name in ((OFFERER, "offerer"), (ANSWERER, "answerer")):
        with (folder / f"{name}.pcapng").open("wb") as file:
            writer = Writer(file, _RAW, comment=f"{row.name}: at the {name}")
            for moment, octets in way.recorded[end]:
                writer.packet(epoch + int(moment * 1e9), octets)
