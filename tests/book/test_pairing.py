"""Source and notebook of a page stay in step, whichever of them is edited."""

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

from feature_capacity.book.pages import HEADER, list_pages, pair, to_notebook


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


def test_a_notebook_without_a_source_is_removed(tiny):
    pair(tiny)
    (tiny.notebooks / "old.ipynb").write_text("{}")
    assert pair(tiny, check=True) == ["old.ipynb"]
    pair(tiny)
    assert not (tiny.notebooks / "old.ipynb").exists()
