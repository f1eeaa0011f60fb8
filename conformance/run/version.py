"""Which icetcp this is."""

from __future__ import annotations

from importlib import metadata


def own_version() -> str:
    """Return the version of icetcp."""
    try:
        return metadata.version("icetcp")
    except metadata.PackageNotFoundError:  # used from a checkout on the path, not installed
        return "uninstalled"
