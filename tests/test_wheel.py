"""The wheel: built without the network, installed by itself, and used far from a checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
FASTEST = "appE_correlation_coefficient"


@pytest.fixture(scope="module")
def installed(project, tmp_path_factory):
    """The command of a fresh environment that has the wheel, and sees our dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    offline.pop("PYTHONPATH", None)
    build = ["wheel", "--no-build-isolation", "--no-deps", "-q", "-w", folder, project.root]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True, env=offline)
    (wheel,) = folder.glob("feature_capacity-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    # The folders of our dependencies come after the environment's own, and their .pth files,
    # one of which may lead to a checkout, are not read.
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("\n".join(sorted(ours)) + "\n")
    install = ["--python", python, "install", "--no-deps", "--no-index", "-q", wheel]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, env=offline)
    return python.with_name("feature-capacity"), offline


@pytest.fixture
def call(installed, tmp_path):
    """Call the installed command in an empty folder."""
    command, environment = installed

    def run(*words):
        return subprocess.run(
            [command, *words], capture_output=True, text=True, cwd=tmp_path, env=environment
        )

    return run


def test_the_package_is_the_one_in_the_wheel(installed, tmp_path):
    command, environment = installed
    python = command.with_name("python")
    program = "import feature_capacity; print(feature_capacity.__file__)"
    done = subprocess.run(
        [python, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.stdout.startswith(str(python.parents[1])), done.stderr


def test_the_wheel_carries_the_pages_and_their_parameters(call, project, tmp_path):
    done = call("pages", "--json")
    assert done.returncode == 0, done.stderr
    carried = {page["name"]: page["parameters"] for page in json.loads(done.stdout)}
    assert carried.keys() == {path.stem for path in project.notebooks.glob("*.py")}
    assert carried["sec2_capacity"]["n_dims"]["high"] == 5
    assert not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_a_page_runs_from_the_wheel(call, tmp_path):
    listed = call("pages", FASTEST, "--json")
    parameters = json.loads(listed.stdout)[0]["parameters"]
    words = [
        word
        for name, parameter in parameters.items()
        if parameter["quick"] is not None
        for word in ("-p", name, str(parameter["quick"]))
    ]
    assert words, "the page has quick settings"
    done = call("run", FASTEST, *words, "-o", "out.ipynb", "--html")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.html", "out.ipynb"]
    cells = json.loads((tmp_path / "out.ipynb").read_text())["cells"]
    assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
    assert "claim-verdict" in (tmp_path / "out.html").read_text()


def test_what_a_page_generates_does_not_go_into_the_installed_package(
    installed, call, project, tmp_path
):
    (carried,) = installed[0].parents[1].glob("lib/python*/site-packages/feature_capacity/_book")
    source = (project.notebooks / f"{FASTEST}.py").read_text()
    header, _, _ = source.partition("# %%")
    tell = "from feature_capacity.project import find_project\n\nprint(find_project().build)\n"
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
    ],
)
def test_bad_input_is_one_sentence_there_too(call, tmp_path, words, message):
    done = call(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
