"""The PICS proforma of an IUT: what it says of itself, what the scan sees, which requirements that makes applicable."""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.catalogue import REQUIREMENTS
from conformance.catalogue.capabilities import PROFORMA, declared, keys, unmet, validate
from conformance.iut import stacks
from conformance.iut.errors import AdapterError
from conformance.iut.pool import Pool
from conformance.run.applicability import BOTH
from conformance.run.evidence import told
from conformance.run.observing import scan
from conformance.run.recording import NoRecording
from conformance.run.topology import Topology
from conformance.run.version import own_version
from reports.html.report import place, word
from reports.pics import SUPPLIER, Entry, Proforma, capabilities, status, support

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.verdict import Result


def of_iut(spec: str) -> Proforma:
    """Ask an IUT. Raises `StackError` where it cannot be started, `AdapterError` where it does not answer."""
    stack = stacks.resolve(spec)
    with tempfile.TemporaryDirectory(prefix="icetcp-", ignore_cleanup_errors=True) as scratch:
        pool = Pool(stack, processes=1, log_dir=Path(scratch))
        try:
            hello = pool.hello()
            problems = validate(hello.pics)
            if problems:
                raise AdapterError("the adapter's pics are not valid: " + "; ".join(problems))
            families = [str(family) for family in hello.pics.get("families", [4])]
            here = [family for family in BOTH if family[-1] in families]
            found = scan(pool, hello.pics, Topology(NoRecording()), here or BOTH[:1])
            incidents = told(incident for incident in pool.incidents if incident.serious)
        finally:
            pool.kill()
    made = proforma(hello.name, hello.version, hello.pics, (*found.findings, *found.told))
    made.incidents = incidents
    return made


def proforma(
    iut: str, version: str, pics: Mapping[str, Any], seen: Sequence[str], results: Iterable[Result] = ()
) -> Proforma:
    """Return the document. `seen` is what the scan told; with the `results` of a run, support is told by verdicts."""
    verdicts: defaultdict[str, list[str]] = defaultdict(list)
    for result in results:
        for requirement in result.requirements:
            verdicts[requirement].append(word(result))
    found = Proforma(iut, version, own_version(), dict.fromkeys(SUPPLIER, ""), scan=list(seen))
    found.supplier["Implementation"], found.supplier["Version"] = iut, version
    known = [(c.key, c.kind, c.values, declared(c.key, pics), c.meaning) for c in PROFORMA.values()]
    found.capabilities = capabilities(known, pics, seen)
    for number, entry in enumerate(REQUIREMENTS.values(), start=1):
        atoms = [atom for atom in entry.pics if PROFORMA.keys() >= set(keys(atom))]
        condition = " ".join(entry.pics)
        supported = support(verdicts[entry.id], applies=not unmet(atoms, pics))
        kind = status(entry.level.value, condition)
        found.entries.append(
            Entry(f"R.{number}", entry.id, place(entry.id), entry.level.value, entry.title, kind, condition, supported)
        )
    return found


def catalogue() -> dict[str, Any]:
    """Return which requirements there are: how many, and a digest of their ids, levels and paraphrases."""
    digest = hashlib.sha256()
    for entry in sorted(REQUIREMENTS.values(), key=lambda entry: entry.id):
        digest.update(f"{entry.id}\t{entry.level.value}\t{entry.text}\n".encode())
    return {"requirements": len(REQUIREMENTS), "sha256": digest.hexdigest()}
