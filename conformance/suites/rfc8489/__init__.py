"""Cases of RFC 8489, a file per section."""
