"""Weights kept in the user's cache folder: made once, checked whenever they are read.

A file is named after a hash of its settings and of the code that made it, and holds a checksum of
its numbers.  One that cannot be read or does not match is made anew; where nothing can be written
nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

_CHECKSUM = "sha256"


def folder() -> Path:
    """Where weights are kept: ``FEATURE_CAPACITY_CACHE``, or ``feature-capacity`` in the cache.

    The cache is ``XDG_CACHE_HOME``, or ``.cache`` in the user's folder.
    """
    if chosen := os.environ.get("FEATURE_CAPACITY_CACHE"):
        return Path(chosen)
    top = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(top) / "feature-capacity"


def kept(name: str, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays of a name: read if they were kept whole, and otherwise made, and kept.

    Parameters
    ----------
    name : str
        Of the file, which tells all that the arrays depend on.
    make : callable
        Makes the arrays.
    """
    path = folder() / f"{name}.safetensors"
    found = _read(path)
    if found is None:
        found = {key: np.array(array, order="C") for key, array in make().items()}
        with suppress(OSError):
            _write(path, save(found, {_CHECKSUM: _checksum(found)}))
    return found


def _read(path: Path) -> dict[str, np.ndarray] | None:
    """What a file holds, or None if there is none, or a broken one."""
    try:
        with safe_open(path, "numpy") as file:
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
            checksum = (file.metadata() or {}).get(_CHECKSUM)
    except (OSError, SafetensorError):
        return None
    return found if checksum == _checksum(found) else None


def _write(path: Path, content: bytes) -> None:
    """Write beside the place, and move there: others see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for key in sorted(arrays):
        total.update(f"{key} {arrays[key].dtype} {arrays[key].shape}\n".encode())
        total.update(arrays[key].tobytes())
    return total.hexdigest()
