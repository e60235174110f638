"""Source and notebook of a page stay in step, whichever of them is edited."""

import contextlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import jupytext
import nbformat
import pytest
from tornado.web import HTTPError
from traitlets import Unicode
from traitlets.config import LoggingConfigurable
from typer.testing import CliRunner

from feature_capacity.book.pages import list_pages, to_notebook
from feature_capacity.book.pairing import HEADER, pair
from feature_capacity.cli import app


def test_every_notebook_is_in_the_table_of_contents(project):
    sources = {path.stem for path in project.notebooks.glob("*.py")}
    assert sources == {page.name for page in list_pages(project)}


def test_every_notebook_is_in_step_with_its_source(project):
    assert pair(project, check=True) == [], "run `make pair`"


def test_pairing_is_stable_and_has_no_outputs(tiny):
    assert pair(tiny, check=True) == ["tiny.ipynb"]
    assert not (tiny.notebooks / "tiny.ipynb").exists()
    assert pair(tiny) == ["tiny.ipynb"]
    text = (tiny.notebooks / "tiny.ipynb").read_text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert notebook.metadata["jupytext"]["formats"] == "ipynb,py:percent"
    assert pair(tiny) == []
    (tiny.notebooks / "tiny.ipynb").unlink()
    pair(tiny)
    assert (tiny.notebooks / "tiny.ipynb").read_text() == text


def test_a_changed_cell_changes_its_id_only(tiny):
    page = list_pages(tiny)[0]
    before = [cell["id"] for cell in to_notebook(page).cells]
    page.source.write_text(page.source.read_text().replace("n_dims - 1", "n_dims - 2"))
    after = [cell["id"] for cell in to_notebook(page).cells]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert len(set(after)) == len(after)


def test_saving_with_jupytext_leaves_nothing_behind(tiny, project):
    source, notebook = tiny.notebooks / "tiny.py", tiny.notebooks / "tiny.ipynb"
    caption = "−1 ≤ 𝑥, and a tab\\t"  # one letter beyond the first plane
    source.write_text(f'{source.read_text()}\n# %% note={{"caption": "{caption}"}}\n1\n')
    pair(tiny)
    before = source.read_text(), notebook.read_text()
    shutil.copy(project.root / "pyproject.toml", tiny.root)
    opened = jupytext.read(notebook)
    opened.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    opened.cells[1].metadata["execution"] = {"iopub.execute_input": "now"}
    notebook.write_text(nbformat.writes(opened))
    subprocess.run([sys.executable, "-m", "jupytext", "--sync", notebook], check=True)
    assert source.read_text() != before[0], "jupytext writes a header of its own"
    pair(tiny)
    assert f'"caption": "{caption}"' in source.read_text()
    settings = re.compile(r"^# %% .*", re.M)  # jupytext sorts the settings of a cell
    assert settings.sub("", source.read_text()) == settings.sub("", before[0])
    assert json.loads(notebook.read_text()) == json.loads(before[1])


class Files(LoggingConfigurable):
    """What JupyterLab does with files for jupytext: hand them out, and save them."""

    root_dir = Unicode()

    def get(self, path, content=True, **asked):
        file = Path(self.root_dir, path.strip("/"))
        if not file.exists():
            raise HTTPError(404, path)
        kind = asked.get("type") or ("notebook" if file.suffix == ".ipynb" else "file")
        inside = file.read_text() if content and file.is_file() else None
        if inside and kind == "notebook":
            inside = nbformat.reads(inside, 4)
        when = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
        return {
            "name": file.name, "path": path, "type": kind, "content": inside, "writable": True,
            "created": when, "last_modified": when, "mimetype": None,
            "format": "json" if kind == "notebook" else "text",
        }  # fmt: skip

    def save(self, model, path):
        text = model["content"]
        if model["type"] == "notebook":
            text = nbformat.writes(nbformat.from_dict(text))
        Path(self.root_dir, path.strip("/")).write_text(text)
        return self.get(path, content=False)

    def dir_exists(self, path):
        return Path(self.root_dir, path.strip("/")).is_dir()

    def exists(self, path):
        return Path(self.root_dir, path.strip("/")).exists()

    file_exists = exists


@pytest.fixture
def lab(tiny, project, monkeypatch):
    """What JupyterLab opens and saves notebooks with when jupytext is installed."""
    # JupyterLab itself is no dependency: jupytext is given our files in the place of its own.
    for depth in range(4):
        name = ".".join(["jupyter_server", "services", "contents", "largefilemanager"][: depth + 1])
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules[name].LargeFileManager = Files
    monkeypatch.delitem(sys.modules, "jupytext.sync_contentsmanager", raising=False)
    manager = importlib.import_module("jupytext.sync_contentsmanager")
    monkeypatch.delitem(sys.modules, "jupytext.sync_contentsmanager")
    shutil.copy(project.root / "pyproject.toml", tiny.root)
    return manager.build_sync_jupytext_contents_manager_class(Files)(root_dir=str(tiny.root))


@pytest.mark.parametrize("opened", ["tiny.ipynb", "tiny.py"])
def test_both_files_stay_in_step_when_either_is_edited_in_jupyterlab(tiny, lab, opened):
    pair(tiny)
    os.utime(tiny.notebooks / "tiny.py", (1, 1))  # a clone gives its files any time
    path = f"notebooks/{opened}"
    model = lab.get(path, type="notebook")
    cell = next(cell for cell in model["content"]["cells"] if "n_dims - 1" in cell["source"])
    cell["source"] = cell["source"].replace("n_dims - 1", "n_dims - 2")
    cell["outputs"] = [nbformat.v4.new_output("stream", text="shown")]
    cell["execution_count"] = 3
    cell["metadata"]["execution"] = {"iopub.execute_input": "now"}
    lab.save({**model, "type": "notebook"}, path)

    source, notebook = (tiny.notebooks / name for name in ("tiny.py", "tiny.ipynb"))
    for file in (source, notebook):
        assert "n_dims - 2" in file.read_text(), f"{file.name} was not saved with {opened}"
        assert "n_dims - 1" not in file.read_text()
    assert "iopub" not in source.read_text()
    pair(tiny)
    assert pair(tiny, check=True) == []
    saved = nbformat.read(notebook, as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in saved.cells)
    assert "n_dims - 2" in source.read_text()
    assert "iopub" not in notebook.read_text()
    assert source.read_text().startswith(HEADER)


def test_a_derived_notebook_whose_source_is_gone_is_removed_and_no_other(tiny):
    pair(tiny)
    gone, own = tiny.notebooks / "gone.ipynb", tiny.notebooks / "own.ipynb"
    shutil.copy(tiny.notebooks / "tiny.ipynb", gone)
    own.write_text(gone.read_text().replace("n_dims - 1", "n_dims - 2"))
    (tiny.notebooks / "broken.ipynb").write_text("{}")
    assert pair(tiny, check=True) == ["gone.ipynb"]
    pair(tiny)
    assert not gone.exists()
    assert own.exists()
    assert (tiny.notebooks / "broken.ipynb").exists()


# ------------------------------------------------------------------------- edited by other programs


def in_vs_code(notebook):
    """A cell is changed and executed."""
    cell = next(cell for cell in notebook["cells"] if "n_dims - 1" in "".join(cell["source"]))
    cell["source"] = ['run.check("tiny-dims", n_dims - 1)\n', "extra = 7"]
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["shown\n"]}]
    cell["execution_count"] = 3
    cell["metadata"]["vscode"] = {"languageId": "python"}
    notebook["metadata"]["language_info"]["version"] = "3.11.9"


def in_colab(notebook):
    """A cell of one's own is put before the last one; every cell is noted down."""
    own = {"cell_type": "code", "source": ["extra = 7"], "outputs": [], "execution_count": None}
    notebook["cells"].insert(-1, {**own, "metadata": {"id": "AbC"}})
    for number, cell in enumerate(notebook["cells"]):
        cell.pop("id", None)
        cell["metadata"] |= {"id": f"x{number}", "colab": {"base_uri": "here"}}
    notebook["metadata"]["colab"] = {"provenance": []}
    notebook["nbformat_minor"] = 0


def settings_of_a_cell(notebook):
    """A tag is added; the text stays."""
    notebook["cells"][-1]["metadata"]["tags"] = ["extra"]


def a_cell_less(notebook):
    """The title goes."""
    del notebook["cells"][0]


def executed_only(notebook):
    """Run All, and nothing else."""
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1"]}]
            cell["metadata"]["ExecuteTime"] = {"start_time": "now"}


def edit(tiny, how):
    file = tiny.notebooks / "tiny.ipynb"
    notebook = json.loads(file.read_text())
    how(notebook)
    file.write_text(json.dumps(notebook, indent=2))
    return file


def typed(*words, cwd):
    """The command line as a reader types it, in a process of its own."""
    command = [sys.executable, "-m", "feature_capacity", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def call(*words, cwd):
    """The same in this process, which has loaded everything."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, [*map(str, words)])
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


EDITS = [in_vs_code, in_colab, settings_of_a_cell, a_cell_less]


@pytest.mark.parametrize("how", EDITS, ids=lambda how: how.__name__)
def test_an_edited_notebook_is_refused_kept_or_taken(tiny, how):
    pair(tiny)
    source = tiny.notebooks / "tiny.py"
    notebook = edit(tiny, how)
    before = source.read_text(), notebook.read_text()
    for words in (
        ["pair"],
        ["pair", "--check"],
        ["run", "tiny"],
        ["run", "tiny", "--grid", "g.yml"],
        ["book", "--quick"],
    ):
        (tiny.root / "g.yml").write_text("n_dims: [1, 2]")
        done = call(*words, cwd=tiny.root)
        assert done.returncode == 1, words
        assert re.fullmatch(
            r"error: tiny\.ipynb was edited, and what is executed is tiny\.py; .*--edits take.*\n",
            done.stderr,
        )
        assert (source.read_text(), notebook.read_text()) == before
    assert not tiny.build.exists()

    (tiny.notebooks / "tiny.edited.ipynb").write_text("an earlier one")
    done = call("pair", "--edits", "keep", cwd=tiny.root)
    assert done.returncode == 0, done.stderr
    assert "tiny-2.edited.ipynb" in done.stdout
    assert (tiny.notebooks / "tiny-2.edited.ipynb").read_text() == before[1]
    assert (tiny.notebooks / "tiny.edited.ipynb").read_text() == "an earlier one"
    assert source.read_text() == before[0]
    assert call("pair", "--check", cwd=tiny.root).returncode == 0

    notebook.write_text(before[1])
    done = call("pair", "--edits", "take", cwd=tiny.root)
    assert done.returncode == 0, done.stderr
    assert "tiny.py" in done.stdout
    assert source.read_text().startswith(HEADER)
    assert source.read_text() != before[0]
    assert ("extra" in source.read_text()) == (how is not a_cell_less)
    assert ("# A tiny page" in source.read_text()) == (how is not a_cell_less)
    assert "n_dims: int = 3  # dimensions [1 .. 12]" in source.read_text()
    assert call("pair", "--check", cwd=tiny.root).returncode == 0
    assert all("AbC" not in file.read_text() for file in (source, notebook))


def test_outputs_alone_are_no_edits(tiny):
    pair(tiny)
    notebook = edit(tiny, executed_only)
    assert pair(tiny) == ["tiny.ipynb"]
    assert 'outputs": []' in notebook.read_text()


def test_an_edited_source_is_no_edited_notebook(tiny):
    pair(tiny)
    source = tiny.notebooks / "tiny.py"
    source.write_text(source.read_text().replace("n_dims - 1", "n_dims - 2"))
    done = call("run", "tiny", "-o", "out.ipynb", cwd=tiny.root)
    assert done.returncode == 0, done.stderr
    assert f"executing {source}" in done.stdout
    assert "n_dims - 2" in (tiny.root / "out.ipynb").read_text()
    assert pair(tiny) == ["tiny.ipynb"]


def test_edits_of_both_are_never_mixed(tiny):
    pair(tiny)
    notebook = edit(tiny, in_vs_code)
    source = tiny.notebooks / "tiny.py"
    source.write_text(source.read_text().replace("factor", "a factor"))
    before = source.read_text(), notebook.read_text()
    done = typed("pair", "--edits", "take", cwd=tiny.root)
    assert done.returncode == 1
    assert "tiny.ipynb and tiny.py were both changed" in done.stderr
    assert (source.read_text(), notebook.read_text()) == before


def test_the_same_edit_in_both_is_in_step(tiny):
    pair(tiny)
    edit(tiny, in_vs_code)
    call("pair", "--edits", "take", cwd=tiny.root)
    notebook = edit(tiny, in_vs_code)  # as a sync of jupytext leaves them
    assert "shown" in notebook.read_text()
    assert pair(tiny) == ["tiny.ipynb"]
    assert "shown" not in notebook.read_text()


def test_a_file_that_is_no_notebook_is_refused(tiny):
    pair(tiny)
    for text in ("", "[]", '{"cells": 3}', '{"cells": [{}]}', "\x00"):
        (tiny.notebooks / "tiny.ipynb").write_text(text)
        done = call("pair", cwd=tiny.root)
        assert done.returncode == 1, text
        assert "tiny.ipynb is not a notebook; delete it" in done.stderr
        assert (tiny.notebooks / "tiny.ipynb").read_text() == text


def test_what_can_be_done_about_edits_is_said(tiny):
    done = typed("pair", "--edits", "drop", cwd=tiny.root)
    assert done.returncode == 2
    assert done.stderr == "error: --edits must be one of refuse, take, keep; got 'drop'\n"


# ----------------------------------------------------------------------------- outside of a project


def test_outside_a_project_a_run_writes_below_the_working_folder(tiny, tmp_path, project):
    """With the package installed from a checkout, as for this test, and no output named."""
    lost = tmp_path.parent / f"{tmp_path.name}-outside"
    lost.mkdir()
    there = set(project.build.rglob("*"))
    done = typed("run", "appE_correlation_coefficient", "-p", "n_samples", "20000", cwd=lost)
    assert done.returncode == 0, done.stderr
    assert (lost / "_build" / "runs" / "appE_correlation_coefficient.ipynb").is_file()
    assert set(project.build.rglob("*")) == there
    done = typed("run", "tiny", cwd=tiny.root / "book")  # in a folder of a project: beside it
    assert done.returncode == 0, done.stderr
    assert (tiny.root / "_build" / "runs" / "tiny.ipynb").is_file()
    assert not (tiny.root / "book" / "_build").exists()
