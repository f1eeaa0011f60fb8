"""Where an IUT is met if nothing is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOPBACK: Mapping[str, Sequence[str]] = {"IPv4": ("127.0.0.1",), "IPv6": ("::1",)}
