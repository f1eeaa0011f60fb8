"""The conformance cases: a folder per RFC, a file per section. A case's file and name are its identity."""
