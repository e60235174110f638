"""What a result was made from, as one number: its settings, its files, and the code it can reach.

Code is followed through imports, read from the sources: a change of a solver counts for what
imports the solver, directly or not, and for nothing else.  The ``__init__`` files of this package
only say which module has a name; the module counts, they do not.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import MODULES, NAMES

PACKAGE = Path(__file__).resolve().parent
"""Folder of the installed package."""

_HOME = {name: module for module, names in NAMES.items() for name in names.split()} | MODULES
_ROOT = PACKAGE.name


def digest(*settings: object, files: Iterable[Path] = (), code: Iterable[Path] = ()) -> str:
    """Hash of everything that a result depends on.

    Parameters
    ----------
    *settings
        Anything whose ``repr`` tells it apart.
    files : iterable of Path
        Files that count with their content, or as absent.
    code : iterable of Path
        Python files that count with all code of the package that they can reach by imports.

    Examples
    --------
    >>> digest(1) == digest(1), digest(1) == digest(2)
    (True, False)
    """
    code = list(code)
    total = hashlib.sha256(repr(settings).encode())
    for file in [*files, *code, *reachable(*code)]:
        total.update(f"\n{file.name}\n".encode())
        total.update(file.read_bytes() if file.is_file() else b"absent")
    return total.hexdigest()


def module_file(name: str) -> Path:
    """The source of a module of the package, named from its top: ``sweeps.rows``."""
    return PACKAGE.joinpath(*name.split(".")).with_suffix(".py")


def reachable(*sources: Path) -> list[Path]:
    """Files of the package that Python files can reach by imports, in a fixed order.

    Scripts and styles that lie beside a module go with it.
    """
    found: set[Path] = set()
    waiting = [file for source in sources for file in _imported(source, source.stat().st_mtime_ns)]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            found.update(path for kind in ("*.js", "*.css") for path in file.parent.glob(kind))
            waiting.extend(_imported(file, file.stat().st_mtime_ns))
    return sorted(found)


@functools.lru_cache(maxsize=512)
def _imported(source: Path, _changed: int) -> frozenset[Path]:
    """Modules of the package that one file imports, wherever in it."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    names = set(_imported_names(tree, _folder_of(source)))
    for alias in [name for name in names if name.startswith("as ")]:
        names.remove(alias)
        names |= _attributes(tree, alias.removeprefix("as "))
    return frozenset(file for name in names for file in _files_of(name))


def _folder_of(source: Path) -> list[str]:
    """Where relative imports of a file start: its folder, from the top of the package."""
    if not source.is_relative_to(PACKAGE):
        return []
    return list(source.relative_to(PACKAGE).parent.parts)


def _imported_names(tree: ast.AST, folder: list[str]) -> Iterator[str]:
    """What is imported of the package, from its top; ``as NAME`` where it is imported whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                if top == _ROOT:
                    yield rest or f"as {alias.asname or alias.name}"
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".") if node.module else []
            if node.level:
                module = [*folder[: len(folder) - node.level + 1], *module]
            elif module[:1] == [_ROOT]:
                module = module[1:]
            else:
                continue
            for alias in node.names:
                yield ".".join([*module, alias.name])


def _attributes(tree: ast.AST, alias: str) -> set[str]:
    """What a file uses of the package that it imported whole, as ``fc.capacities``."""
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == alias
    }
    return used & _HOME.keys()


def _files_of(name: str) -> Iterator[Path]:
    """The module that a dotted name is, or is in; all of a folder's where the folder is named."""
    first, _, rest = name.partition(".")
    if not PACKAGE.joinpath(first).exists() and not module_file(first).is_file():
        if first not in _HOME:
            return  # `__version__` and the like
        name = ".".join(filter(None, (_HOME[first], rest)))
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        place = PACKAGE.joinpath(*parts[:length])
        if place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
            return
        if place.is_dir():
            if length == len(parts):
                yield from place.rglob("*.py")
            elif (place / "__init__.py").is_file():
                yield place / "__init__.py"
            return
