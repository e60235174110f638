"""The command line ``feature-capacity``: one line a task, helpful when mistaken.

- ``run``: a page with other settings, or a grid of them
- ``measure``: the capacities in a matrix of one's own
- ``sweep``: a phase diagram of a toy model
- ``zoo``: networks whose truth is known
- ``book``: build, list, check, show and print the book
- ``base``: what the commands share; ``completion``: what a shell offers
"""

from . import book, measure, run, sweep, zoo  # noqa: F401 - importing them adds their commands
from .base import app

__all__ = ["app"]

_ORDER = "book pages run capacity sweep claims pdf serve pair clean".split()  # noqa: SIM905

# The help lists what readers and experimenters want before what maintainers want.
app.registered_commands.sort(key=lambda known: _ORDER.index(known.name or known.callback.__name__))
