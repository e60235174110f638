"""The command line ``feature-capacity``: one line a task, helpful when mistaken."""

from feature_capacity import cli_book, cli_run  # noqa: F401 - importing them adds their commands
from feature_capacity.cli_base import app

__all__ = ["app"]

_ORDER = "book pages run capacity sweep claims pdf serve pair gallery clean".split()  # noqa: SIM905

# The help lists what readers and experimenters want before what maintainers want.
app.registered_commands.sort(key=lambda known: _ORDER.index(known.name or known.callback.__name__))
