"""The project's own package. icetcp has one of this name too, which does not matter."""

OWNER = "ACME"
