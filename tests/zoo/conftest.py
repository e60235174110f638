"""Weights that a test makes are kept for this session alone."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEATURE_CAPACITY_CACHE", str(tmp_path_factory.mktemp("zoo")))
        yield
