"""What the README shows, and the buttons that open a page elsewhere."""

import doctest
import html
import importlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from sphinx.errors import ConfigError

from feature_capacity.book.build import Build, build_book
from feature_capacity.book.claims.claim import N_EQUATIONS, PAPER
from feature_capacity.book.claims.registry import load_claims
from feature_capacity.book.pages import list_pages
from feature_capacity.book.pairing import pair

ADDRESS = {"url": "https://github.com/ada/notes", "branch": "trunk"}


@pytest.fixture
def tools(project, monkeypatch):
    """The modules of maintainers, which are scripts beside each other and in no package."""
    monkeypatch.syspath_prepend(project.root / "tools")
    return {name: importlib.import_module(name) for name in ("badges", "gallery", "recording")}


def test_the_scripts_of_maintainers_start_and_their_examples_hold(project, tools, tmp_path):
    command = [sys.executable, project.root / "tools" / "gallery.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "--no-film" in done.stdout, done.stderr
    nowhere = {**os.environ, "FEATURE_CAPACITY_BUILD": str(tmp_path)}
    done = subprocess.run(command[:2], capture_output=True, text=True, env=nowhere)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "build the book first (make book)" in done.stderr
    for module in tools.values():
        assert doctest.testmod(module).failed == 0


def test_what_is_written_stays_between_its_marks(tools, tmp_path):
    write_between_marks = tools["gallery"].write_between_marks
    readme = tmp_path / "README.md"
    readme.write_text(
        "# T\n<!-- score: written by make gallery -->\nold\n<!-- end of score -->\nx\n"
    )
    for _ in range(2):
        write_between_marks(readme, "score", "7 of 9 claims agree.")
        assert readme.read_text().splitlines()[2:] == [
            "7 of 9 claims agree.", "<!-- end of score -->", "x",
        ]  # fmt: skip
    readme.write_text("# T\n")
    with pytest.raises(ValueError, match="no place for the score"):
        write_between_marks(readme, "score", "")


def test_badges_are_pictures_of_their_words(project, tools, tmp_path):
    picture = ET.fromstring(tools["badges"].badge("a & b", "<1>"))
    assert picture.get("aria-label") == "a & b: <1>"
    (tmp_path / "badge-old.svg").write_text("")
    write_badges = tools["gallery"].write_badges
    lines = write_badges(tmp_path, {}, "3.11", "5 of 6 agree")
    assert {p.name for p in tmp_path.iterdir()} == {
        "badge-claims.svg", "badge-python.svg", "badge-license.svg",
    }  # fmt: skip
    assert "the paper: 5 of 6 agree" in lines
    config = {**project.configuration(), "repository": ADDRESS}
    with_address = write_badges(tmp_path, config, "3.11", "5 of 6 agree")
    assert "mybinder.org/v2/gh/ada/notes/trunk" in with_address


def test_pictures_of_the_readme_are_there_and_not_in_the_book(project):
    text = (project.root / "README.md").read_text()
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(shown) >= 5
    assert all(path.startswith("tools/") and (project.root / path).is_file() for path in shown)


# ---------------------------------------------------------------------------- launch buttons


@pytest.fixture
def launching(project):
    return runpy.run_path(str(project.book / "_ext" / "launching.py"))


@pytest.mark.parametrize(
    "url", ["github.com/ada/notes", "https://example.org/ada/notes", "https://github.com/ada", "x"]
)
def test_an_address_that_cannot_be_launched_is_refused(launching, url):
    with pytest.raises(ConfigError, match=r"repository\.url in _config\.yml must look like"):
        launching["repository"]({"repository_url": url})


def test_the_project_names_no_repository_or_a_real_one(project, launching):
    config = project.configuration()
    assert "url" in config["repository"]
    launching["repository"]({"repository_url": config["repository"]["url"]})


def test_every_page_could_be_launched(project, tools):
    config = {**project.configuration(), "repository": ADDRESS}
    launch_addresses = tools["badges"].launch_addresses
    for page in list_pages(project):
        path = page.notebook.relative_to(project.root)
        addresses = launch_addresses(config, path.as_posix())
        binder = parse_qs(urlsplit(addresses["Binder"]).query)["urlpath"][0]
        assert (project.root / binder.removeprefix("lab/tree/")).is_file()
        colab = urlsplit(addresses["Colab"]).path
        assert (project.root / colab.removeprefix("/github/ada/notes/blob/trunk/")).is_file()
    assert launch_addresses({"repository": {"url": ""}}, "x.ipynb") == {}


def test_binder_installs_the_exact_versions(project):
    folder = project.root / ".binder"
    lines = (folder / "requirements.txt").read_text().splitlines()
    constraints = next(line.split()[1] for line in lines if line.startswith("-c "))
    assert (folder / constraints).resolve() == project.constraints.resolve()
    assert "-e .[book]" in lines
    assert re.fullmatch(r"python-3\.1\d\n", (folder / "runtime.txt").read_text())


class Buttons(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs).get("href", ""))


def test_one_setting_brings_buttons_that_lead_to_files(tiny, project):
    pair(tiny)
    (tiny.book / "_ext").mkdir()
    shutil.copy(project.book / "_ext" / "launching.py", tiny.book / "_ext")
    how = re.search(
        r"`{4}\{where-launched\}.*?`{4}", (project.book / "how_to_run.md").read_text(), re.S
    )
    (tiny.book / "intro.md").write_text(f"# Intro\n\n{how[0]}\n")
    config = {name: project.configuration()[name] for name in ("repository", "launch_buttons")}
    config |= {"title": "Tiny", "only_build_toc_files": True}
    config["sphinx"] = {"local_extensions": {"launching": "book/_ext"}}

    def built():
        tiny.config.write_text(yaml.safe_dump(config))
        build = Build(tiny)
        build_book(build, report=lambda line: None)
        pages = [build.html / "notebooks" / "tiny.html", build.html / "book" / "intro.html"]
        links, intro = (path.read_text() for path in pages)
        return [x for x in Buttons(links).links if re.search("mybinder|colab|github", x)], intro

    links, intro = built()
    assert links == []
    assert "Colab" not in intro
    config["repository"] = ADDRESS
    links, intro = built()
    binder = next(link for link in links if "mybinder.org" in link)
    colab = next(link for link in links if "colab.research" in link)
    for link in (binder, colab):
        path = re.search(r"notebooks(?:/|%2F)tiny\.ipynb", link)[0].replace("%2F", "/")
        assert (tiny.root / path).is_file()
    assert "/ada/notes/trunk" in binder
    assert "/ada/notes/blob/trunk/" in colab
    assert ADDRESS["url"] in links
    # Colab is told where the package is.
    assert '%pip install "feature-capacity[book] @ git+https://github.com/ada/notes@trunk"' in (
        html.unescape(re.sub("<[^>]+>", "", intro))
    )


# --------------------------------------------------------------------------------- the README


def test_the_readme_tells_a_score_of_all_claims(project):
    text = (project.root / "README.md").read_text()
    made, verdicts = re.search(r"Of (\d+) statements of the paper, (.*?)\.", text).groups()
    paper = [c for c in load_claims(project.claims).values() if c.group == PAPER]
    counted = sum(map(int, re.findall(r"\d+", verdicts)))
    assert int(made) == len(paper) == counted, "run `make book gallery`"
    assert f"{N_EQUATIONS} of {N_EQUATIONS} equations have a verdict." in text
