"""Scapy is imported without its tables of vendors, and nothing of its own is changed by that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_IMPORT = """
import sys
from conformance.run import scapy_tables
{before}
scapy_tables.leave_out()
from scapy import data, main
from scapy.layers.inet import TCP, Ether
print(len(data.MANUFDB), len(data.BLUETOOTH_CORE_COMPANY_IDENTIFIERS))
assert data.ETHER_TYPES[0x0800], "other tables are there"
assert data.MANUFDB._resolve_MAC("00:00:0c:01:02:03") == "00:00:0c:01:02:03" or len(data.MANUFDB)
assert Ether(src="00:00:0c:01:02:03").summary() and TCP(sport=80).sprintf("%sport%")
assert isinstance(main.SCAPY_CACHE_FOLDER, __import__("pathlib").Path)
"""


def _sizes(home: Path, before: str = "") -> list[int]:
    """Return how many vendors Scapy knows, of both tables, in a process whose cache is below this folder."""
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT.format(before=before)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_no_vendors_are_loaded_and_none_are_lost_for_others(tmp_path: Path) -> None:
    assert _sizes(tmp_path) == [0, 0]
    assert not [path for path in tmp_path.rglob("*.pickle") if "manuf" in path.name or "bluetooth" in path.name]
    others = _sizes(tmp_path, "import scapy.data")
    assert min(others) > 1000
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.pickle")}
    assert {"manufdb.pickle", "bluetoothids.pickle"} <= {path.name for path in kept}
    assert _sizes(tmp_path) == [0, 0]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.pickle")} == kept


def test_a_scapy_that_wants_another_file_loads_the_real_tables(tmp_path: Path) -> None:
    assert _sizes(tmp_path, 'scapy_tables._path_of_vendors = lambda: "/nowhere"')[0] > 1000
