"""A toy model minimized in every cell of a phase diagram (Figure 7).

- ``config``: what is computed, as one validated, hashable description
- ``tasks``, ``rows``: one row of the grid, minimized on its own in one round
- ``candidates``, ``library``: from where cells are started again; minima of the whole diagram
- ``audit``: whether minima are the lowest
- ``dataset``: the labels of the result, and a hash of every row
- ``store``: where a sweep is kept
- ``run``: all rows, in rounds, resumed where they stopped
"""

from .._lazy import need

need("sweeps", __name__)
