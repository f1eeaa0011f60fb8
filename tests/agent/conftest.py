"""What the tests of the agent share."""

from __future__ import annotations

import pytest
from agent_simulation import Network


@pytest.fixture
def network():
    return Network()
