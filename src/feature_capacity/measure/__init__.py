"""The capacity of features in a matrix of one's own.

The folder is called itself, as ``feature_capacity.measure(W)``: see :func:`.measuring.measure`.

- ``tensor_files``: what tensors a file holds, without running code; ``pickles``: those of torch's;
  ``slices``: their numbers, read in slices
- ``layouts``: which axis is features; ``choice``: one matrix out of what is at hand
- ``stream``: capacities from slices; ``cluster``: the same on a Dask cluster
- ``random_directions``, ``neighbors``, ``statistics``, ``coactivation``: what the numbers mean
- ``measuring``: all of it put together; ``record``: what was found; ``report``, ``page``,
  ``picture``: the same to read and to look at
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A folder that is a function as well, whichever of the two is asked for first."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from .measuring import measure

        return measure(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
