"""Cases of RFC 3264, a file per section."""
