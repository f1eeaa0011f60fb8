"""Cases of RFC 8445, a file per section."""
