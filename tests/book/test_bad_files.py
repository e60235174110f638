"""Files and places that are none, through the real command line: one sentence, soon, in little
memory, and not by way of the last resort.
"""

import io
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from feature_capacity.book.build import Build
from feature_capacity.book.files import replace_file, replace_files
from feature_capacity.book.project import find_project
from feature_capacity.cli import app, base

COMMAND = Path(sys.executable).with_name("feature-capacity")
MEMORY = 4 * 2**30  # of addresses; torch alone takes more than half
SECONDS = 60  # what once took for ever; starting takes some seconds on a busy machine

LAUGHS = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)
DEEP = "a: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 70))
SWEEP = {
    "model": "autoencoder", "activation": "relu", "importance": [0.5, 2],
    "probability": [0.1, 1.0], "n_features": 3, "n_dims": 2, "n_starts": 1, "n_points": 64,
}  # fmt: skip


def files(folder):
    return sorted(path for path in Path(folder).rglob("*") if "__pycache__" not in path.parts)


def refused(words, message, status=2):
    """Refused here in one sentence that holds the message, and nothing is written."""
    before = files(".")
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == status, done.output
    assert done.output.startswith("error: ")
    assert len(done.output.splitlines()) == 1
    assert len(done.output) < 1200
    assert message in done.output
    assert "fault of this program" not in done.output
    assert files(".") == before


def refused_in_bounds(words, message):
    """The same through the installed command, which may take neither long nor much memory."""
    before = files(".")
    done = subprocess.run(
        [COMMAND, *words],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "fault of this program" not in done.stderr
    assert files(".") == before


# ----------------------------------------------------------------------------------------- settings

SETTINGS = {
    "bomb": (LAUGHS, "more than 4,000,000 characters, with aliases written out"),
    "deep aliases": (DEEP, "nested more than 50 deep"),
    "itself": ("n_dims: &a [*a]\n", "the alias 'a' refers to itself"),
    "brackets": ("[" * 3000, "nested more than 50 deep"),
    "date": ('n_dims: !!timestamp "x"\n', "line 1: 'x' is no timestamp"),
    "number": ('n_dims: !!int "abc"\n', "line 1: 'abc' is no int"),
    "truth": ('n_dims: !!bool "abc"\n', "line 1: 'abc' is no bool"),
    "code": ('n_dims: !!python/object/apply:os.system ["touch x"]\n', "cannot be read as YAML"),
    "digits": ("n_dims: " + "9" * 5000 + "\n", "is no int"),
    "twice": (
        "n_dims: 2\nscale: 1\nn_dims: 3\n",
        "the key 'n_dims' is given twice, in line 1 and in line 3; leave one out",
    ),
    "list as key": ("? [1]\n: 2\n", "cannot be read as YAML"),
    "large": ("# " + "x" * 10**6, "is larger than 1,000,000 bytes"),
    "utf-16": ("n_dims: 2\n".encode("utf-16"), "cannot be read as YAML"),
    "undefined": ("n_dims: *b\n", "undefined alias"),
}


@pytest.mark.parametrize("option", ["-f", "--grid", "--config"])
@pytest.mark.parametrize("kind", SETTINGS)
def test_settings_that_are_none_are_refused_by_every_option(tiny, option, kind):
    text, message = SETTINGS[kind]
    Path("s.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    words = ["sweep", "--out", "s.zarr"] if option == "--config" else ["run", "tiny"]
    refused([*words, option, "s.yml"], message)
    refused([*words, option, "s.yml"], "s.yml")


@pytest.mark.parametrize("option", ["-f", "--config"])
def test_a_bomb_takes_neither_time_nor_memory(tiny, option):
    Path("s.yml").write_text(LAUGHS)
    words = ["sweep", "--out", "s.zarr"] if option == "--config" else ["run", "tiny"]
    refused_in_bounds([*words, option, "s.yml"], SETTINGS["bomb"][1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model": "a",\n\t"model": "b"}', "'model' is given twice, in line 1 and in line 2"),
        ('{"model": {"a": 1, "a": 2}}', "'a' is given twice, in line 1 and in line 1"),
        ("[" * 3000, "nested more than 50 deep"),
        ('{"a": "\\ud83d\\ude00", "b": ' + "[" * 3000, "s.json cannot be read as JSON"),
        ('{"model": ' + "9" * 5000 + "}", "s.json cannot be read as JSON"),
    ],
)
def test_settings_in_json_are_held_to_the_same(tiny, text, message):
    Path("s.json").write_text(text)
    refused(["sweep", "--config", "s.json", "--out", "s.zarr"], message)


def test_merged_and_repeated_settings_are_still_read(tiny):
    from feature_capacity._documents import read_document

    Path("s.yml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\n")
    assert read_document(Path("s.yml"), "file") == {
        "a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"importance": [1.0e39]}, "whose squares float32 holds; got 1e+39; take dtype float64"),
        ({"probability": [1.0e-300, 1]}, "whose squares float32 holds; got 1e-300"),
        ({"probability": [1.0e-300], "dtype": "float64"}, "whose squares float64 holds"),
        ({"importance": {"low": 1, "high": 2, "count": 10**12}}, "count must be a whole number"),
        ({"n_points": 10**12}, "at most 100,000,000; got 1000000000000"),
        ({"n_starts": 10**12}, "at most 1,000,000; got 1000000000000"),
        ({"n_features": 10**12}, "must be at most 1,000,000,000; got"),
        ({"seed": 10**30}, "seed must be a whole number"),
        ({"max_rounds": 10**12}, "max_rounds must be a whole number"),
        ({"model": "x" * 5000}, "unknown model"),
        ({"importance": ["x" * 5000]}, "importance must be finite numbers"),
    ],
)
def test_what_no_precision_or_machine_holds_is_refused_at_the_door(tiny, change, message):
    Path("s.yml").write_text(json.dumps(SWEEP | change))
    refused(["sweep", "--config", "s.yml", "--out", "s.zarr", "--quiet"], message)


def test_too_many_runs_are_refused_before_they_are_listed(tiny):
    Path("g.yml").write_text(f"n_dims: {[2] * 8000}\nscale: {[1] * 8000}\n")
    refused_in_bounds(["run", "tiny", "--grid", "g.yml"], "asks for 64000000 runs")
    Path("g.yml").write_text("- {n_dims: 2}\n" * 10_001)
    refused(["run", "tiny", "--grid", "g.yml"], "split it into grids of at most 10,000")


@pytest.mark.parametrize("toc", ["[" * 3000, "", "a: b", "root: [1]", "root: a\nparts: [1]", "\t"])
@pytest.mark.parametrize("words", [["pages"], ["claims"], ["run", "tiny"], ["book"]])
def test_a_broken_table_of_contents_is_one_sentence(tiny, toc, words):
    tiny.toc.write_text(toc)
    refused(words, "_toc.yml")


# ----------------------------------------------------------------------------------------- matrices


def npy(header):
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(64)


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def pt(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def safetensors(header, size=None):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + bytes(64)


def itself():
    content = []
    content += [content, content]
    return content


def sparse():
    size = 10**6, 10**6
    return torch.sparse_coo_tensor([[0], [0]], [1.0], size, check_invariants=True)


SHAPED = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"
F4 = {"a": {"dtype": "F4", "shape": [2, 16], "data_offsets": [0, 16]}}
CLAIM = {"a": {"dtype": "F64", "shape": [10**6, 4000], "data_offsets": [0, 32 * 10**9]}}
MATRICES = {
    "open.npy": (lambda: npy("(" * 90), "is not a whole NumPy file"),
    "huge.npy": (lambda: npy(SHAPED % "(1000000000, 1000000)"), "8e+15 bytes of numbers claimed"),
    "endless.npy": (lambda: npy(SHAPED % f"({10**30}, 2)"), "bytes of numbers claimed"),
    "negative.npy": (lambda: npy(SHAPED % "(-1, 3)"), "is not a whole NumPy file"),
    "words.npy": (lambda: npy(SHAPED % "('a', 'b')"), "is not a whole NumPy file"),
    "type.npy": (lambda: npy((SHAPED % "(2, 2)").replace("<f8", "zz")), "not a whole NumPy file"),
    "notes.npz": (lambda: zipped("readme.txt", b"hello"), "holds no tensor"),
    "open.npz": (lambda: zipped("a.npy", npy("(" * 90)), "is not a whole NumPy file"),
    "huge.npz": (lambda: zipped("a.npy", npy(SHAPED % "(1000000000, 1000000)")), "claimed"),
    "itself.pt": (lambda: pt(itself()), "is nested too deeply or refers to itself"),
    "wide.pt": (lambda: pt(torch.ones(1, 1).expand(10**6, 10**6)), "1e+12 entries from"),
    "sparse.pt": (lambda: pt(sparse()), "is a sparse tensor; save its to_dense()"),
    "meta.pt": (lambda: pt(torch.ones(2, 2, device="meta")), "meta.pt"),
    "four.safetensors": (lambda: safetensors(F4), "four.safetensors"),
    "long.safetensors": (lambda: safetensors({}, 30 * 10**9), "not a whole safetensors file"),
    "claim.safetensors": (lambda: safetensors(CLAIM), "not a whole safetensors file"),
}  # fmt: skip


@pytest.mark.parametrize("name", MATRICES)
def test_a_file_that_claims_what_it_does_not_hold(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make, message = MATRICES[name]
    Path(name).write_bytes(make())
    refused(["capacity", name, "--no-picture"], message)


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (
        zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.npy", "w") as member,
    ):
        member.write(npy(SHAPED % "(12000, 12000)")[:-64])
        for _ in range(12):
            member.write(bytes(12000 * 1000 * 8))
    refused_in_bounds(["capacity", "bomb.npz", "--no-picture"], "1.44e+08 entries from")


# ------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize(
    "words",
    [
        ["capacity", "x" * 300 + ".npy"],
        ["capacity", "w.npy", "--no-picture", "--csv", "x" * 300 + ".csv"],
        ["capacity", "w.npy", "--no-picture", "--csv", ""],
        ["capacity", "w.npy", "--no-picture", "--json", "/"],
        ["capacity", "loop.npy"],
        ["run", "tiny", "-o", ""],
        ["run", "tiny", "-o", "z" * 300 + ".ipynb"],
        ["run", "tiny", "-f", "z" * 300],
        ["run", "tiny", "-p", "n_dims", "9" * 5000],
        ["run", "tiny", "-p", "mode", "y\n" * 5000],
        ["run", "x" * 5000],
        ["sweep", "--config", "s.yml", "--out", "/"],
        ["sweep", "--config", "s.yml", "--out", "z" * 300],
        ["sweep", "--config", "s.yml", "--out", "s.zarr", "--scheduler", "garbage"],
    ],
)
def test_a_place_or_name_that_is_none_is_one_sentence(tiny, words):
    np.save("w.npy", np.eye(2))
    Path("loop.npy").symlink_to("loop.npy")
    Path("s.yml").write_text(json.dumps(SWEEP))
    refused(words, "")


def test_of_several_files_all_are_written_or_none(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(FileNotFoundError):
        replace_files({tmp_path / "a.csv": b"new", tmp_path / "no" / "b.png": b"new"})
    assert (tmp_path / "a.csv").read_text() == "old"
    assert [path.name for path in files(tmp_path)] == ["a.csv"]
    name = "x" * 250 + ".csv"  # as long as a name may be, with nothing beside it
    replace_file(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"


def test_a_planted_link_is_replaced_and_not_followed(tmp_path, monkeypatch):
    """Neither at the name that is asked for nor at one that an earlier file had beside it."""
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("dear")
    np.save("w.npy", np.eye(2))
    for name in ("w.csv", "w.json", "w.html", f".w.csv.{os.getpid()}", ".w.unfinished.0.csv"):
        Path(name).symlink_to("mine")
    names = [name for kind in ("csv", "json", "html") for name in (f"--{kind}", f"w.{kind}")]
    done = CliRunner().invoke(app, ["capacity", "w.npy", "--no-picture", *names])
    assert done.exit_code == 0, done.output
    assert Path("mine").read_text() == "dear"
    assert not any(Path(f"w.{kind}").is_symlink() for kind in ("csv", "json", "html"))
    assert Path("w.csv").read_text().startswith("feature,")


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("w.npy", np.eye(200))
    # A limit to the size of files is met as a full disk is: by an error when writing.
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
        "from feature_capacity.cli import app; app()"
    )
    words = ["capacity", "w.npy", "--no-picture", "--csv", "w.csv", "--json", "w.json"]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert "fault of this program" not in done.stderr
    assert [path.name for path in files(tmp_path)] == ["w.npy"]


def test_a_named_build_folder_holds_everything(tiny, monkeypatch):
    monkeypatch.setenv("FEATURE_CAPACITY_BUILD", str(tiny.root / "scratch" / "x"))
    build = Build(find_project())
    assert build.html.is_relative_to(tiny.root / "scratch" / "x")
    monkeypatch.delenv("FEATURE_CAPACITY_BUILD")
    assert Build(find_project()).html == tiny.root / "_build" / "html"


# ------------------------------------------------------------------------- the last resort, serving


def test_the_last_resort_is_one_sentence_with_the_details_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(base.tempfile, "tempdir", str(tmp_path))

    @base.command()
    def broken():
        raise ZeroDivisionError("a\nb" * 999)

    with pytest.raises(base.typer.Exit) as ended:
        broken()
    assert ended.value.exit_code == 1
    (log,) = tmp_path.iterdir()
    assert "Traceback (most recent call last)" in log.read_text()


def test_serving_takes_any_path_and_a_reader_who_leaves(tiny):
    build = Build(find_project())
    build.html.mkdir(parents=True)
    build.index.write_text("hello")
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        port = int(process.stdout.readline().split(":")[2].split("/")[0])
        for path in ("%00", "a%00b/"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}")
        with socket.create_connection(("127.0.0.1", port)) as client:  # and resets the connection
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET / HTTP/1.1\r\n")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert page.read() == b"hello"
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said
