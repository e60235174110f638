"""Names that a folder offers, loaded when they are asked for; what is missing then, in a sentence.

``import feature_capacity`` stays light in this way, and works where an optional extra is not
installed: only the name that needs it says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

EXTRAS = {
    "torch": "models",
    "tqdm": "models",
    "threadpoolctl": "sweeps",
    "xarray": "sweeps",
    "zarr": "sweeps",
    "filelock": "sweeps",
    "yaml": "sweeps",
    "distributed": "cluster",
    "matplotlib": "plots",
    "seaborn": "plots",
}
"""The extra that brings each optional module; what is not listed comes with ``book``."""


def load(module: str) -> ModuleType:
    """Import a module of this package, or say which extra it takes.

    Raises
    ------
    ModuleNotFoundError
        With the line to type, where a library that it needs is not installed.

    Examples
    --------
    >>> load("feature_capacity.theory.capacity").__name__
    'feature_capacity.theory.capacity'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "feature_capacity"):
            raise
        raise ModuleNotFoundError(missing_sentence(module, missing), name=error.name) from None


def missing_sentence(what: str, missing: str) -> str:
    """What takes which library, and the line that installs it.

    >>> missing_sentence("training", "torch")
    "training needs torch, which is not installed; run: pip install 'feature-capacity[models]'"
    """
    extra = EXTRAS.get(missing, "book")
    return (
        f"{what} needs {missing}, which is not installed; "
        f"run: pip install 'feature-capacity[{extra}]'"
    )


def offer(
    package: str, names: Mapping[str, str], modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package that loads its names lazily.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    names : mapping
        By module, relative to the package: the words that it offers, joined by spaces.
    modules : mapping
        By the name under which it is offered: a module, relative to the package.
    """
    home = {name: module for module, words in names.items() for name in words.split()}

    def get(name: str) -> Any:
        if name in modules:
            return load(f"{package}.{modules[name]}")
        if name in home:
            return getattr(load(f"{package}.{home[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted({*home, *modules}), sorted({*home, *modules})
