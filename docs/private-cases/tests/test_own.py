"""A test of the project's own, which has nothing to do with icetcp."""

import reports


def test_reports_are_those_of_the_project():
    """Its package is found, not that of icetcp."""
    assert reports.OWNER == "ACME"
