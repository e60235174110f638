"""The command line ``feature-capacity``: one line a task, helpful when mistaken."""

from feature_capacity import cli_book, cli_run  # noqa: F401 - importing them adds their commands
from feature_capacity.cli_base import app

__all__ = ["app"]
