"""The wheel: built without the network, and used far from a checkout.

Installed with the base dependencies alone, with the extra `models`, and with the extra `book`.
"""

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import PathDistribution, distribution
from pathlib import Path

import numpy as np
import pytest
import typer
from packaging.requirements import Requirement
from safetensors.numpy import save_file

import feature_capacity as fc
from feature_capacity.cli import app

pytestmark = pytest.mark.slow
FASTEST = "appE_correlation_coefficient"


OFFLINE = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
OFFLINE.pop("PYTHONPATH", None)


@pytest.fixture(scope="module")
def wheel(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-build-isolation", "--no-deps", "-q", "-w", folder, project.root]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True, env=OFFLINE)
    (found,) = folder.glob("feature_capacity-*.whl")
    return found


def install(wheel, folder, dependencies):
    """Install the wheel into a fresh environment that sees `dependencies`; return its command."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    # These folders come after the environment's own, and their .pth files, one of which may lead
    # to a checkout, are not read.
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in sorted(dependencies)))
    words = ["--python", python, "install", "--no-deps", "--no-index", "-q", wheel]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, env=OFFLINE)
    return python.with_name("feature-capacity")


def brought(wheel, extra):
    """The distributions that `pip install` of the wheel with this extra brings along."""
    own = next(path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info"))
    todo, done = [Requirement(f"feature-capacity{extra}")], set()
    names = set()
    while todo:
        asked = todo.pop()
        if str(asked) in done:
            continue
        done.add(str(asked))
        found = (
            PathDistribution(own) if asked.name == "feature-capacity" else distribution(asked.name)
        )
        names.add(found.name)
        for needed in map(Requirement, found.requires or ()):
            extras = ({"extra": name} for name in ("", *asked.extras))
            if needed.marker is None or any(map(needed.marker.evaluate, extras)):
                todo.append(needed)
    return names - {"feature-capacity"}


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """By extra, the command of an environment that has what the extra brings, and no more."""
    made = {}

    def make(extra):
        if extra not in made:
            folder = tmp_path_factory.mktemp("dependencies")
            for found in map(distribution, brought(wheel, extra)):
                for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
                    link = folder / top
                    if not link.exists():
                        link.symlink_to(found.locate_file(top))
            made[extra] = install(wheel, tmp_path_factory.mktemp("environment"), {folder})
        return made[extra]

    return make


def run(command, folder, *words):
    return subprocess.run(
        [command, *words], capture_output=True, text=True, cwd=folder, env=OFFLINE
    )


@pytest.fixture
def call(environment, tmp_path):
    """Call the command, as installed with an extra, in an empty folder."""
    return lambda extra, *words: run(environment(extra), tmp_path, *words)


@pytest.fixture
def python(environment, tmp_path):
    """Run a program in such an environment; what it prints, as JSON."""

    def execute(extra, program):
        command = environment(extra).with_name("python")
        done = run(
            command, tmp_path, "-c", f"import json\nimport feature_capacity as fc\n{program}"
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return execute


def test_the_wheel_holds_the_package_and_the_book_and_nothing_of_maintainers(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "feature_capacity", next(name for name in names if ".dist-info" in name).partition("/")[0],
    }  # fmt: skip
    assert any(name.startswith("feature_capacity/_book/notebooks/") for name in names)
    told = ("badges", "gallery.py", "recording", "tools/", "explorer.gif", "tests/")
    assert not [name for name in names for word in told if word in name]


# -------------------------------------------------------------------- the base dependencies alone


def test_the_package_is_the_one_in_the_wheel(environment, python):
    where = python("", "print(json.dumps(fc.__file__))")
    assert where.startswith(str(environment("").parents[1]))


def test_closed_forms_need_no_extra(python):
    found = python("", CLOSED_FORMS)
    assert found["capacities"] == [0.5, 0.5, 1.0]
    assert found["allocation"] == pytest.approx([1, 2 / 3, 2 / 3, 2 / 3])
    assert found["attained"] == pytest.approx(found["allocation"])
    assert found["importable"] == []
    assert found["help"] == "feature_capacity"
    assert set(found["listed"]) == set(found["all"]) - set(found["missing"])
    extras = names_that_take_an_extra()
    assert set(found["missing"]) == set(extras)
    assert {"ToyModel", "minimize", "run_sweep", "solvers", "sweeps"} <= set(extras)
    for name, sentence in found["missing"].items():
        extra = extras[name]
        install = f"is not installed; run: pip install 'feature-capacity[{extra}]'"
        assert sentence.endswith(install), (name, sentence)


def names_that_take_an_extra():
    """The extra of every name of the first level that has one."""
    found = {
        name: extra
        for prefix, extra in fc.EXTRAS.items()
        for module, names in fc.NAMES.items()
        if f"{module}.".startswith(f"{prefix}.")
        for name in names.split()
    }
    return found | {"solvers": "models", "sweeps": "sweeps", "zoo": "models"}


MISSING = """
import importlib.util
missing = {}
for name in fc.__all__:
    try:
        getattr(fc, name)
    except ModuleNotFoundError as error:
        missing[name] = str(error)
importable = lambda *names: [name for name in names if importlib.util.find_spec(name)]
"""
CLOSED_FORMS = (
    MISSING
    + """
import pydoc
W = [[1, -1, 0], [0, 0, 2]]
best = fc.solve_allocation([10, 1, 1, 1], n_dims=3, kurtosis=9)
absent = "torch tqdm matplotlib seaborn yaml xarray zarr papermill jupytext distributed"
print(json.dumps({
    "capacities": fc.capacities(W).tolist(),
    "allocation": best.capacity.tolist(),
    "attained": fc.capacities(fc.optimal_embedding(best)).tolist(),
    "importable": importable(*absent.split()),
    "missing": missing,
    "all": fc.__all__,
    "listed": dir(fc),
    "help": pydoc.plain(pydoc.render_doc(fc)).split()[6],
}))
"""
)


def test_a_folder_that_takes_an_extra_says_so_itself(python):
    program = """
told = []
for module in ("solvers.minimization", "sweeps.run"):
    try:
        __import__(f"feature_capacity.{module}")
    except ModuleNotFoundError as error:
        told.append(str(error))
print(json.dumps(told))
"""
    assert python("", program) == [
        "feature_capacity.solvers needs torch, which is not installed; "
        "run: pip install 'feature-capacity[models]'",
        "feature_capacity.sweeps needs torch, which is not installed; "
        "run: pip install 'feature-capacity[sweeps]'",
    ]


def test_a_matrix_is_measured_without_an_extra(call, tmp_path):
    W = np.array([[1.0, -1, 0], [0, 0, 2]])
    np.save(tmp_path / "w.npy", W)
    save_file({"W": W, "b": W[0]}, tmp_path / "w.safetensors")
    for file in ("w.npy", "w.safetensors"):
        done = call("", "capacity", file, "--csv", "w.csv", "--json", "w.json")
        assert done.returncode == 0, done.stderr
        assert "total capacity  2 of 2 dimensions" in done.stdout
        assert done.stderr == (
            "no picture is drawn: a picture needs matplotlib, which is not installed; "
            "run: pip install 'feature-capacity[plots]'\n"
        )
        assert json.loads((tmp_path / "w.json").read_text())["total_capacity"] == 2
        assert len((tmp_path / "w.csv").read_text().splitlines()) == 4
    assert not list(tmp_path.glob("*.png"))
    assert call("", "capacity", "w.npy", "--no-picture").stderr == ""


def test_weights_that_numpy_does_not_know_need_no_torch(call, tmp_path):
    import torch
    from safetensors.torch import save_file as save_tensors

    save_tensors({"W": torch.eye(2, dtype=torch.bfloat16)}, tmp_path / "w.safetensors")
    torch.save({"W": torch.eye(2)}, tmp_path / "w.pt")
    for name in ("w.safetensors", "w.pt"):
        done = call("", "capacity", name, "--no-picture")
        assert done.returncode == 0, done.stderr
        assert "2 features in 2 dimensions" in done.stdout


def test_help_needs_no_extra(call):
    for words in ([], *([name] for name in typer.main.get_command(app).commands)):
        done = call("", *words, "--help")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Usage: feature-capacity")
    assert call("", "--version").stdout.startswith("feature-capacity ")


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        *((words, "book") for words in ("book", "pages", "claims", "pair", "pdf", "serve")),
        *((f"run {FASTEST}{rest}", "book") for rest in ("", " --html", " --grid none.yml")),
        ("sweep --config none.yml --out x.zarr", "sweeps"),
        ("capacity w.npy --picture w.png", "plots"),
    ],
)
def test_a_missing_extra_is_one_sentence(call, tmp_path, words, extra):
    np.save(tmp_path / "w.npy", np.eye(2))
    before = list(tmp_path.iterdir())
    done = call("", *words.split())
    assert done.returncode == 2
    assert f"is not installed; run: pip install 'feature-capacity[{extra}]'" in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == before


def test_mistakes_are_one_sentence_there_too(call):
    done = call("", "capacity", "none.npy", "--no-picture")
    assert (done.returncode, done.stderr) == (2, "error: there is no file none.npy\n")


# ------------------------------------------------------------------------------ the extra `models`


def test_with_the_extra_models_a_model_is_minimized_and_trained(python):
    found = python("[models]", MODELS)
    assert sorted(found["minimized"]) == pytest.approx([0.5, 0.5, 1.0], abs=0.05)
    assert found["trained"] == pytest.approx([1.0, 0.0], abs=0.1)
    assert found["importable"] == []
    install = "is not installed; run: pip install 'feature-capacity[sweeps]'"
    assert all(sentence.endswith(install) for sentence in found["missing"].values())
    of_sweeps = {name for name, extra in names_that_take_an_extra().items() if extra == "sweeps"}
    assert set(found["missing"]) == of_sweeps


MODELS = (
    MISSING
    + """
autoencoder = fc.ToyModel("autoencoder", "relu", n_features=3, n_dims=2)
found = fc.minimize(autoencoder, fc.UnitSparseUniform(0.1), [[1.0, 0.9, 0.8]], n_starts=8)
computation = fc.ToyModel("computation", "quadratic", n_features=2, n_dims=1)
settings = {"n_steps": 300, "learning_rate": 1e-2}
trained = fc.train(computation, fc.SparseUniform(1.0), [[2.0, 1.0]], **settings)
absent = "matplotlib yaml xarray zarr papermill jupytext distributed"
print(json.dumps({
    "minimized": found.capacity[0].tolist(),
    "trained": trained.capacity[0].tolist(),
    "importable": importable(*absent.split()),
    "missing": missing,
}))
"""
)


def test_with_the_extra_models_a_sweep_is_one_sentence(call):
    done = call("[models]", "sweep", "--config", "none.yml", "--out", "x.zarr")
    assert done.returncode == 2
    assert done.stderr.endswith("run: pip install 'feature-capacity[sweeps]'\n")


# -------------------------------------------------------------------------------- the extra `book`


def test_the_wheel_carries_the_pages_and_their_parameters(call, project, tmp_path):
    done = call("[book]", "pages", "--json")
    assert done.returncode == 0, done.stderr
    carried = {page["name"]: page["parameters"] for page in json.loads(done.stdout)}
    assert carried.keys() == {path.stem for path in project.notebooks.glob("*.py")}
    assert carried["sec2_capacity"]["n_dims"]["high"] == 5
    assert not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_a_page_runs_and_renders_from_the_wheel(call, tmp_path):
    listed = call("[book]", "pages", FASTEST, "--json")
    parameters = json.loads(listed.stdout)[0]["parameters"]
    words = [
        word
        for name, parameter in parameters.items()
        if parameter["quick"] is not None
        for word in ("-p", name, str(parameter["quick"]))
    ]
    assert words, "the page has quick settings"
    done = call("[book]", "run", FASTEST, *words, "-o", "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]
    cells = json.loads((tmp_path / "out.ipynb").read_text())["cells"]
    assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
    done = call("[book]", "run", FASTEST, *words, "-o", "out.ipynb", "--html")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.html", "out.ipynb"]
    assert "claim-verdict" in (tmp_path / "out.html").read_text()


def test_what_a_page_generates_does_not_go_into_the_installed_package(
    environment, call, project, tmp_path
):
    (carried,) = (
        environment("[book]").parents[1].glob("lib/python*/site-packages/feature_capacity/_book")
    )
    source = (project.notebooks / f"{FASTEST}.py").read_text()
    header, _, _ = source.partition("# %%")
    tell = "from feature_capacity.book.project import find_project\n\nprint(find_project().build)\n"
    page = carried / "notebooks" / f"{FASTEST}.py"
    page.write_text(f"{header}# %%\n{tell}")
    try:
        done = call("[book]", "run", FASTEST, "-o", "out.ipynb")
    finally:
        page.write_text(source)
    assert done.returncode == 0, done.stderr
    (cell,) = json.loads((tmp_path / "out.ipynb").read_text())["cells"]
    assert cell["outputs"][0]["text"] == [f"{tmp_path / '_build'}\n"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "appE"], "unknown page 'appE'; did you mean appE_correlation_coefficient"),
        (["run", FASTEST, "-p", "density", "7"], "density must be a number from"),
        (["run", FASTEST, "-o", "no/out.ipynb"], "there is no folder"),
        (
            ["run", FASTEST, "--grid", "grid.yml", "--scheduler", "tcp://127.0.0.1:9"],
            "pip install 'feature-capacity[cluster]'",
        ),
    ],
)
def test_bad_input_is_one_sentence_there_too(call, tmp_path, words, message):
    if "--grid" in words:
        (tmp_path / "grid.yml").write_text("density: [0.5]")
    before = list(tmp_path.iterdir())
    done = call("[book]", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == before
