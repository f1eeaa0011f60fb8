"""What reports say of a requirement: they do not know the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.verdict import Level


@dataclass(frozen=True, slots=True)
class Rule:
    """A requirement in words of ours, and where it stands: ``rfc`` is "RFC8445", ``section`` "7.2.2"."""

    id: str
    title: str
    text: str
    level: Level
    rfc: str
    section: str

    @property
    def url(self) -> str:
        """The section at the RFC editor; nothing for a document of a vendor's own."""
        if not self.rfc.startswith("RFC"):
            return ""
        return f"https://www.rfc-editor.org/rfc/{self.rfc.lower()}#section-{self.section}"
