"""What a result was made from, as one number: its settings, its files, and the code it can reach.

Code is followed through imports, read from the sources: a change of a solver counts for what
imports the solver, directly or not, and for nothing else.  The ``__init__`` files of this package
only say which module has a name; the module counts, they do not.
"""

import ast
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import MODULES, NAMES

PACKAGE = Path(__file__).resolve().parent
"""Folder of the installed package."""

_HOME = {name: module for module, names in NAMES.items() for name in names.split()} | MODULES
_ROOT = PACKAGE.name
_DOTTED = re.compile(r"\w+(\.\w+)*")


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

    What lies beside a module and is no Python, as a script or a style sheet, goes with it, unless
    it is named after another module there, as ``other.html.j2``.
    """
    found: set[Path] = set()
    waiting = list(sources)
    while waiting:
        source = waiting.pop()
        names = _imported(source, source.read_text(encoding="utf-8"))
        imported = {file for name in names for file in _files_of(name)} - found
        found |= imported
        waiting += imported
    return sorted(found.union(*map(_data_of, found)))


def _data_of(module: Path) -> Iterator[Path]:
    for file in module.parent.glob("[!.]*.*"):
        namesake = module.parent / f"{file.name.partition('.')[0]}.py"
        if file.suffix != ".py" and (namesake == module or not namesake.is_file()):
            yield file


@functools.lru_cache(maxsize=512)
def _imported(source: Path, text: str) -> frozenset[str]:
    """What one file imports of the package, wherever in it, named from its top."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # which is said where the file is executed
        return frozenset()
    names, aliases = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                if top == _ROOT:
                    names.update([rest] if rest else [])
                    if not rest or not alias.asname:  # `import a.b` binds `a`, with all it offers
                        aliases.add(alias.asname or _ROOT)
        elif isinstance(node, ast.ImportFrom):
            names.update(_imported_from(node, source))
    uses = _Uses(aliases)
    uses.visit(tree)
    return frozenset(names | uses.found)


def _imported_from(node: ast.ImportFrom, source: Path) -> list[str]:
    """What one ``from ... import`` names of the package."""
    module = node.module.split(".") if node.module else []
    if node.level:
        if not source.is_relative_to(PACKAGE):
            return []
        folder = source.relative_to(PACKAGE).parents[node.level - 1]
        module = [*folder.parts, *module]
    elif module.pop(0) != _ROOT:
        return []
    return [".".join([*module, alias.name]) for alias in node.names]


class _Uses(ast.NodeVisitor):
    """What a file uses of a package that it imported whole, as ``fc.phases.classify``.

    A use that cannot be followed, as in ``getattr(fc, name)``, may be of anything on offer.
    """

    def __init__(self, aliases: set[str]):
        self.aliases = aliases
        self.found: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        top, _, rest = ast.unparse(node).partition(".")
        if top in self.aliases and _DOTTED.fullmatch(rest):
            self.found.add(rest)
        else:
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self.aliases:
            self.found.add("*")


def _files_of(name: str) -> Iterator[Path]:
    """The module that a dotted name is, or is in; all of a folder's where the folder is named."""
    parts = name.split(".")
    if parts == ["*"]:
        for offered in _HOME:
            yield from _files_of(offered)
        return
    parts[:1] = _HOME.get(parts[0], parts[0]).split(".")
    for length in range(len(parts), 0, -1):
        place = PACKAGE.joinpath(*parts[:length])
        if place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
        elif place.is_dir():
            # `from folder import *` and `import folder` may use all of it, a name what is offered.
            whole = length == len(parts) or parts[length] == "*"
            yield from place.rglob("*.py") if whole else [place / "__init__.py"]
        else:
            continue
        return
