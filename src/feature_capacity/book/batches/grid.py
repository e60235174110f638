"""A grid of parameters for one page: read from a file, checked whole before anything runs.

Either a mapping of name to values, of which every combination is taken, or a list of runs::

    n_dims: [2, 3, 4]               - {n_dims: 2, kurtosis: 9}
    kurtosis: [1.5, 9]              - {n_dims: 3}
"""

import itertools
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..._digest import digest
from ..._documents import read_document
from ..parameters import ParameterCell, Value

_NAME_LENGTH = 80
_MOST_RUNS = 10_000


def read_grid(file: Path, cell: ParameterCell, common: Mapping[str, Any]) -> list[dict[str, Value]]:
    """The settings of every run, each once, in the order of the file.

    Parameters
    ----------
    file
        YAML or JSON.
    cell
        What the page takes.
    common
        Settings of all runs; they may not be in the grid as well.

    Raises
    ------
    ValueError
        For a file that is no grid, and for the first setting that the page does not take.
    """
    entries = _entries(file, read_document(file, "parameter file"))
    runs: dict[str, dict[str, Value]] = {}
    for number, entry in enumerate(entries, start=1):
        where = f"{file}, run {number} of {len(entries)}"
        for name in entry:
            if name in common:
                raise ValueError(f"{where}: {name} is also given on its own; leave one out")
        try:
            settings = cell.check({**common, **entry}, text=True)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        runs.setdefault(run_name(settings), settings)
    return list(runs.values())


def _entries(file: Path, content: Any) -> list[dict[str, Any]]:
    if isinstance(content, Mapping) and content:
        for name, values in content.items():
            if not isinstance(values, list) or not values:
                raise ValueError(
                    f"{file}: {name!s:.60} needs a list of values, for example [1, 2]; "
                    f"got {values!r:.60}"
                )
        _require_few(file, math.prod(map(len, content.values())))
        names = list(map(str, content))
        return [dict(zip(names, row, strict=True)) for row in itertools.product(*content.values())]
    if isinstance(content, list) and content:
        _require_few(file, len(content))
        for number, entry in enumerate(content, start=1):
            if not isinstance(entry, Mapping):
                raise ValueError(
                    f"{file}: run {number} must be a mapping of parameter: value; got {entry!r:.60}"
                )
        return [{str(name): value for name, value in entry.items()} for entry in content]
    raise ValueError(f"{file} holds neither a mapping of parameter: values nor a list of runs")


def _require_few(file: Path, number: int) -> None:
    if number > _MOST_RUNS:
        raise ValueError(
            f"{file} asks for {number:.15g} runs, each a notebook; "
            f"split it into grids of at most {_MOST_RUNS:,}"
        )


def run_name(settings: Mapping[str, Value]) -> str:
    """A file name for a run, without ending: what it sets, and a hash that tells runs apart.

    >>> run_name({"n_dims": 3, "mode": "a/b"})
    'n_dims-3_mode-a-b_f2ee43'
    """
    told = "_".join(f"{name}-{value}" for name, value in settings.items()) or "defaults"
    told = re.sub(r"[^A-Za-z0-9.+_-]", "-", told)[:_NAME_LENGTH]
    return f"{told}_{digest(json.dumps(dict(settings), sort_keys=True))[:6]}"
