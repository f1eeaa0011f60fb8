"""The folder of a piece on its way to the one who wanted it: as a zip of octets, or as a file that both can reach."""

from __future__ import annotations

import io
import shutil
import uuid
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEVEL = 1  # captures and logs shrink to a fifth, at 100 MB a second


class ArchiveError(Exception):
    """What came from a worker is no archive of a piece, or cannot be fetched."""


def pack(folder: Path, files: Iterable[Path] | None = None) -> bytes:
    """Return the files of a folder, or some of them, as a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for file in sorted(folder.rglob("*") if files is None else files):
            if file.is_file() and not file.is_symlink():
                archive.write(file, str(file.relative_to(folder)))
    return stream.getvalue()


def unpack(octets: bytes, folder: Path) -> None:
    """Write the files of a zip into a folder that does not exist yet: whole, or not at all.

    Raises `ArchiveError` for one with names that lead out of the folder, and `OSError`.
    """
    scratch = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            for name in archive.namelist():
                path = PurePosixPath(name)
                if path.is_absolute() or ".." in path.parts:
                    raise ArchiveError(f"the archive of a piece has a file {name!r}, outside of its folder")
            archive.extractall(scratch)
    except zipfile.BadZipFile as error:
        raise ArchiveError(f"what came from a worker is no zip: {error}") from None
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    scratch.rename(folder)


def leave(octets: bytes, share: str, name: str) -> str:
    """Write a zip below an fsspec URL; return its own URL, which no other attempt has. Raises `OSError`."""
    url = f"{share.rstrip('/')}/{name}-{uuid.uuid4().hex[:8]}.zip"
    files, path = _files(url)
    files.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
    with files.open(path, "wb") as file:
        file.write(octets)
    return url


def fetch(url: str) -> bytes:
    """Return what `leave` has written, and remove it. Raises `ArchiveError`."""
    files, path = _files(url)
    try:
        with files.open(path, "rb") as file:
            octets = bytes(file.read())
        files.rm(path)
    except OSError as error:
        raise ArchiveError(f"{url} cannot be read here: {error}") from None
    return octets


def _files(url: str) -> tuple[Any, str]:
    import fsspec  # comes with dask; only a share needs it

    files, path = fsspec.core.url_to_fs(url)
    return files, str(path)
