"""Fuzzed command lines: valid ones, files that are broken in all ways, settings that are none."""

from __future__ import annotations

import io
import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.numpy import save as save_tensors

from ..conftest import TINY_CLAIMS, TINY_PAGE
from . import oracle
from .processes import Starter, contents
from .tally import generator

LIMIT = 60  # seconds that a command may take
AT_ONCE = 5  # seconds in which what it started has to end
LONGEST_MESSAGE = 1200
FAULTS = ("wrong", "raw", "tracebacks", "processes", "files")


@dataclass
class Line:
    """One command line, with its files already written.

    Attributes
    ----------
    wanted : {"done", "refused", "either"}
    check : callable
        From the folder to a complaint, where it was done.
    makes : tuple of str
        What may be new in the folder where it was done; a folder is named with all below it.
    says : str
        What the message of a refusal has to name.
    note : str
        What is odd about its files.
    """

    words: list[str]
    wanted: str = "either"
    check: Callable[[Path], str] = field(default=lambda folder: "")
    makes: tuple[str, ...] = ()
    says: str = ""
    note: str = ""


# ------------------------------------------------------------------------------------- matrices


def _npy(W, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, W, **options)
    return file.getvalue()


def _npz(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _pt(content) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def _header(text: str) -> bytes:
    """A .npy file with this header and little behind it."""
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(64)


def _safetensors(header: object, size: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + bytes(64)


def _itself() -> bytes:
    content: list = []
    content.append(content)
    return _pt(content)


def _zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        head = "{'descr': '<f8', 'fortran_order': False, 'shape': (60000, 60000), }"
        with archive.open("a.npy", "w") as member:
            member.write(_header(head)[:-64])
            for _ in range(40):
                member.write(bytes(2**22))
    return file.getvalue()


SHAPED = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"
BROKEN: dict[str, Callable[[], bytes]] = {
    "empty.npy": bytes,
    "text.npy": lambda: b"1 2 3\n4 5 6\n",
    "huge.npy": lambda: _header(SHAPED % "(1000000000, 1000000)"),
    "negative.npy": lambda: _header(SHAPED % "(-1, 3)"),
    "endless.npy": lambda: _header(SHAPED % f"({10**30}, 2)"),
    "nested.npy": lambda: _header("(" * 90),
    "noshape.npy": lambda: _header("{'descr': '<f8', 'fortran_order': False}"),
    "words.npy": lambda: _header(SHAPED % "('a', 'b')"),
    "badtype.npy": lambda: _header("{'descr': 'zz', 'fortran_order': False, 'shape': (2, 2), }"),
    "objects.npy": lambda: _npy(np.array([[1, None]], dtype=object), allow_pickle=True),
    "strings.npy": lambda: _npy(np.array([["a", "b"]])),
    "dates.npy": lambda: _npy(np.zeros((2, 2), dtype="datetime64[s]")),
    "fields.npy": lambda: _npy(np.zeros((2, 2), dtype=[("a", float)])),
    "complex.npy": lambda: _npy(np.eye(2) + 1j),
    "truth.npy": lambda: _npy(np.eye(2) > 0),
    "nan.npy": lambda: _npy(np.array([[np.nan, 1.0]])),
    "number.npy": lambda: _npy(np.array(3.0)),
    "line.npy": lambda: _npy(np.ones(4)),
    "cube.npy": lambda: _npy(np.ones((2, 2, 2))),
    "nothing.npy": lambda: _npy(np.ones((0, 4))),
    "none.npz": lambda: _npz(),
    "several.npz": lambda: _npz(a=np.eye(2), b=np.eye(3)),
    "notes.npz": lambda: _zipped("readme.txt", b"hello"),
    "broken.npz": lambda: _zipped("a.npy", _header("[[[")),
    "huge.npz": lambda: _zipped("a.npy", _header(SHAPED % "(1000000000, 1000000)")),
    "bomb.npz": _zip_bomb,
    "text.npz": lambda: b"PK\x03\x04 hello",
    "itself.pt": _itself,
    "function.pt": lambda: _pt(json.loads),
    "number.pt": lambda: _pt(3),
    "nested.pt": lambda: _pt({"a": {"b": [torch.eye(2), torch.eye(3)]}}),
    "text.pt": lambda: b"hello",
    "empty.pt": bytes,
    "long.safetensors": lambda: _safetensors({}, 30 * 10**9),
    "fourbits.safetensors": lambda: _safetensors(
        {"a": {"dtype": "F4", "shape": [2, 16], "data_offsets": [0, 16]}}
    ),
    "claims.safetensors": lambda: _safetensors(
        {"a": {"dtype": "F64", "shape": [10**6, 4000], "data_offsets": [0, 32 * 10**9]}}
    ),
    "none.safetensors": lambda: _safetensors({}),
    "brackets.safetensors": lambda: _text_header("[" * 3000),
    "text.safetensors": lambda: b"hello",
    "matrix.txt": lambda: b"1 2\n",
}
"""Files that hold no matrix."""


def _zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _text_header(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _a_matrix(rng):
    W = rng.standard_normal(rng.integers(1, 7, 2))
    return np.round(W, 1) if rng.random() < 0.3 else W


def _saved(rng, W) -> tuple[str, bytes]:
    makers = {
        "w.npy": lambda: _npy(W),
        "f.npy": lambda: _npy(np.asfortranarray(W)),
        "w.npz": lambda: _npz(a=W),
        "w.pt": lambda: _pt(torch.tensor(W)),
        "d.pth": lambda: _pt({"a": torch.tensor(W), "b": 3}),
        "w.safetensors": lambda: save_tensors({"a": np.ascontiguousarray(W)}),
    }
    name = str(rng.choice(list(makers)))
    return name, makers[name]()


def measured(rng, folder: Path) -> Line:
    """A good file, measured."""
    W = _a_matrix(rng)
    name, content = _saved(rng, W)
    (folder / name).write_bytes(content)
    words, across = ["capacity", name, "--json", "out.json"], rng.random() < 0.3
    words += ["--transpose"] * across
    makes = ["out.json"]
    if rng.random() < 0.15:
        words += ["--picture", "w.svg", "--csv", "w.csv"]
        makes += ["w.svg", "w.csv"]
    else:
        words.append("--no-picture")

    def check(folder):
        found = json.loads((folder / "out.json").read_text())
        got = [row["capacity"] for row in found["features"]]
        right = [float(c) for c in oracle.capacities(oracle.exact(W.T if across else W))]
        return "" if np.allclose(got, right, rtol=0, atol=1e-9) else f"{got} instead of {right}"

    return Line(words, "done", check, tuple(makes))


def broken_file(rng, folder: Path) -> Line:
    """A file that holds no matrix, or a good one with bytes changed."""
    if rng.random() < 0.6:
        name = str(rng.choice(list(BROKEN)))
        (folder / name).write_bytes(BROKEN[name]())
        return Line(["capacity", name, "--no-picture"], "refused", says=Path(name).stem)
    name, content = _saved(rng, _a_matrix(rng))
    content = _damaged(rng, content)
    (folder / name).write_bytes(content)
    return Line(["capacity", name, "--no-picture"])


def _damaged(rng, content: bytes) -> bytes:
    changed = bytearray(content)
    kind = rng.integers(4)
    at = int(rng.integers(len(changed)))
    if kind == 0:
        return bytes(changed[:at])
    if kind == 1:
        changed[at:at] = rng.bytes(rng.integers(1, 50))
    for _ in range(rng.integers(1, 8)):
        # Most of what can go wrong is in the first bytes.
        place = int(len(changed) * rng.random() ** (3 if kind == 2 else 1))
        changed[min(place, len(changed) - 1)] = rng.integers(256)
    return bytes(changed)


def odd_place(rng, folder: Path) -> Line:
    """Outputs that cannot be written, inputs that are no files, options that are none."""
    (folder / "w.npy").write_bytes(_npy(np.eye(3)))
    (folder / "d.npy").mkdir()
    (folder / "loop.npy").symlink_to("loop.npy")
    plain = ["capacity", "w.npy", "--no-picture"]
    words, wanted = [
        (["capacity", "d.npy"], "refused"),
        (["capacity", "loop.npy"], "refused"),
        (["capacity", "x" * 300 + ".npy"], "refused"),
        (["capacity", "none.npy"], "refused"),
        (["capacity", ""], "refused"),
        ([*plain, "--csv", "x" * 300 + ".csv"], "refused"),
        ([*plain, "--csv", "nowhere/x.csv"], "refused"),
        ([*plain, "--csv", "x.txt"], "refused"),
        ([*plain, "--csv", "/proc/x.csv"], "refused"),
        ([*plain, "--csv", ""], "refused"),
        ([*plain, "--json", "."], "refused"),
        ([*plain, "--json", "d.npy/x" * 40 + ".json"], "refused"),
        ([*plain, "--key", "a" * 4000], "refused"),
        ([*plain, "--tolerance", "nan"], "refused"),
        ([*plain, "--tolerance", "-1"], "refused"),
        ([*plain, "--tolerance", "1e999"], "refused"),
        ([*plain, "--tolerance", "many"], "refused"),
        ([*plain, "--picture", "a.png"], "refused"),
        (["capacity", "w.npy", "--picture", "a.bmp"], "refused"),
        (["capacity", "w.npy", "w.npy"], "refused"),
        (["capacity"], "refused"),
    ][rng.integers(21)]
    return Line(words, wanted)


# --------------------------------------------------------------------------------------- sweeps

SWEEP = {
    "model": "autoencoder", "activation": "relu", "importance": [0.5, 1, 2],
    "probability": [0.1, 1.0], "n_features": 3, "n_dims": 2, "n_starts": 1, "n_points": 64,
    "max_rounds": 1, "max_iterations": 20,
}  # fmt: skip
NO_VALUE = [
    "x", "[]", "{}", "null", ".nan", "-.inf", "-1", "2.5", "[1, x]", "{low: 1, high: 2}", "true",
    '!!timestamp "x"', '!!int "abc"', '!!python/object/apply:os.system ["touch pwned"]',
    "&a [*a]", "*b", "[[[1]]]", "{low: 1, high: 2, count: 1.0e+12}", "{? [1]: 2}", "2020-01-01",
    "{low: 0.1, high: 1, count: 1000000000000}", "[1.0e-300, .inf]", '"\\0"', "!!binary aGVsbG8=",
    "x" * 5000, "!!set {a, b}", "!x 3",
]  # fmt: skip
ENORMOUS = ["1000000000000", "1" + "0" * 30, "1.0e+12"]


def _laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    return "\n".join([*lines, ""])


def _text(settings) -> str:
    return yaml.safe_dump(settings, sort_keys=False, default_flow_style=None)


def _no_settings(rng, settings: dict) -> tuple[str | bytes, str]:
    """A file of settings with a fault, and whether it has to be refused."""
    name = str(rng.choice(list(settings)))
    kind = rng.integers(8)
    if kind <= 2:
        value = str(rng.choice(NO_VALUE))
        lines = [line for line in _text(settings).splitlines() if not line.startswith(f"{name}:")]
        usual = (name, value) == ("max_iterations", "null")  # what it is without
        return "\n".join([*lines, f"{name}: {value}", ""]), "either" if usual else "refused"
    if kind == 3:
        return _text(settings) + f"{name}: {json.dumps(settings[name])}\n", "refused"
    if kind == 4:
        return _damaged(rng, _text(settings).encode()), "either"
    odd = ["[" * 3000, "", "\ufeff", "- 1\n- 2\n", "x", "%YAML 9\n", "\x00\x01", "a: &a {b: *a}\n"]
    if kind == 5:
        return str(rng.choice(odd)), "refused"
    if kind == 6:
        return _text(settings).encode("utf-16"), "refused"
    return _text(settings) + _laughs(), "refused"


def _ending(text: str | bytes) -> str:
    """The last line, in which the fault of many files is."""
    return f"[…{text[-60:]!r}]"


def sound_sweep(rng, folder: Path) -> Line:
    """A small sweep that is right."""
    settings = SWEEP | {"seed": int(rng.integers(99)), "n_starts": int(rng.integers(1, 3))}
    (folder / "c.yml").write_text(_text(settings))
    words = ["sweep", "--config", "c.yml", "--out", "s.zarr", "--quiet", "--device", "cpu"]
    return Line(words, "done", _sweep_is_finite, ("s.zarr",))


def _sweep_is_finite(folder: Path) -> str:
    import xarray as xr

    data = xr.open_zarr(folder / "s.zarr", chunks=None)
    finite = np.isfinite(data.loss.values) & np.isfinite(data.gradient_norm.values)
    finite &= np.isfinite(data.W.values).all((-1, -2))
    return "" if (finite | ~data.converged.values).all() else "converged, and not finite"


def no_sweep(rng, folder: Path) -> Line:
    """Settings that are none, or an odd place."""
    words = ["sweep", "--config", "c.yml", "--out", "s.zarr", "--quiet", "--device", "cpu"]
    kind = rng.integers(4)
    if kind <= 1:
        text, wanted = _no_settings(rng, SWEEP)
        json_too = rng.random() < 0.1 and isinstance(text, str)
        words[2] = name = "c.json" if json_too else "c.yml"
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        says = name if wanted == "refused" else ""
        return Line(words, wanted, _sweep_is_finite, ("s.zarr",), says, _ending(text))
    if kind == 2:
        name = str(rng.choice(["n_points", "n_starts", "n_features", "max_rounds", "seed"]))
        settings = {key: value for key, value in SWEEP.items() if key != name}
        (folder / "c.yml").write_text(_text(settings) + f"{name}: {rng.choice(ENORMOUS)}\n")
        may_be = name in ("max_rounds", "seed")
        wanted = "either" if may_be else "refused"
        return Line(words, wanted, _sweep_is_finite, ("s.zarr",), note=f"{name} enormous")
    (folder / "c.yml").write_text(_text(SWEEP | _edge(rng)))
    (folder / "there").mkdir()
    (folder / "there" / "mine.txt").write_text("mine")
    odd = [
        (["--out", "/"], "refused"), (["--out", ""], "refused"), (["--out", "there"], "refused"),
        (["--out", "none/s.zarr"], "refused"), (["--out", "z" * 300], "refused"),
        (["--out", "/proc/s.zarr"], "refused"), (["--scheduler", "garbage"], "refused"),
        (["--scheduler", "tcp://127.0.0.1:1"], "refused"), (["--workers", "0"], "refused"),
        (["--workers", "many"], "refused"), (["--device", "abacus"], "refused"),
        (["--config", "none.yml"], "refused"), (["--config", "."], "refused"),
        ([], "either"), ([], "either"), ([], "either"),
    ]  # fmt: skip
    more, wanted = odd[rng.integers(len(odd))]
    return Line([*words, *more], wanted, _sweep_is_finite, ("s.zarr",))


def _edge(rng) -> dict:
    """Values at the edge of a precision."""
    return {
        "importance": [float(rng.choice([1e-300, 1e-30, 1.0])), float(rng.choice([2.0, 1e39]))],
        "probability": [float(rng.choice([1e-300, 1e-12, 0.5])), 1.0],
        "dtype": str(rng.choice(["float32", "float64"])),
    }


# ---------------------------------------------------------------------------------------- pages


def write_book(folder: Path) -> None:
    """A book of one page."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "book" / "claims").mkdir(parents=True)
    (folder / "notebooks" / "tiny.py").write_text(TINY_PAGE)
    (folder / "book" / "claims" / "tiny.yml").write_text(TINY_CLAIMS)
    (folder / "book" / "intro.md").write_text("# Intro\n")
    (folder / "_config.yml").write_text("title: Tiny\nonly_build_toc_files: true\n")
    toc = "format: jb-book\nroot: book/intro\nchapters:\n- file: notebooks/tiny\n"
    (folder / "_toc.yml").write_text(toc)


def page(rng, folder: Path) -> Line:
    """A page under settings that are right."""
    write_book(folder)
    n = int(rng.integers(1, 13))
    words = ["run", "tiny", "-p", "n_dims", str(n), "-o", "out.ipynb"]

    def check(folder):
        cells = json.loads((folder / "out.ipynb").read_text())["cells"]
        injected = ["".join(cell["source"]) for cell in cells]
        return "" if any(f"n_dims = {n}" in text for text in injected) else "not as it was asked"

    return Line(words, "done", check, ("out.ipynb", "notebooks/tiny.ipynb"))


def no_page(rng, folder: Path) -> Line:
    """Settings and grids that a page does not take."""
    write_book(folder)
    kind = rng.integers(3)
    if kind < 2:
        settings = {"n_dims": [2, 3], "scale": [1.0, 2.0]} if kind else {"n_dims": 2, "scale": 1.0}
        text, wanted = _no_settings(rng, settings)
        if wanted != "refused":
            text, wanted = "n_dims: [1, 99]\n" if kind else "n_dims: 99\n", "refused"
        (folder / "s.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
        words = ["run", "tiny", "--grid" if kind else "-f", "s.yml", "-o"]
        # What stands for no value of one setting is a value of another, or a grid of strings.
        wanted = "either" if _may_be_valid(text) else wanted
        makes = ("out", "out.ipynb", "notebooks/tiny.ipynb")
        return Line(
            [*words, "out" if kind else "out.ipynb"], wanted, makes=makes, note=_ending(text)
        )
    (folder / "g.yml").write_text("\n".join(f"a{i}: [1, 2]" for i in range(26)))
    (folder / "many.yml").write_text(
        f"n_dims: [{', '.join(['2'] * 6400)}]\nscale: {[1.0] * 6400}\n"
    )
    plain = ["run", "tiny"]
    odd = [
        [*plain, "-p", "n_dims", "13"], [*plain, "-p", "n_dims", "x"], [*plain, "-p", "n_dims"],
        [*plain, "-p", "n_dim=3"], [*plain, "-p", "=", "3"], [*plain, "-p", "mode", "y" * 5000],
        [*plain, "-p", "scale", "much"], ["run", "tin"],
        ["run", "../tiny"], ["run", "x" * 5000], ["run", ""], [*plain, "-o", ""],
        [*plain, "-o", "x.txt"], [*plain, "-o", "/"], [*plain, "-o", "z" * 300 + ".ipynb"],
        [*plain, "-o", "notebooks/tiny.ipynb"], [*plain, "-f", "none.yml"], [*plain, "-f", "."],
        [*plain, "--grid", "g.yml"], [*plain, "--grid", "many.yml", "-o", "out"],
        [*plain, "--jobs", "2"], [*plain, "--scheduler", "garbage"],
        [*plain, "-p", "mode", "fail\nx"], [*plain, "-p", "n_dims", "9" * 5000],
    ]  # fmt: skip
    return Line(odd[rng.integers(len(odd))], "refused")


def _may_be_valid(text: str | bytes) -> bool:
    value = (
        text.splitlines()[-1].partition(":")[2].strip() if isinstance(text, str) and text else ""
    )
    return value in ("2.5", "-1", "{}", "x") or value.startswith(("[1, x", "x", "[1.0e"))


def book_words(rng, folder: Path) -> Line:
    """The other commands, and words that mean nothing."""
    write_book(folder)
    (folder / "kept").mkdir()
    lines = [
        (["pages"], "done"), (["pages", "tiny"], "done"), (["pages", "--json"], "done"),
        (["pages", "tine"], "refused"), (["pages", "p" * 5000], "refused"),
        (["pages", "a\nb"], "refused"), (["claims"], "refused"), (["pair", "--check"], "refused"),
        (["clean"], "done"), (["--version"], "done"), (["--help"], "done"), ([], "refused"),
        (["pdf", "-o", "x.txt"], "refused"), (["pdf"], "refused"), (["serve"], "refused"),
        (["serve", "--port", "70000"], "refused"), (["serve", "--port", "x"], "refused"),
        (["book", "--jobs", "0"], "refused"), (["book", "--jobs", "x"], "refused"),
        (["boook"], "refused"), (["--quick"], "refused"), (["book", "--slow"], "refused"),
    ]  # fmt: skip
    if rng.random() < 0.7:
        words, wanted = lines[rng.integers(len(lines))]
        return Line(words, wanted)
    (folder / "_toc.yml").write_text(str(rng.choice(["[" * 3000, "", "a: b", "root: [1]", "\t"])))
    words = [["pages"], ["claims"], ["run", "tiny"], ["book", "--quick"]][rng.integers(4)]
    return Line(words, "either", makes=("_build",))


RECIPES = {
    measured: 12, broken_file: 30, odd_place: 14, sound_sweep: 4, no_sweep: 22, page: 1,
    no_page: 14, book_words: 10,
}  # fmt: skip


# ----------------------------------------------------------------------------------- the verdict


def judge(number: int, starter: Starter, place: Path) -> tuple[str, str, list[tuple[str, str]]]:
    """Run the command line of a case in a folder of its own, which is deleted afterwards."""
    rng = generator("command lines", number)
    weights = np.array(list(RECIPES.values()), dtype=float)
    recipe = list(RECIPES)[rng.choice(len(weights), p=weights / weights.sum())]
    folder, aside = place / f"case{number}", place / f"aside{number}"
    folder.mkdir()
    line = recipe(rng, folder)
    before = _listed(folder)
    command = starter.start(line.words, folder, aside)
    code = command.wait(LIMIT)
    hung = code is None
    if hung:
        command.send(9)
        code = command.wait(LIMIT)
    faults = [("processes", name) for name in command.left(AT_ONCE)]
    said = command.err.read_text(errors="replace")
    faults += [("raw", f"no end in {LIMIT} s")] if hung else _of_words(line, code, said)
    if code == 0 and line.wanted != "refused" and (complaint := line.check(folder)):
        faults.append(("wrong", complaint))
    faults += [("files", name) for name in _new_files(line, code, folder, before)]
    faults += [("files", f"of $TMPDIR: {path.name}") for path in command.scratch.iterdir()]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(aside, ignore_errors=True)
    what = " ".join(word if len(word) < 60 else f"{word[:40]}…" for word in map(repr, line.words))
    return f"{recipe.__name__}: {what} {line.note}".strip(), f"exit {code}", faults


def _listed(folder: Path) -> dict[str, bytes]:
    with_links = {str(p.relative_to(folder)): b"" for p in folder.rglob("*") if p.is_symlink()}
    return with_links | {k: v for k, v in contents(folder).items() if k not in with_links}


def _of_words(line: Line, code: int, said: str) -> list[tuple[str, str]]:
    faults, last = [], said.strip().splitlines()[-1][:300] if said.strip() else "nothing"
    if "Traceback (most recent call last)" in said:
        return [("tracebacks", last)]
    if code not in (0, 1, 2):
        return [("raw", f"exit status {code}: {last}")]
    if code == 0:
        return [("wrong", "done, and should be refused")] if line.wanted == "refused" else []
    if line.wanted == "done":
        faults.append(("wrong", f"refused what is valid: {last}"))
    usage = said.startswith("Usage: ")
    if not usage and (not said.startswith("error: ") or len(said.strip().splitlines()) > 1):
        if line.words:
            faults.append(("raw", f"no sentence: {said[:300]!r}"))
    elif len(said) > LONGEST_MESSAGE:
        faults.append(("raw", f"a message of {len(said)} characters: {said[:200]!r}"))
    if line.says not in said:
        faults.append(("raw", f"the message does not name {line.says}: {last}"))
    return faults


def _new_files(line: Line, code: int, folder: Path, before: dict[str, bytes]) -> list[str]:
    """What is in the folder now and should not be, or was there and is not as it was."""
    after = _listed(folder)
    if code == 0 and line.words[:1] == ["clean"]:
        return []
    changed = [f"{name} changed" for name in before if after.get(name) != before[name]]
    new = [name for name in after if name not in before]
    made = line.makes if code == 0 else ("_build",) * ("_build" in line.makes)
    if code == 1 and line.words[:1] == ["run"]:  # a page that failed is left as far as it got
        made = line.makes
    left = {Path(name).parts[0] for name in new if not name.startswith(made or ("\0",))}
    return changed + sorted(left)
