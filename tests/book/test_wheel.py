"""The wheel: built without the network, installed by itself, and used far from a checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


@pytest.fixture(scope="module")
def whole(wheel, tmp_path_factory):
    """The command of an environment that has the wheel and all that we have, with the extras."""
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return install(wheel, tmp_path_factory.mktemp("whole"), ours)


@pytest.fixture(scope="module")
def lean(wheel, tmp_path_factory):
    """The command of an environment with what `pip install` of the wheel brings along, no more."""
    folder = tmp_path_factory.mktemp("dependencies")
    todo, done = {"feature-capacity"}, set()
    while todo:
        found = distribution(todo.pop())
        done.add(found.name)
        for line in found.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.add(distribution(requirement.name).name)
        todo -= done
    for name in done - {"feature-capacity"}:
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists():
                link.symlink_to(found.locate_file(top))
    assert not (folder / "jupyter_book").exists()
    return install(wheel, tmp_path_factory.mktemp("lean"), {folder})


@pytest.fixture
def call(lean, tmp_path):
    """Call the installed command in an empty folder."""
    return lambda *words: run(lean, tmp_path, *words)


def run(command, folder, *words):
    return subprocess.run(
        [command, *words], capture_output=True, text=True, cwd=folder, env=OFFLINE
    )


def test_the_package_is_the_one_in_the_wheel(lean, tmp_path):
    python = lean.with_name("python")
    program = "import feature_capacity; print(feature_capacity.__file__)"
    done = run(python, tmp_path, "-c", program)
    assert done.stdout.startswith(str(python.parents[1])), done.stderr


def test_the_wheel_carries_the_pages_and_their_parameters(call, project, tmp_path):
    done = call("pages", "--json")
    assert done.returncode == 0, done.stderr
    carried = {page["name"]: page["parameters"] for page in json.loads(done.stdout)}
    assert carried.keys() == {path.stem for path in project.notebooks.glob("*.py")}
    assert carried["sec2_capacity"]["n_dims"]["high"] == 5
    assert not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_a_page_runs_from_the_wheel(call, whole, tmp_path):
    listed = call("pages", FASTEST, "--json")
    parameters = json.loads(listed.stdout)[0]["parameters"]
    words = [
        word
        for name, parameter in parameters.items()
        if parameter["quick"] is not None
        for word in ("-p", name, str(parameter["quick"]))
    ]
    assert words, "the page has quick settings"
    done = call("run", FASTEST, *words, "-o", "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]
    cells = json.loads((tmp_path / "out.ipynb").read_text())["cells"]
    assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
    done = run(whole, tmp_path, "run", FASTEST, *words, "-o", "out.ipynb", "--html")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.html", "out.ipynb"]
    assert "claim-verdict" in (tmp_path / "out.html").read_text()


def test_what_a_page_generates_does_not_go_into_the_installed_package(
    lean, call, project, tmp_path
):
    (carried,) = lean.parents[1].glob("lib/python*/site-packages/feature_capacity/_book")
    source = (project.notebooks / f"{FASTEST}.py").read_text()
    header, _, _ = source.partition("# %%")
    tell = "from feature_capacity.book.project import find_project\n\nprint(find_project().build)\n"
    page = carried / "notebooks" / f"{FASTEST}.py"
    page.write_text(f"{header}# %%\n{tell}")
    try:
        done = call("run", FASTEST, "-o", "out.ipynb")
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
        (["capacity", "none.npy"], "there is no file none.npy"),
        (["run", FASTEST, "--html"], "is not installed; run: pip install 'feature-capacity[book]'"),
        (["book"], "is not installed; run: pip install 'feature-capacity[book]'"),
        (["pdf"], "is not installed; run: pip install 'feature-capacity[book]'"),
        (
            ["run", FASTEST, "--grid", "grid.yml", "--scheduler", "tcp://127.0.0.1:9"],
            "install it with: pip install 'feature-capacity[cluster]'",
        ),
    ],
)
def test_bad_input_is_one_sentence_there_too(call, tmp_path, words, message):
    if "--grid" in words:
        (tmp_path / "grid.yml").write_text("density: [0.5]")
    before = list(tmp_path.iterdir())
    done = call(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == before
