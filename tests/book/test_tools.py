"""What the README shows, and the buttons that open a page elsewhere."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from feature_capacity.badges import badge
from feature_capacity.gallery import write_badges, write_between_marks

from feature_capacity.book.build import Build, build_book
from feature_capacity.book.claims.registry import N_EQUATIONS, load_claims
from feature_capacity.book.launching import launch_addresses, launch_html, repository
from feature_capacity.book.pages import list_pages, pair

ADDRESS = {"repository": {"url": "https://github.com/ada/notes", "branch": "trunk"}}


def test_what_is_written_stays_between_its_marks(tmp_path):
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


def test_badges_are_pictures_of_their_words(tmp_path):
    picture = ET.fromstring(badge("a & b", "<1>"))
    assert picture.get("aria-label") == "a & b: <1>"
    (tmp_path / "badge-old.svg").write_text("")
    lines = write_badges(tmp_path, {}, "3.11", "5 of 6 agree")
    assert {p.name for p in tmp_path.iterdir()} == {
        "badge-claims.svg", "badge-python.svg", "badge-license.svg",
    }  # fmt: skip
    assert "claims: 5 of 6 agree" in lines
    with_address = write_badges(tmp_path, ADDRESS, "3.11", "5 of 6 agree")
    assert "mybinder.org/v2/gh/ada/notes/trunk" in with_address


# ---------------------------------------------------------------------------- launch buttons


@pytest.mark.parametrize(
    "url", ["github.com/ada/notes", "https://example.org/ada/notes", "https://github.com/ada", "x"]
)
def test_an_address_that_cannot_be_launched_is_refused(url):
    with pytest.raises(ValueError, match=r"repository\.url in _config\.yml must look like"):
        repository({"repository": {"url": url}})


def test_the_project_names_no_repository_or_a_real_one(project):
    config = yaml.safe_load(project.config.read_text())
    assert "url" in config["repository"]
    repository(config)


def test_every_page_could_be_launched(project):
    for page in list_pages(project):
        path = page.notebook.relative_to(project.root)
        addresses = launch_addresses(ADDRESS, path.as_posix())
        binder = parse_qs(urlsplit(addresses["Binder"]).query)["urlpath"][0]
        assert (project.root / binder.removeprefix("lab/tree/")).is_file()
        colab = urlsplit(addresses["Colab"]).path
        assert (project.root / colab.removeprefix("/github/ada/notes/blob/trunk/")).is_file()
    assert launch_addresses({"repository": {"url": ""}}, "x.ipynb") == {}


def test_colab_is_told_where_the_package_is():
    assert '%pip install "feature-capacity @ git+https://github.com/ada/notes@trunk"' in (
        launch_html(ADDRESS)
    )


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


def test_one_setting_brings_buttons_that_lead_to_files(tiny):
    pair(tiny)

    def outside():
        build = Build(tiny)
        build_book(build, report=lambda line: None)
        text = (build.html / "notebooks" / "tiny.html").read_text()
        return [link for link in Buttons(text).links if re.search("mybinder|colab|github", link)]

    plain = tiny.config.read_text()
    assert outside() == []
    tiny.config.write_text(
        f"{plain}repository:\n  url: https://github.com/ada/notes\n  branch: trunk\n"
    )
    links = outside()
    binder = next(link for link in links if "mybinder.org" in link)
    colab = next(link for link in links if "colab.research" in link)
    for link, start in ((binder, "notebooks"), (colab, "notebooks")):
        path = re.search(rf"{start}(?:/|%2F)tiny\.ipynb", link)[0].replace("%2F", "/")
        assert (tiny.root / path).is_file()
    assert "/ada/notes/trunk" in binder
    assert "/ada/notes/blob/trunk/" in colab


# --------------------------------------------------------------------------------- the README


def test_the_readme_tells_a_score_of_all_claims(project):
    text = (project.root / "README.md").read_text()
    agree, made = map(int, re.search(r"(\d+) of (\d+) claims agree", text).groups())
    rest = re.search(r"claims agree(.*?)\.", text)[1]
    others = sum(map(int, re.findall(r": (\d+)", rest)))
    assert made == len(load_claims(project.registry)) == agree + others, "run `make book gallery`"
    assert f"{N_EQUATIONS} of {N_EQUATIONS} equations have a verdict." in text
