"""Writes the golden captures with their offers and answers: `python -m pcaps.golden.build [FOLDER]`.

A capture without descriptions of its own goes with those called "usual". The files are committed; running it again
changes none of their octets.
"""

from __future__ import annotations

import sys
from pathlib import Path

from conformance.wire.sdp import SessionDescription
from pcaps.golden import broken, broken_sequences, broken_values, lawful
from pcaps.golden.scenarios import GOLDEN, described
from pcaps.golden.scene import Scene

FOLDER = Path(__file__).parent
USUAL = "usual"
_MAKERS = (lawful, broken, broken_values, broken_sequences)  # importing them makes the captures known


def files() -> dict[str, bytes]:
    """Return the name and the octets of every file."""
    usual = described(Scene(USUAL))
    found = _sdp(USUAL, usual)
    for name, golden in GOLDEN.items():
        capture, offer, answer = golden.written()
        found[f"{name}.pcapng"] = capture
        if (str(offer), str(answer)) != (str(usual[0]), str(usual[1])):
            found |= _sdp(name, (offer, answer))
    return found


def _sdp(name: str, descriptions: tuple[SessionDescription, SessionDescription]) -> dict[str, bytes]:
    kinds = ("offer", "answer")
    return {f"{name}.{kind}.sdp": str(sdp).encode() for kind, sdp in zip(kinds, descriptions, strict=True)}


def main(folder: Path) -> None:
    """Write them."""
    for name, octets in files().items():
        (folder / name).write_bytes(octets)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
