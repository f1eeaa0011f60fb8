"""What `icetcp judge` says of a capture that a test writes, with the descriptions of a usual session."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from conformance.commands.judge import judge
from conformance.verdict import Verdict
from pcaps.golden import scene as s
from pcaps.golden.scenarios import selected
from pcaps.golden.scene import Scene
from reports.record import read as read_record

LEFT, RIGHT = "192.0.2.1", "198.51.100.2"
OFFER, ANSWER = (
    str(s.described(agent, tcptypes))
    for agent, tcptypes in ((Scene("field").left, "active"), (Scene("field").right, "passive"))
)


class Judged:
    """What `icetcp judge` said."""

    def __init__(self, folder: Path, octets: bytes, offer: str | bytes = OFFER, *more: str) -> None:
        capture = folder / "field.pcapng"
        capture.write_bytes(octets)
        sdps = {"offer": offer if isinstance(offer, bytes) else offer.encode(), "answer": ANSWER.encode()}
        for name, sdp in sdps.items():
            (folder / f"{name}.sdp").write_bytes(sdp)
        self.out = folder / "out"
        arguments = [str(capture), "--out", str(self.out), *more]
        arguments += [word for name in sdps for word in (f"--{name}", str(folder / f"{name}.sdp"))]
        done = CliRunner().invoke(judge, arguments, standalone_mode=False)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        self.exit, self.text = done.return_value, done.output
        self.results = read_record(self.out / "record.jsonl")[1] if self.exit != 2 else []

    def sections(self, verdict: Verdict) -> set[str]:
        """Return the sections whose rules came to this."""
        return {result.section for result in self.results if result.verdict is verdict}

    def blamed(self) -> set[tuple[str, str]]:
        """Return who broke which section."""
        failed = [result for result in self.results if result.verdict is Verdict.FAIL]
        return {(result.reason.partition(" ")[0].rpartition(":")[0], result.section) for result in failed}


def whole_call(scene: Scene) -> None:
    link = selected(scene)
    scene.media(link)
    link.end(link.client)
