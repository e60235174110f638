"""Names that a folder offers, loaded when they are asked for; what is missing then, in a sentence.

``import feature_capacity`` stays light in this way, and works where an optional extra is not
installed: only the name that needs it says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from types import ModuleType
from typing import Any

EXTRAS = {
    "plots": ("matplotlib", "seaborn"),
    "models": ("torch", "tqdm"),
    "sweeps": ("torch", "tqdm", "yaml", "filelock", "threadpoolctl", "xarray", "zarr"),
    "book": ("yaml", "papermill", "jupytext", "ipykernel", "jupyter_book", "bs4", "matplotlib"),
    "cluster": ("distributed",),
    "widgets": ("anywidget", "matplotlib", "seaborn"),
}
"""By extra, the libraries that tell whether it is installed, as they are imported."""


class MissingExtraError(ModuleNotFoundError):
    """A library that an optional extra brings is not installed; says the line to type."""


def need(extra: str, what: str, *libraries: str) -> None:
    """Raise :class:`MissingExtraError` unless an extra is installed.

    Parameters
    ----------
    extra : str
        A key of :data:`EXTRAS`.
    what : str
        What takes it, as the message begins.
    *libraries : str
        Which of its libraries are needed; all, where none is named.
    """
    for library in libraries or EXTRAS[extra]:
        if find_spec(library) is None:
            raise MissingExtraError(missing_sentence(what, library, extra), name=library)


def missing_sentence(what: str, library: str, extra: str | None = None) -> str:
    """What takes which library, and the line that installs it.

    >>> missing_sentence("training", "torch")
    "training needs torch, which is not installed; run: pip install 'feature-capacity[models]'"
    """
    extra = extra or next((name for name, brought in EXTRAS.items() if library in brought), "book")
    return (
        f"{what} needs {library}, which is not installed; "
        f"run: pip install 'feature-capacity[{extra}]'"
    )


def load(module: str) -> ModuleType:
    """Import a module of this package, or raise :class:`MissingExtraError`.

    >>> load("feature_capacity.theory.capacity").__name__
    'feature_capacity.theory.capacity'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("", "feature_capacity") or isinstance(error, MissingExtraError):
            raise
        raise MissingExtraError(missing_sentence(module, library), name=library) from None


def offer(
    package: str,
    names: Mapping[str, str],
    modules: Mapping[str, str],
    extras: Mapping[str, str],
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package that loads its names lazily.

    A name whose extra is not installed raises :class:`MissingExtraError`, and ``dir`` and ``help``
    leave it out.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    names : mapping
        By module, relative to the package: the words that it offers, joined by spaces.
    modules : mapping
        By the name under which it is offered: a module, relative to the package.
    extras : mapping
        By module or folder: the extra that it takes.
    """
    home = {name: module for module, words in names.items() for name in words.split()}
    every = home | dict(modules)

    def check(name: str) -> None:
        module = every[name]
        extra = extras.get(module) or extras.get(module.partition(".")[0])
        if extra is not None:
            need(extra, f"{package}.{name}")

    def get(name: str) -> Any:
        if name not in every:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        check(name)
        module = load(f"{package}.{every[name]}")
        return getattr(module, name) if name in home else module

    def listed() -> list[str]:
        there = []
        for name in sorted(every):
            with suppress(MissingExtraError):
                check(name)
                there.append(name)
        return there

    return get, listed, sorted(every)
