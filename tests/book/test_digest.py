"""What a result depends on is read from imports: neither too little of the code nor too much."""

import ast
import functools
import json
import shutil
import subprocess
import sys
import textwrap
from collections import defaultdict
from pathlib import Path

import pytest

from feature_capacity import _digest
from feature_capacity._digest import PACKAGE, digest, reachable
from feature_capacity._lazy import EXTRAS
from feature_capacity.book import build
from feature_capacity.book.build import page_digest
from feature_capacity.book.claims.registry import load_claims
from feature_capacity.book.pages import list_pages
from feature_capacity.book.project import find_project
from feature_capacity.sweeps import config

NOT_FOLLOWED = {"_lazy.py"}
"""Loads what the ``__init__`` of the package offers; the modules that it loads count, it does not.
"""

# ------------------------------------------------------------------------------- a small package

FAKE = {
    "__init__.py": "from ._lazy import offer",
    "_lazy.py": "",
    "_arrays.py": "",
    "theory/__init__.py": '"""Closed forms."""',
    "theory/capacity.py": "from .._arrays import numbers",
    "theory/phases.py": "def draw():\n    from . import capacity\n",
    "solvers/__init__.py": '"""Solvers."""',
    "solvers/first.py": "from .second import go\nfrom ..theory.phases import draw",
    "solvers/second.py": "import feature_capacity.solvers.first",
    "explorers/__init__.py": "from .sliders import slider\nfrom .maps import show",
    "explorers/sliders.py": "from feature_capacity.theory import capacity",
    "explorers/maps.py": "",
    "explorers/sliders.js": "",
    "explorers/look.css": "",
    "figures/plots.html.j2": "",
    "figures/other.py": "",
    "figures/other.html.j2": "",
    "explorers/.hidden.js": "",
    "figures/deep/__init__.py": "",
    "figures/deep/inner.py": "from ...theory import capacity\nfrom .. import plots",
    "figures/__init__.py": "",
    "figures/plots.py": "",
}
OFFERED = {"capacities": "theory.capacity", "go": "solvers.first", "phases": "theory.phases"}

THEORY = {"_arrays", "theory/capacity"}
SOLVERS = {"solvers/first", "solvers/second", "theory/phases", *THEORY}
EXPLORERS = {"explorers/__init__", "explorers/sliders", "explorers/maps", *THEORY}
EXPLORERS |= {"explorers/sliders.js", "explorers/look.css"}
DEEP = {"figures/deep/inner", "figures/plots", "figures/plots.html.j2", *THEORY}
ALL_OFFERED = SOLVERS


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Writes a page beside a small package of the same name, and tells what the page reaches."""
    package = tmp_path / "feature_capacity"
    for name, text in FAKE.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    monkeypatch.setattr(_digest, "PACKAGE", package)
    monkeypatch.setattr(_digest, "_HOME", OFFERED)

    def reached(text, place=tmp_path / "page.py"):
        place.write_text(text)
        files = reachable(place)
        assert len(set(files)) == len(files)
        return {str(f.relative_to(package)).removesuffix(".py") for f in files}

    return reached


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("import numpy as np\nnp.phases", set()),
        ("import feature_capacity as fc", set()),
        ("from feature_capacity import __version__", set()),
        ("import feature_capacity.theory.capacity", THEORY),
        ("import feature_capacity.theory.capacity as c", THEORY),
        ("from feature_capacity.theory import capacity", THEORY),
        ("from feature_capacity.theory.capacity import capacities", THEORY),
        ("from feature_capacity import theory", {"theory/__init__", "theory/phases", *THEORY}),
        ("import feature_capacity.theory as t", {"theory/__init__", "theory/phases", *THEORY}),
        ("from feature_capacity.theory import *", {"theory/__init__", "theory/phases", *THEORY}),
        ("from feature_capacity.theory import nothing", {"theory/__init__"}),
        # names that the package offers
        ("from feature_capacity import capacities", THEORY),
        ("from feature_capacity import phases", {"theory/phases", *THEORY}),
        ("from feature_capacity import *", ALL_OFFERED),
        ("import feature_capacity\nfeature_capacity.capacities(W)", THEORY),
        ("import feature_capacity as fc\nfc.capacities(W).sum()", THEORY),
        ("import feature_capacity as fc\nfc.phases.classify(1)", {"theory/phases", *THEORY}),
        ("import feature_capacity as fc\nfc.theory.capacity.capacities(W)", THEORY),
        ("import feature_capacity as fc\nprint(x.phases, fc.__version__)", set()),
        ("import feature_capacity.theory.capacity\nfeature_capacity.go()", SOLVERS),
        # uses that cannot be followed
        ("import feature_capacity as fc\ngetattr(fc, 'go')", ALL_OFFERED),
        ("import feature_capacity as fc\nother = fc\nother.go()", ALL_OFFERED),
        # imports in any place, in circles, of a package with contents
        ("def f():\n    if x:\n        from feature_capacity.theory import capacity\n", THEORY),
        ("from feature_capacity.solvers.second import go", SOLVERS),
        ("from feature_capacity.explorers import slider", EXPLORERS),
        ("from feature_capacity.figures.deep.inner import x", DEEP),
        # what is not of the package, and what is no Python
        ("from .theory import capacity", set()),
        ("from feature_capacity_tools import capacities", set()),
        ("from feature_capacity.theory import capacity\n%timeit 1", set()),
    ],
)  # fmt: skip
def test_imports_are_followed(fake, text, expected):
    assert fake(text) == expected


def test_an_edit_counts_at_once_where_it_is_reached(fake, tmp_path):
    page, package = tmp_path / "page.py", tmp_path / "feature_capacity"
    fake("from feature_capacity.explorers import maps")
    before = digest(1, code=[page])
    assert digest(1, code=[page]) == before
    assert digest(2, code=[page]) != before
    assert digest(1, files=[tmp_path / "absent"], code=[page]) != before
    for name in ("explorers/look.css", "explorers/maps.py"):
        (package / name).write_text("# changed\n")
        assert digest(1, code=[page]) != before, name
        (package / name).write_text(FAKE[name])
        assert digest(1, code=[page]) == before, name
    for name in ("theory/capacity.py", "__init__.py", "_lazy.py", "explorers/sliders.js"):
        (package / name).write_text("# changed\n")
        assert digest(1, code=[page]) == before, name
        (package / name).write_text(FAKE[name])
    # A module that begins to import another one reaches it from now on.
    (package / "explorers/maps.py").write_text("from ..theory import capacity")
    with_theory = digest(1, code=[page])
    (package / "theory/capacity.py").write_text("# changed\n")
    assert len({before, with_theory, digest(1, code=[page])}) == 3


# -------------------------------------------------------------------------------- the real package


def names(files):
    return {str(file.relative_to(PACKAGE)) for file in files}


@pytest.fixture(scope="module")
def readers():
    """The pages that reach each file of the package, by its name; one has timing scripts."""
    found, project = defaultdict(set), find_project()
    for page in list_pages(project):
        for file in names(reachable(page.source, *(project.root / page.name).glob("*.py"))):
            found[file].add(page.name)
    return found


FOLDERS_THAT_OFFER = "cli", "explorers", "rank_bound", "zoo"  # what their parts define


def test_init_files_say_only_what_is_offered():
    """The digest does not read them where the package offers a name."""
    for file in PACKAGE.rglob("__init__.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            text = ast.unparse(node)
            allowed = isinstance(node, ast.Import | ast.ImportFrom)
            allowed |= isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            allowed |= text in (f"need({extra!r}, __name__)" for extra in EXTRAS)
            if file.parent == PACKAGE:  # the lazy offer
                offers = ("__version__ = ", "NAMES = ", "MODULES = ", "EXTRAS = ")
                allowed |= text.startswith(offers)
                allowed |= text.startswith("__getattr__, __dir__, __all__ = offer(")
            elif file.parent.name in FOLDERS_THAT_OFFER:
                allowed |= text.startswith("__all__ = ") or file.parent.name == "cli"
            if file.parent.name == "measure":  # a folder that can be called
                allowed |= "_Callable" in text
            assert allowed, f"{file}: {text}"


def test_nothing_that_a_page_reaches_is_imported_under_a_computed_name(project, readers):
    """The digest would not see it."""
    modules = [PACKAGE / name for name in readers if name.endswith(".py")]
    for file in [*modules, *(page.source for page in list_pages(project))]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name | ast.Attribute):
                name = node.id if isinstance(node, ast.Name) else node.attr
                computed = name in ("import_module", "__import__", "spec_from_file_location")
                assert not computed or file.name in NOT_FOLLOWED, f"{file} uses {name}"


def test_a_page_reaches_every_module_that_it_loads(project):
    """Python itself imports what a page imports, and loads what it uses of the package."""
    script = """
        import ast, json, pathlib, sys
        found = {}
        for page in sys.argv[1:]:
            for name in [m for m in sys.modules if m.split(".")[0] == "feature_capacity"]:
                del sys.modules[name]
            tree, space = ast.parse(pathlib.Path(page).read_text()), {}
            for node in ast.walk(tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    exec(compile(ast.Module([node], []), page, "exec"), space)
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    if node.value.id == "fc":
                        getattr(space["fc"], node.attr)
            loaded = [m for name, m in sys.modules.items() if name.startswith("feature_capacity.")]
            found[page] = [module.__file__ for module in loaded if module.__file__]
        print(json.dumps(found))
    """
    pages = [str(page.source) for page in list_pages(project)]
    command = [sys.executable, "-c", textwrap.dedent(script), *pages]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    for page, files in json.loads(done.stdout).items():
        loaded = {Path(file) for file in files if Path(file).name != "__init__.py"}
        assert len(loaded) > 5
        assert names(loaded) - names(reachable(Path(page))) <= NOT_FOLLOWED, page


def test_what_every_page_reaches_is_little(project):
    """What is here is a reason to execute all pages: nothing of the build, of tables, of cli."""
    shared = set.intersection(*(names(reachable(page.source)) for page in list_pages(project)))
    claims = {
        f"book/claims/{name}.py" for name in ("checks", "claim", "kinds", "registry", "verdicts")
    }
    claims |= {f"book/claims/verdicts{name}.html.j2" for name in ("", ".badge")}
    book = {f"book/{name}.py" for name in ("html", "parameters", "project")}
    theory = {"theory/capacity.py", "theory/quadratic.py"}  # of the example that one can paste
    assert shared == {"_arrays.py", "_documents.py", *theory, *book, *claims}


def test_a_sweep_depends_on_its_solvers_and_not_on_where_it_is_kept(monkeypatch):
    seen = []

    def keep(*settings, files=(), code=()):
        seen.extend(reachable(*code))
        return digest(*settings, files=files, code=code)

    monkeypatch.setattr(config, "digest", keep)
    config.code_digest.__wrapped__()
    found = names(seen)
    solvers = ("batch", "damped_newton", "gauss_newton", "levenberg_marquardt", "losses_on_nodes")
    solvers += ("minimization", "newton", "result", "stages", "starts")
    assert {f"solvers/{name}.py" for name in solvers} <= found
    assert {"sweeps/candidates.py", "sweeps/library.py"} <= found
    assert "theory/capacity.py" in found
    folders = {name.partition("/")[0] for name in found}
    assert not folders & {"book", "cli", "figures", "explorers", "measure"}
    assert not {"sweeps/store.py", "sweeps/run.py"} & found


# ------------------------------------------------------------------------------------ three edits


@pytest.fixture(scope="module")
def copied(project, tmp_path_factory):
    """A copy of the package, and what digests the pages have with it."""
    package = tmp_path_factory.mktemp("copy") / "feature_capacity"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "_book"))
    pages = list_pages(project)
    read_once = functools.cache(load_claims)  # no claim is edited here

    def digests():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_digest, "PACKAGE", package)
            patch.setattr(build, "load_claims", read_once)
            return {page.name: page_digest(project, page, {}) for page in pages}

    return package, digests, digests()


@pytest.fixture
def executes(copied):
    """Names the pages that a build would execute again after an edit in a copy of the package."""
    package, digests, before = copied

    def executes(modules, old, new):
        files = [package / module for module in modules.split()]
        texts = [file.read_text(encoding="utf-8") for file in files]
        for file, text in zip(files, texts, strict=True):
            assert old in text
            file.write_text(text.replace(old, new, 1), encoding="utf-8")
        after = digests()
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
        return {name for name in before if after[name] != before[name]}

    return executes


def test_a_figure_of_one_page_executes_that_page(readers, executes):
    figures = {m: pages for m, pages in readers.items() if m.startswith("figures/")}
    of_one_page = {module: pages for module, pages in figures.items() if len(pages) == 1}
    for module, pages in of_one_page.items():
        assert executes(module, '"""', '"""Anew. ') == pages, module
    assert len(set().union(*of_one_page.values())) >= 15, "pages with figures of their own"


def test_a_solver_executes_the_pages_that_reach_it(readers, executes):
    for module in ("solvers/newton.py", "solvers/minimization.py"):
        again = executes(module, "import torch", "import torch  # the engine")
        assert again == readers[module]
        assert "sec3_7_other_models" in again
        # These have no minimizer: their numbers come from closed forms.
        assert not again & {"sec1_introduction", "sec2_capacity", "appH_feasibility"}


@pytest.mark.parametrize("folder", ["cli", "book/export", "book/batches"])
def test_a_text_of_a_command_executes_nothing(executes, folder):
    modules = [f"{folder}/{module.name}" for module in (PACKAGE / folder).glob("*.py")]
    assert len(modules) > 1
    assert executes(" ".join(modules), '"""', '"""Anew. ') == set()


def test_the_tables_of_the_book_execute_nothing(executes):
    assert executes("book/claims/tables.sections.html.j2", "Verdict", "Outcome") == set()
    assert executes("book/claims/tables.py", '"""', '"""Anew. ') == set()


def test_a_file_that_is_no_module_counts_for_the_pages_that_use_its_folder(readers, executes):
    again = executes("explorers/ui.js", "function", "function  ")
    assert again == readers["explorers/ui.js"]
    assert "sec1_introduction" in again
    assert "appA_expected_loss" not in again
