"""Signals at random moments over sweeps, grids, pages and books; then the same command again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..conftest import TINY_CLAIMS, TINY_PAGE
from .command_lines import SWEEP
from .processes import Command, Starter, contents
from .tally import generator

FAULTS = ("wrong", "raw", "tracebacks", "processes", "files")
WHOLE = 300  # seconds in which a command that nothing disturbs has to end
# Python itself ends by the signal when it is at its own end already.
ENDS = {signal.SIGINT: {0, 130, -2}, signal.SIGTERM: {0, 143, -15}, signal.SIGKILL: {0, -9}}
SECONDS = {signal.SIGINT: 5, signal.SIGTERM: 5, signal.SIGKILL: 20}
"""In which everything has to be gone: what a killed process started notices by itself."""


def in_time(which: signal.Signals) -> float:
    """The same on a machine whose cores have more to do than this."""
    return SECONDS[which] * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _book(folder: Path, pages: Sequence[str]) -> None:
    (folder / "notebooks").mkdir()
    (folder / "book" / "claims").mkdir(parents=True)
    for name in pages:
        (folder / "notebooks" / f"{name}.py").write_text(TINY_PAGE.replace("tiny", name))
        claims = folder / "book" / "claims" / f"{name}.yml"
        claims.write_text(TINY_CLAIMS.replace("tiny", name))
    (folder / "book" / "intro.md").write_text("# Intro\n")
    (folder / "_config.yml").write_text("title: Tiny\nonly_build_toc_files: true\n")
    chapters = "".join(f"- file: notebooks/{name}\n" for name in pages)
    (folder / "_toc.yml").write_text(f"format: jb-book\nroot: book/intro\nchapters:\n{chapters}")


def _sweep(folder: Path, workers: int) -> list[str]:
    longer = {"max_rounds": 2, "n_points": 128}
    (folder / "c.yml").write_text(yaml.safe_dump(SWEEP | longer))
    words = ["sweep", "--config", "c.yml", "--out", "s.zarr", "--quiet", "--device", "cpu"]
    return [*words, "--workers", str(workers)]


def sweep(folder: Path) -> list[str]:
    """In the process itself."""
    return _sweep(folder, 1)


def pool(folder: Path) -> list[str]:
    """A sweep by two workers."""
    return _sweep(folder, 2)


def page(folder: Path) -> list[str]:
    """A page under other settings."""
    _book(folder, ["tiny"])
    return ["run", "tiny", "-p", "n_dims", "5", "-o", "ok.ipynb"]


def grid(folder: Path) -> list[str]:
    """Three runs of a page, two at a time."""
    _book(folder, ["tiny"])
    (folder / "grid.yml").write_text("n_dims: [2, 3, 4]\n")
    return ["run", "tiny", "--grid", "grid.yml", "-o", "out", "--jobs", "2"]


def book(folder: Path) -> list[str]:
    """A book of two pages."""
    _book(folder, ["first", "second"])
    return ["book", "--jobs", "2"]


KINDS = {sweep: 6, pool: 4, page: 4, grid: 4, book: 2}


@dataclass(frozen=True)
class Undisturbed:
    """What a command gives that nothing disturbs, and in which time."""

    files: dict[str, bytes]
    seconds: float


_TIME = re.compile(rb"\b\d+(\.\d+)? (s|seconds?)\b|\"seconds\": [\d.]+|seconds=[\d.]+")


def made(folder: Path) -> dict[str, bytes]:
    """Every file that counts, without times.

    Locks, what Sphinx keeps for itself, and a stamp over pages that say times, do not count.
    """
    found, own = {}, (".lock", ".buildinfo", "stamps/html.json")
    for name, content in contents(folder).items():
        if ".doctrees" in name or "__pycache__" in name or name.endswith(own):
            continue
        if name.endswith(".ipynb"):
            content = _without_times(content)
        if name.endswith((".html", ".json", ".js", ".ipynb", ".txt")):
            content = _TIME.sub(b"TIME", content)
        found[name] = content
    return found


def _without_times(content: bytes) -> bytes:
    notebook = json.loads(content)
    notebook["metadata"].pop("papermill", None)
    notebook["metadata"].get("feature_capacity", {}).pop("cells", None)  # a hash with the ids
    for cell in notebook["cells"]:
        cell.pop("id")  # papermill's own cell has one by chance
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
    return json.dumps(notebook, sort_keys=True).encode()


def undisturbed(kind, starter: Starter, place: Path) -> Undisturbed:
    """Run a command once, from the start to the end."""
    folder = place / f"{kind.__name__}"
    folder.mkdir()
    command, start = (
        starter.start(kind(folder), folder, place / f"{kind.__name__}-aside"),
        time.time(),
    )
    assert command.wait(WHOLE) == 0, command.said()
    return Undisturbed(made(folder), time.time() - start)


def judge(
    number: int,
    kinds: dict,
    clean: dict,
    starter: Starter,
    place: Path,
) -> tuple[str, str, list[tuple[str, str]]]:
    """Disturb one command, run it again, and compare with one that was not disturbed."""
    rng = generator("signals", number)
    every = list(kinds)
    kind = every[rng.choice(len(every), p=[kinds[k] / sum(kinds.values()) for k in every])]
    if kind not in clean:
        clean[kind] = undisturbed(kind, starter, place)
    which = list(ENDS)[rng.integers(3)]
    to_all = which is signal.SIGINT and rng.random() < 0.5  # as a terminal does
    moment = rng.random()
    folder, aside = place / f"case{number}", place / f"aside{number}"
    folder.mkdir()
    words = kind(folder)
    command = starter.start(words, folder, aside)
    time.sleep(moment * clean[kind].seconds)
    command.send(which, to_all)
    code, faults = _end(command, which)
    again = starter.start(words, folder, place / f"again{number}")
    done = again.wait(WHOLE)
    said = again.said().strip()
    if done != 0:
        faults.append(("wrong", f"the same command ends with {done}: {said[-300:]}"))
        again.send(signal.SIGKILL)
    faults += [("processes", name) for name in again.left(in_time(signal.SIGTERM))]
    faults += _differences(made(folder), clean[kind].files) if done == 0 else []
    shutil.rmtree(folder)
    for others in (aside, place / f"again{number}"):
        shutil.rmtree(others, ignore_errors=True)
    whom = " to all" if to_all else ""
    what = f"{kind.__name__}, {which.name}{whom} after {100 * moment:.0f} % of its time"
    return what, f"{kind.__name__} exit {code}", faults


def _end(command: Command, which: signal.Signals) -> tuple[int | None, list[tuple[str, str]]]:
    """How a command ends that was sent a signal, and what it leaves."""
    code, faults = command.wait(in_time(which)), []
    if code is None:
        faults.append(("processes", f"the command itself goes on for {in_time(which):.0f} s"))
        command.send(signal.SIGKILL)
        code = command.wait(WHOLE)
    elif code not in ENDS[which]:
        faults.append(("raw", f"exit status {code}"))
    faults += [("processes", name) for name in command.left(in_time(which))]
    said = command.said()
    if "Traceback (most recent call last)" in said:
        faults.append(("tracebacks", said[said.index("Traceback") :][:1500]))
    elif code == 130 and said.strip() and "error: interrupted" not in said:
        faults.append(("raw", f"no sentence: {said[-200:]!r}"))
    if which != signal.SIGKILL:  # a killed process can put nothing away
        faults += [("files", f"of $TMPDIR: {path.name}") for path in command.scratch.iterdir()]
    return code, faults


def _differences(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[tuple[str, str]]:
    faults = [("files", name) for name in found if name not in wanted]
    faults += [("wrong", f"{name} is missing") for name in wanted if name not in found]
    same = [name for name in wanted if name in found]
    return faults + [("wrong", f"{name} differs") for name in same if found[name] != wanted[name]]
