"""`icetcp` with the fake plugin over the folder of cases that FAKE_SUITES names, as a program."""

from __future__ import annotations

import os

from conformance.commands import cli
from conformance.run import session

session.PLUGIN = "fake_icetcp_plugin"
if "FAKE_SUITES" in os.environ:
    session.suites_folder = lambda: os.environ["FAKE_SUITES"]
cli.main()
