"""The process from which command lines are forked; one serves all tests of a worker."""

import pytest

from .processes import starter


@pytest.fixture(scope="session")
def warm():
    """A starter that has loaded what commands take."""
    with starter(warm=True) as running:
        yield running


@pytest.fixture(scope="session")
def cold():
    """A starter that has not, so that a signal also comes while they load it."""
    with starter(warm=False) as running:
        yield running
