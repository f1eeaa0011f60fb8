"""Cases of RFC 7675, a file per section."""
