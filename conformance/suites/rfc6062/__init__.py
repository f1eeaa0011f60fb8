"""Cases of RFC 6062, a file per section."""
