"""Imports run in one direction: the contracts in ``pyproject.toml`` hold, and can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from feature_capacity._digest import PACKAGE

ROOT = Path(__file__).resolve().parents[1]


def check(root, sources):
    """What ``lint-imports`` finds by the settings in one folder, of the package in another."""
    command = "from importlinter.cli import lint_imports_command as check; check()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(sources)},
        capture_output=True,
        text=True,
    )


def test_imports_run_in_one_direction():
    done = check(ROOT, PACKAGE.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("theory/capacity.py", "from ..geometry import blocks", "only from those below it"),
        ("measure/report.py", "from ..sweeps import config", "only from those below it"),
        ("zoo/record.py", "from ..measure import report", "only from those below it"),
        ("newcomer.py", "", "only from those below it"),
        ("sweeps/run.py", "def f():\n    from ..book import project", "Science never imports"),
        ("geometry/blocks.py", "from ..models import device", "import no torch"),
        ("measure/report.py", "import torch", "import no torch"),
    ],
)
def test_a_planted_import_is_noticed(tmp_path, module, line, broken):
    copy = tmp_path / "feature_capacity"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "_book"))
    file = copy / module
    file.write_text(f"{file.read_text() if file.exists() else ''}\n{line}\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    done = check(tmp_path, tmp_path)
    assert done.returncode == 1
    verdicts = [text for text in done.stdout.splitlines() if "BROKEN" in text]
    assert any(broken in verdict for verdict in verdicts), done.stdout
