"""What is installed: pinned versions within the ranges asked for, and the conda environment."""

import re
import tomllib

import yaml
from packaging.requirements import Requirement


def requirements(project):
    table = tomllib.loads((project.root / "pyproject.toml").read_text())["project"]
    extras = table["optional-dependencies"].values()
    found = [Requirement(line) for lines in (table["dependencies"], *extras) for line in lines]
    # An extra may name another extra of the project itself.
    return table, [requirement for requirement in found if requirement.name != table["name"]]


def test_constraints_pin_what_is_asked_for_within_its_range(project):
    lines = project.constraints.read_text().split()
    pinned = {normal(name): version for name, _, version in (li.partition("==") for li in lines)}
    for requirement in requirements(project)[1]:
        version = pinned[normal(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} against {version}"
    assert not [version for version in pinned.values() if not version or "+" in version]


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_conda_environment_adds_nothing_to_the_project(project):
    environment = yaml.safe_load((project.root / "environment.yml").read_text())
    *conda, last = environment["dependencies"]
    lowest = requirements(project)[0]["requires-python"].removeprefix(">=")
    assert conda == [f"python={lowest}", "pip"]
    assert last == {"pip": ["-c constraints.txt", "-e .[book,test]"]}
