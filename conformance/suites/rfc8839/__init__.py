"""Cases of RFC 8839, a file per section."""
