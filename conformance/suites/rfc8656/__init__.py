"""Cases of RFC 8656, a file per section."""
