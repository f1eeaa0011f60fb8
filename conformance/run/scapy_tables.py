"""Scapy without its tables of hardware vendors: 50,000 of Ethernet and 4,000 of Bluetooth, which no case looks at.

To load them takes longer than all the rest of Scapy, in each run before its first verdict. Scapy keeps them in its
cache (`scapy.data.scapy_data_cache`); while it is imported it finds empty ones there. Its own files stay as they are.
"""

from __future__ import annotations

import hashlib
import io
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_CACHE = "SCAPY_CACHE_FOLDER"  # of scapy.main
_FOLDERS = ("/usr", "/usr/local", "/opt", "/opt/wireshark", "/Applications/Wireshark.app/Contents/Resources")
_VENDORS = "share/wireshark/manuf"
# Pickles of {"id": ..., "content": ...}, written out because the class is not there yet.
_ETHERNET = "(dS'id'\nS'{id}'\nsS'content'\ncscapy.data\nManufDA\n(S'no vendors'\ntRs."
_BLUETOOTH = "(dS'id'\nS'{id}'\nsS'content'\n(ds."


def leave_out() -> None:
    """Import the tables of Scapy without vendors, in a process where nobody else uses Scapy.

    Another version of Scapy, which keeps them otherwise, loads them as ever.
    """
    if "scapy.data" in sys.modules:
        return
    main = import_module("scapy.main")
    folder = getattr(main, _CACHE, None)
    if folder is None:
        return
    setattr(main, _CACHE, _Folder(folder))
    try:
        import_module("scapy.data")
    finally:
        setattr(main, _CACHE, folder)


class _Folder:
    """Scapy's cache with empty tables of vendors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __truediv__(self, name: str) -> Path | _File:
        empty = {"manufdb.pickle": (_ETHERNET, _path_of_vendors()), "bluetoothids.pickle": (_BLUETOOTH, "")}.get(name)
        if empty is None:
            return self._folder / name
        text, source = empty
        return _File(self._folder / name, text.format(id=hashlib.sha256(source.encode()).hexdigest()).encode())


class _File:
    """One of them. Scapy that does not take it loads, and keeps, the real table."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        self._content = content

    def exists(self) -> bool:
        return True

    def open(self, mode: str) -> Any:
        return io.BytesIO(self._content) if mode == "rb" else self._path.open(mode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._path, name)


def _path_of_vendors() -> str:
    """Return the file from which Scapy would load the vendors; nothing if it is its own."""
    paths = (Path(folder, _VENDORS) for folder in _FOLDERS)
    return next((str(path) for path in paths if path.exists()), "")
