"""The command line ``feature-capacity``: one line a task, helpful when mistaken."""

from . import book, run  # noqa: F401 - importing them adds their commands
from .base import app

__all__ = ["app"]

_ORDER = "book pages run capacity sweep claims pdf serve pair clean".split()  # noqa: SIM905

# The help lists what readers and experimenters want before what maintainers want.
app.registered_commands.sort(key=lambda known: _ORDER.index(known.name or known.callback.__name__))
