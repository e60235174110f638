"""The runs that pages suggest, as a reader would paste them, and what papermill says of a page."""

import re
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner
from papermill.cli import papermill as papermill_command

from feature_capacity.book.pages import Page, execute, list_pages
from feature_capacity.book.project import find_project

PAGES = list_pages(find_project())
ONE_FORM = re.compile(
    r"papermill notebooks/(\w+)\.ipynb out\.ipynb --cwd notebooks((?: -p \w+ \S+)+)"
)
BLOCK = re.compile(r"^# ```sh\n((?:# .+\n)+?)# ```$", re.MULTILINE)


def stated_runs(page: Page) -> list[dict[str, str]]:
    """The parameters of each run that the page suggests, as text."""
    runs = []
    for block in BLOCK.findall(page.source.read_text(encoding="utf-8")):
        for line in block.splitlines():
            command = line.removeprefix("# ")
            match = ONE_FORM.fullmatch(command)
            assert match, f"{page.name}: {command!r} is not in the form of the other runs"
            assert match[1] == page.name, f"{page.name} suggests to run {match[1]}"
            words = shlex.split(match[2])
            runs.append(dict(zip(words[1::3], words[2::3], strict=True)))
    return runs


RUNS = [
    pytest.param(page, run, id=f"{page.name}-{'-'.join(run)}")
    for page in PAGES
    for run in stated_runs(page)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_suggests_runs_in_one_form(page):
    runs = stated_runs(page)
    assert runs
    assert len({tuple(sorted(run.items())) for run in runs}) == len(runs)
    source = page.source.read_text(encoding="utf-8")
    assert source.count("papermill notebooks/") == len(runs), "a run outside a block of its own"
    before, _, after = source.partition("# ## Try it\n")
    assert "papermill notebooks/" not in before
    assert after.split("# ## ")[0].count("papermill notebooks/") == len(runs)


@pytest.mark.parametrize(("page", "run"), RUNS)
def test_a_suggested_run_sets_known_parameters_to_new_values(page, run):
    checked = page.parameters.check(run, text=True)
    for name, value in checked.items():
        assert value != page.parameters.parameters[name].default, f"{name} is {value} anyway"


@pytest.mark.thorough
@pytest.mark.parametrize(("page", "run"), RUNS)
def test_a_suggested_run_reaches_the_end(page, run, tmp_path, quick_book):
    """With the small settings of the page for all that the run does not set.

    After the quick book: one page reads its verdicts, one its sweeps.
    """
    settings = page.parameters.quick | page.parameters.check(run, text=True)
    execute(page, tmp_path / "out.ipynb", tmp_path / "failed.ipynb", settings)


@pytest.mark.thorough
def test_a_run_works_from_the_root_without_a_working_folder(project, tmp_path):
    out = tmp_path / "out.ipynb"
    subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/sec3_5_phase_diagrams.ipynb", str(out),
         "-p", "n_dims", "5", "-p", "grid", "8"],
        cwd=project.root, check=True, capture_output=True,
    )  # fmt: skip
    assert "n_dims = 5" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_papermill_shows_names_types_defaults_and_comments(page):
    result = CliRunner().invoke(papermill_command, ["--help-notebook", str(page.notebook)])
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    source = page.source.read_text(encoding="utf-8")
    for parameter in page.parameters.parameters.values():
        # Papermill shows the line as it is written, with the rule at its end.
        line = re.search(rf"^{parameter.name}: \w+ = (\S+)  # (.+)$", source, re.MULTILINE)
        assert line, f"{parameter.name} is not declared in one line"
        default, comment = line.groups()
        assert comment.startswith(parameter.comment)
        kind = parameter.type.__name__
        assert f"{parameter.name}: {kind} (default {default}) {comment}" in shown
