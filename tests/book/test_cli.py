"""The command line, as it is typed: help, results, and one sentence for each mistake."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import typer
from safetensors.numpy import save_file
from typer.testing import CliRunner

import feature_capacity
from feature_capacity.book.build import Build
from feature_capacity.book.pages import find_page, list_pages
from feature_capacity.book.pairing import pair
from feature_capacity.book.project import find_project
from feature_capacity.cli import app, completion

COMMANDS = (
    *("book", "pages", "run", "capacity", "claims", "pair", "sweep", "serve", "pdf"),
    *("clean", "zoo"),
)


COMMAND = Path(sys.executable).with_name("feature-capacity")


def call(*words):
    return CliRunner().invoke(app, words)


def files(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


def examples(command):
    text = call(command, "--help").output
    return [shlex.split(line) for line in re.findall(r"Example: feature-capacity (.*)", text)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_of_a_help_text_is_understood(command):
    found = examples(command)
    assert found, "a help text has an example"
    for words in found:
        assert words[0] == command
        typer.main.get_command(app).make_context("feature-capacity", list(words))
        chosen = typer.main.get_command(app).commands[command]
        chosen.make_context(command, words[1:])  # raises for an option or a value that is unknown


def test_the_pages_and_parameters_of_the_examples_are_there(project, monkeypatch):
    monkeypatch.chdir(project.root)
    for words in [*examples("run"), *examples("pages")]:
        page = find_page(project, words[1])
        if "-p" in words:
            at = words.index("-p")
            page.parameters.check({words[at + 1]: words[at + 2]}, text=True)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "words",
    [words for name in ("pages", "run", "capacity", "sweep") for words in examples(name)],
    ids=" ".join,
)
def test_the_examples_of_experimenters_do_what_they_say(words, project, tmp_path):
    """In an empty folder, with the files that the examples name; that of the grid is as the book
    shows it, and that of the sweep as the help shows it, with fewer cells.
    """
    W = np.random.default_rng(0).standard_normal((4, 9))
    np.save(tmp_path / "weights.npy", W)
    save_file({"W_enc": W, "W_dec": W.T.copy()}, tmp_path / "model.safetensors")
    (tmp_path / "settings.yml").write_text("n_dims: 4\n")
    how = (project.book / "how_to_run.md").read_text()
    (tmp_path / "grid.yml").write_text(re.search(r"```yaml\n(.*?)```", how, re.DOTALL)[1])
    shown = call("sweep", "--help").output
    config = re.search(r"A configuration:\n(.*?)\n *Also:", shown, re.DOTALL)[1]
    (tmp_path / "relu.yml").write_text(textwrap.dedent(config).replace("count: 32", "count: 6"))
    there = set(files(tmp_path))
    environment = {**os.environ, "FEATURE_CAPACITY_BUILD": str(tmp_path / "build")}
    done = subprocess.run(
        [COMMAND, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    made = {path.name for path in set(files(tmp_path)) - there}
    named = [word for word in words if Path(word).suffix in (".ipynb", ".csv")]
    assert made >= set(named)
    assert ("index.html" in made) == ("--grid" in words)
    assert ("sec2_capacity.html" in made) == ("--html" in words)
    assert (tmp_path / "relu.zarr").is_dir() == (words[0] == "sweep")
    assert made if words[0] != "pages" else done.stdout


def test_every_command_is_looked_at_here():
    assert set(typer.main.get_command(app).commands) == set(COMMANDS)


@pytest.mark.parametrize("command", [[COMMAND], [sys.executable, "-m", "feature_capacity"]])
def test_the_installed_command_lists_its_commands(command):
    done = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: feature-capacity ")
    assert all(f"  {name}" in done.stdout for name in COMMANDS)
    done = subprocess.run([*command, "--version"], capture_output=True, text=True)
    assert done.stdout == f"feature-capacity {feature_capacity.__version__}\n"


def test_a_command_loads_what_it_takes_and_the_help_takes_nothing():
    heavy = ["torch", "scipy", "matplotlib", "pandas", "yaml", "papermill", "jupytext", "tqdm"]
    code = f"import sys, feature_capacity.cli; print([x for x in {heavy} if x in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


# The protocol is that of click: the shell sets variables, and the command answers with words.
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("feature-capacity run t", {"tiny"}),
        ("feature-capacity run x", set()),
        ("feature-capacity pages ", {"tiny"}),
        ("feature-capacity run tiny -p n", {"n_dims"}),
        ("feature-capacity ca", {"capacity"}),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_is_offered_what_can_follow(tiny, shell, line, offered):
    environment = {
        **os.environ,
        "_FEATURE_CAPACITY_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = subprocess.run([COMMAND], capture_output=True, text=True, env=environment)
    found = set(re.findall(r"[\w-]+", done.stdout)) if shell == "bash" else done.stdout
    for name in offered:
        assert name in found
    if not offered:
        assert "tiny" not in found
    assert "Traceback" not in done.stderr


def test_completion_is_silent_where_there_is_no_book(monkeypatch):
    def lost():
        raise FileNotFoundError("no copy of the book")

    monkeypatch.setattr(completion, "find_project", lost)
    assert list(completion.complete_page("")) == []


def test_completion_can_be_shown_for_a_shell():
    # The shell is named, where typer would otherwise look for the one that it runs in.
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [COMMAND, "--show-completion", "bash"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "_FEATURE_CAPACITY_COMPLETE=complete_bash" in done.stdout
    script = done.stdout + "\ncomplete -p feature-capacity"
    loaded = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr


def test_pages_lists_the_pages_with_their_parameters(tiny):
    done = call("pages")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "  tiny",
        "    A tiny page",
        "    section 0",
        "      n_dims 3, scale 1.0, mode plain",
        "",
        "`feature-capacity pages NAME` says what a page's parameters mean.",
    ]


def test_pages_tells_all_about_one_page(tiny):
    assert call("pages", "tiny").output.splitlines() == [
        "A tiny page",
        "section 0",
        "",
        "  n_dims = 3",
        "      dimensions (a whole number from 1 to 12)",
        "",
        "  scale = 1.0",
        "      factor (a number)",
        "",
        "  mode = 'plain'",
        "      how (one of plain, fail)",
    ]


def test_pages_are_read_at_80_columns(project, monkeypatch):
    monkeypatch.chdir(project.root)
    listed = call("pages").output
    assert "The paper\n" in listed
    assert "Appendices\n" in listed
    told = [call("pages", page.name).output for page in list_pages(project)]
    assert max(len(line) for text in [listed, *told] for line in text.splitlines()) <= 80


def test_pages_say_how_long_they_take_before_they_ever_ran(project, monkeypatch, tmp_path):
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("FEATURE_CAPACITY_BUILD", str(tmp_path))
    listed = " ".join(call("pages").output.split())
    for page in list_pages(project):
        assert re.search(r"(second|minute)s?\b", page.run_time), page.run_time
        assert f"{page.paper or 'no section of the paper'} · {page.run_time} " in listed


def test_pages_as_json_say_the_same(tiny):
    (page,) = json.loads(call("pages", "--json").output)
    assert (page["name"], page["title"], page["seconds"]) == ("tiny", "A tiny page", None)
    assert page["parameters"]["n_dims"] == {
        "type": "int", "default": 3, "quick": 2, "meaning": "dimensions",
        "low": 1, "high": 12, "choices": None,
    }  # fmt: skip
    assert json.loads(call("pages", "tiny", "--json").output) == [page]


def test_run_takes_parameters_from_a_file_and_from_the_command(tiny):
    Path("set.yml").write_text("n_dims: 4\nscale: 1e-3\n")
    done = call("run", "tiny", "-f", "set.yml", "-p", "n_dims", "5", "-o", "out.ipynb")
    assert done.exit_code == 0, done.output
    assert str(tiny.root / "out.ipynb") in done.output
    cells = json.loads(Path("out.ipynb").read_text())["cells"]
    injected = next(c for c in cells if "injected-parameters" in c["metadata"].get("tags", ()))
    assert injected["source"] == ["# Parameters\n", "n_dims = 5\n", "scale = 0.001\n"]


def test_a_failing_cell_ends_in_one_line_and_status_1(tiny):
    Path("out.ipynb").write_text("earlier")
    words = ["run", "tiny", "-p", "mode=fail", "-o", "out.ipynb"]
    done = subprocess.run([COMMAND, *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: page tiny, cell [5]: ZeroDivisionError")
    assert str(tiny.root / "out.failed.ipynb") in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in tiny.root.glob("*.ipynb")) == [
        "out.failed.ipynb",
        "out.ipynb",
    ]
    assert Path("out.ipynb").read_text() == "earlier"
    assert "papermill-error-cell" in Path("out.failed.ipynb").read_text()


# One of each kind, through the installed command too: a page, a parameter, a file, an option.
ALSO_INSTALLED = {
    ("run", "tinny"),
    ("run", "tiny", "-p", "n_dims", "-1"),
    ("run", "tiny", "-f", "broken.yml"),
    ("run", "tiny", "--nonsense"),
}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "tinny"), "unknown page 'tinny'; did you mean tiny?"),
        (("run", "tiny", "-p", "ndims", "3"), "unknown parameter 'ndims'; did you mean n_dims?"),
        (("run", "tiny", "-p", "n_dims", "five"), "n_dims must be a whole number from 1 to 12"),
        (("run", "tiny", "-p", "n_dims", "2.5"), "n_dims must be a whole number from 1 to 12"),
        (("run", "tiny", "-p", "n_dims", "13"), "from 1 to 12; got 13"),
        (("run", "tiny", "-p", "n_dims", "-1"), "from 1 to 12; got -1"),
        (("run", "tiny", "-p", "scale", "nan"), "scale must be a number; got nan"),
        (("run", "tiny", "-p", "mode", "other"), "mode must be one of plain, fail"),
        (("run", "tiny", "-p", "n_dims"), "the parameter n_dims has no value"),
        (("run", "tiny", "-f", "none.yml"), "there is no parameter file none.yml"),
        (("run", "tiny", "-f", "list.yml"), "list.yml holds no mapping"),
        (("run", "tiny", "-f", "broken.yml"), "broken.yml cannot be read as YAML"),
        (("run", "tiny", "-f", "wrong.yml"), "n_dims must be a whole number from 1 to 12"),
        (("run", "tiny", "-p", "n_dims", "true"), "n_dims must be a whole number from 1 to 12"),
        (("run", "tiny", "-o", "out.txt"), "must end in .ipynb; write out.ipynb"),
        (("run", "tiny", "-o", "notebooks/tiny.ipynb"), "holds the sources of the book"),
        (("run", "tiny", "-o", "folder.ipynb"), "is a folder; name a file in it"),
        (("run", "tiny", "-o", "/proc/out.ipynb"), "cannot write to the folder /proc"),
        (("run", "tiny", "--jobs", "2"), "--jobs and --scheduler go with --grid"),
        (("pages", "tinny"), "unknown page 'tinny'; did you mean tiny?"),
        (("run", "tiny", "-o", "no/such/out.ipynb"), "there is no folder"),
        (("run",), "Missing argument"),
        (("run", "tiny", "--nonsense"), "No such option"),
        (("bok",), "No such command"),
        (("serve", "--port", "70000"), "--port"),
    ],
)
def test_bad_input_ends_in_status_2_and_writes_nothing(tiny, words, message):
    Path("folder.ipynb").mkdir()
    Path("list.yml").write_text("- 1\n")
    Path("broken.yml").write_text("a: [1\n")
    Path("wrong.yml").write_text("n_dims: [1, 2]\n")
    before = files(tiny.root)
    done = call(*words)
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert "Traceback" not in done.output
    assert files(tiny.root) == before
    if words in ALSO_INSTALLED:
        done = subprocess.run([COMMAND, *words], capture_output=True, text=True)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        assert files(tiny.root) == before


def test_a_wrong_registry_is_bad_input(tiny):
    (tiny.claims / "tiny.yml").write_text("- {id: a}\n")
    done = call("claims")
    assert done.exit_code == 2
    assert "tiny.yml, entry 1 (a): the field 'section' is missing" in done.output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- id: a\n  id: b\n", "the key 'id' is given twice, in line 1 and in line 2"),
        ("- &a [" + "x, " * 999 + "]\n" + "- &b [" + "*a, " * 999 + "]\n- [" + "*b, " * 999 + "]\n",
         "characters, with aliases written out"),
        ("- " + "[" * 3000, "nested more than 50 deep"),
        ("- " + "x" * 10**6, "is larger than 1,000,000 bytes"),
        ("- {id: !!int abc}\n", "line 1: 'abc' is no int"),
    ],
)  # fmt: skip
def test_a_registry_is_bounded_like_all_settings(tiny, content, message):
    (tiny.claims / "tiny.yml").write_text(content)
    done = call("claims")
    assert done.exit_code == 2
    assert message in done.output
    assert "tiny.yml" in done.output
    assert len(done.output.splitlines()) == 1


def test_claims_fail_on_what_was_never_checked_or_differs(tiny):
    assert call("claims").exit_code == 0
    assert "not attempted" in call("claims").output

    page = Build(tiny).executed(list_pages(tiny)[0])
    page.parent.mkdir(parents=True)
    page.write_text(json.dumps({"cells": []}))
    done = call("claims")
    assert done.exit_code == 1
    assert "error: claims without an explanation: tiny-dims (not checked)" in done.output

    record = {"id": "tiny-dims", "page": "tiny", "status": "differs", "detail": "too small"}
    output = {"metadata": {"feature_capacity": {"checks": [record]}}}
    page.write_text(json.dumps({"cells": [{"outputs": [output]}]}))
    assert call("claims").exit_code == 1
    claims = tiny.claims / "tiny.yml"
    claims.write_text(claims.read_text() + "  explained: because\n")
    done = call("claims")
    assert done.exit_code == 0
    assert re.search(r"✗ does not hold +tiny-dims  There is at least one dimension", done.output)


def test_pair_check_writes_nothing_and_says_what_to_do(tiny):
    done = call("pair", "--check")
    assert done.exit_code == 1
    assert "tiny.ipynb; run `make pair`" in done.output
    assert not list(tiny.notebooks.glob("*.ipynb"))
    assert "brought in step: tiny.ipynb" in call("pair").output
    assert call("pair", "--check").exit_code == 0


def test_another_build_folder_is_used_and_never_deleted(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("FEATURE_CAPACITY_BUILD", str(tmp_path / "scratch"))
    kept = tmp_path / "scratch" / "thesis.tex"
    kept.parent.mkdir()
    kept.touch()
    assert find_project(tiny.root).build == kept.parent
    done = call("clean")
    assert done.exit_code == 2
    assert "is not called _build; delete it by hand" in done.stderr
    assert kept.exists()


def test_clean_deletes_the_build_only(tiny):
    pair(tiny)
    before = files(tiny.root)
    (tiny.build / "html").mkdir(parents=True)
    (tiny.build / "html" / "index.html").write_text("x")
    assert call("clean").exit_code == 0
    assert files(tiny.root) == before


def test_serve_needs_a_book_and_a_free_port(tiny):
    done = call("serve")
    assert done.exit_code == 1
    assert "run `make book` first" in done.output
    (tiny.build / "html").mkdir(parents=True)
    (tiny.build / "html" / "index.html").write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = call("serve", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1
    assert "try --port" in done.output


def test_serve_shows_the_book_until_it_is_interrupted(tiny):
    (tiny.build / "html").mkdir(parents=True)
    (tiny.build / "html" / "index.html").write_text("the book")
    command = [sys.executable, "-u", "-c", "from feature_capacity.cli import app; app()"]
    server = subprocess.Popen(
        [*command, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # A suite that runs in the background is started with interrupts ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        address = server.stdout.readline().split()[4]
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.read() == b"the book"
    finally:
        server.send_signal(2)
        assert server.wait(timeout=10) == 0


def test_outside_a_checkout_the_installed_copy_is_used(tmp_path, monkeypatch, project):
    monkeypatch.chdir(tmp_path)
    done = call("claims")
    assert done.exit_code in (0, 1)
    assert "Traceback" not in done.output
    assert not files(tmp_path)
