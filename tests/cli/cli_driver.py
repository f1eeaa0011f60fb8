"""`icetcp` with the fake plugin over the folder of cases that FAKE_SUITES names, as a program."""

from __future__ import annotations

import os

from conformance import cli, invoke

invoke.PLUGIN = "fake_icetcp_plugin"
if "FAKE_SUITES" in os.environ:
    invoke._suites_folder = lambda: os.environ["FAKE_SUITES"]
cli.main()
