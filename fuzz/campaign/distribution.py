"""A campaign on a cluster: a shard is a piece, and what one of them finds is told to all while they run."""

from __future__ import annotations

import json
import shutil
import time
import zlib
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from conformance.cluster import archive, identity, relay
from conformance.cluster.abilities import needs
from conformance.cluster.piece import Piece
from fuzz.campaign.coordinator import Total
from fuzz.campaign.spec import Spec, Status
from fuzz.novelty import kind

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from conformance.cluster.dispatch import Dispatch
    from conformance.cluster.journal import Journal

_END_WITHIN = 45.0  # seconds for shards that are asked to end, to finish an investigation and hand everything over
_LONGER = 600.0  # seconds that a shard may take beyond the campaign's time
_SHARDS = 300  # that report every second; more report less often, for a scheduler has only so many events to spare
_LONGEST = 30 * 86400.0  # seconds for a shard whose cases are counted


class Campaign:
    """Shards on a cluster, and what is known of them here."""

    def __init__(
        self, specs: Sequence[Spec], out: Path, show: Callable[[Total], None], stopping: threading.Event
    ) -> None:
        self.total = Total()
        self._specs = {f"shard-{spec.shard}": spec for spec in specs}
        self._out, self._show, self._stopping = out, show, stopping
        self._before = {
            name: self._log(name).read_bytes() if spec.resume else b"" for name, spec in self._specs.items()
        }
        self._seen: set[str] = set()  # kinds of novelty, and buckets, that were told to all
        self._every = max(1.0, len(specs) / _SHARDS)
        self._news: list[dict[str, Any]] = []  # to be told to all with the next message
        self._deadline = self._told = 0.0
        self._dispatch: Dispatch | None = None

    def _log(self, name: str) -> Path:
        path = self._out / f"log-{self._specs[name].shard}.jsonl"
        path.touch()
        return path

    def run(self, dispatch: Dispatch, journal: Journal) -> Total:
        """Run all shards to their end, or until `stopping` is set. Raises `ClusterError`."""
        self._dispatch = dispatch
        version = {spec.iut: identity.stack_or_nothing(spec.iut) for spec in self._specs.values()}
        try:
            dispatch.run(
                [self._piece(name, spec, version) for name, spec in self._specs.items()],
                lambda piece, _outcome: self._done(piece, journal),
            )
        except KeyboardInterrupt:
            self.total.interrupted = True
        for name, spec in self._specs.items():
            status = self.total.shards.get(spec.shard)
            if status is None or status.problem or not status.done:
                why = dispatch.report.lost.get(name, f"shard {spec.shard} did not come to its end")
                self.total.problems.append(status.problem if status is not None and status.problem else why)
        return self.total

    def _piece(self, name: str, spec: Spec, version: dict[str, str]) -> Piece:
        files = {f"log-{spec.shard}.jsonl": self._before[name]}
        for file in sorted(self._out.glob("*/*/finding.json")) if spec.resume else ():
            files[str(file.relative_to(self._out))] = file.read_bytes()
        remote = replace(spec, out="{folder}", shared=True)
        return Piece(
            name=name,
            program=("fuzz.campaign", json.dumps(asdict(remote))),
            icetcp=identity.icetcp(),
            spec={"log": f"log-{spec.shard}.jsonl", "shard": spec.shard, "every": self._every},
            files=files,
            needs=needs(*filter(None, (spec.iut, spec.against))),
            stacks=version,
            limit=spec.seconds + _LONGER if spec.seconds else _LONGEST,
            relays=True,
        )

    # -- what workers tell -------------------------------------------------------------------------------------------

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take what a worker tells of a shard."""
        name = event["piece"]
        if name not in self._specs:
            return
        if event["what"] == "begun":  # perhaps again, elsewhere
            self.total.shards.pop(self._specs[name].shard, None)
            self._log(name).write_bytes(self._before[name])
        elif event["what"] == relay.STATUS:
            self.total.shards[self._specs[name].shard] = Status(**event["status"])
            self._show(self.total)
        elif event["what"] == relay.FINDING:
            self._keep(event["name"], event["archive"])
        elif event["what"] == relay.LOG:
            self._append(name, event["begin"], zlib.decompress(event["octets"]))

    def _append(self, name: str, begin: int, octets: bytes) -> None:
        path = self._log(name)
        if path.stat().st_size != begin:  # told by one that was lost, after another has begun
            return
        with path.open("ab") as file:
            file.write(octets)
        for line in octets.splitlines():
            if line.startswith(b"{"):
                self._share(json.loads(line))

    def _share(self, entry: dict[str, Any]) -> None:
        """Tell all shards of a case that is new, once."""
        if entry.get("event") == "new":
            case, result = entry["case"], entry["result"]
            self._publish(f"new {kind(case, result)}", {"case": case, "result": result})

    def _publish(self, what: str, event: dict[str, Any]) -> None:
        if what not in self._seen:
            self._seen.add(what)
            self._news.append(event)

    def _tell_all(self) -> None:
        """Send what is to be told as one message: it costs the scheduler as much as a single one."""
        if self._news and self._dispatch is not None and time.monotonic() - self._told > self._every:
            self._dispatch.publish({"known": self._news})
            self._news, self._told = [], time.monotonic()

    def _keep(self, name: str, octets: bytes) -> None:
        """Keep the folder of a finding, of several with one cause the first."""
        folder = self._out / name
        if not (folder / "finding.json").is_file():
            archive.unpack(octets, folder)
        finding = json.loads((folder / "finding.json").read_text(encoding="utf-8"))
        self._publish(f"finding {finding['bucket']}", {"finding": finding})

    def _done(self, piece: Piece, journal: Journal) -> None:
        """Take over what a shard leaves at its end."""
        folder, spec = journal.folder(piece.name), self._specs[piece.name]
        shutil.copyfile(folder / f"log-{spec.shard}.jsonl", self._log(piece.name))
        for file in folder.glob("*/*/finding.json"):
            target = self._out / file.parent.relative_to(folder)
            if not (target / "finding.json").is_file():
                shutil.copytree(file.parent, target, dirs_exist_ok=True)

    def tick(self) -> None:
        """Tell all what is news; end the shards in order, if that is wanted, and at once if it takes too long."""
        self._tell_all()
        if not self._stopping.is_set() or self._dispatch is None:
            return
        if not self._deadline:
            self.total.interrupted = True
            self._deadline = time.monotonic() + _END_WITHIN
            self._dispatch.stop()
        elif time.monotonic() > self._deadline:
            raise KeyboardInterrupt
