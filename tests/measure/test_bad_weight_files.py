"""A bad file of each kind, through the installed command: one sentence, exit 2, nothing else."""

import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("feature-capacity")
A_MATRIX = torch.ones(3, 4)


class Code:
    """What a pickle can do to whoever opens it."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def safetensors(header, numbers=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + numbers


def npy(header, numbers=b""):
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + numbers


def saved(content, save):
    def write(path):
        save(content, path)

    return write


def zipped(*entries, compression=zipfile.ZIP_STORED):
    def write(path):
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in entries:
                archive.writestr(name, content)

    return write


def cut(write, keep):
    def some(path):
        write(path)
        path.write_bytes(path.read_bytes()[:keep])

    return some


def of_itself(path):
    holder = {}
    holder["W"] = holder
    torch.save(holder, path)


def objects(path):
    with path.open("wb") as file:
        np.save(file, np.array([[Code()]], object), allow_pickle=True)


def bomb(path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (200000, 200000), }"
    zipped(("W.npy", npy(header, bytes(10_000_000))), compression=zipfile.ZIP_DEFLATED)(path)


def quantized(path):
    parts = {"a.qweight": torch.ones(4, 4, dtype=torch.int32), "a.scales": torch.ones(1, 4)}
    save_file(parts, path)


def scripted(path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(4, 3)), path)


def index(content):
    return content if isinstance(content, bytes) else json.dumps(content).encode()


NPY = "{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
FOUR_BIT = {"W": {"dtype": "F4", "shape": [4, 4], "data_offsets": [0, 8]}}
TOO_LONG = {"W": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 30_000_000_000]}}
INDEX = "model.safetensors.index.json"

BAD = {
    "empty": ("w.pt", b""),
    "text": ("w.npy", b"1 2 3\n4 5 6\n"),
    "pickle with code": ("w.pt", pickle.dumps({"W": Code()})),
    "torch with code": ("w.pt", saved({"W": A_MATRIX, "x": Code()}, torch.save)),
    "torchscript": ("w.pt", scripted),
    "module": ("w.pt", saved(torch.nn.Linear(4, 3), torch.save)),
    "meta tensor": ("w.pt", saved({"W": torch.empty(3, 4, device="meta")}, torch.save)),
    "refers to itself": ("w.pt", of_itself),
    "no matrix": ("w.pt", saved({"step": 3, "b": torch.ones(3)}, torch.save)),
    "complex": ("w.pt", saved({"W": A_MATRIX.to(torch.complex64)}, torch.save)),
    "sparse": ("w.pt", saved({"W": A_MATRIX.to_sparse()}, torch.save)),
    "cut torch": ("w.pt", cut(saved({"W": torch.ones(99, 99)}, torch.save), 5000)),
    "pointer": ("w.pt", LFS),
    "code in npy": ("w.npy", objects),
    "cut npy": ("w.npy", npy(NPY.format("<f4", "(3, 4)"), bytes(9))),
    "broken npy header": ("w.npy", npy("{'descr': [[[[")),
    "huge npy": ("w.npy", npy(NPY.format("<f8", "(10**9, 10**9)"))),
    "huge shape of npy": ("w.npy", npy(NPY.format("<f8", "(1000000000, 1000000000)"))),
    "strings in npy": ("w.npy", saved(np.array([["a", "b"]]), lambda x, path: np.save(path, x))),
    "npz without arrays": ("w.npz", zipped()),
    "npz of text": ("w.npz", zipped(("notes.txt", "none"))),
    "zip bomb": ("w.npz", bomb),
    "safetensors of 4 bits": ("w.safetensors", safetensors(FOUR_BIT, bytes(8))),
    "safetensors of 30 GB": ("w.safetensors", safetensors(TOO_LONG, bytes(48))),
    "long header": ("w.safetensors", safetensors({}, b"", 1 << 45)),
    "header that is no JSON": ("w.safetensors", safetensors(b"{" * 3000)),
    "quantized": ("w.safetensors", quantized),
    "nan": ("w.pt", saved({"W": A_MATRIX * torch.nan}, torch.save)),
    "shard that is missing": (INDEX, index({"weight_map": {"W": "gone.safetensors"}})),
    "shard elsewhere": (INDEX, index({"weight_map": {"W": "../../etc/passwd"}})),
    "index that is no JSON": (INDEX, index(b"[" * 3000)),
    "index without a map": (INDEX, index({"metadata": {}})),
    "folder": ("w", lambda path: path.mkdir()),
    "zarr without metadata": ("w.zarr", lambda path: path.mkdir()),
    "pipe": ("w.pt", os.mkfifo),
    "nothing there": ("w.pt", None),
    "long name": ("w" * 300 + ".pt", None),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_sentence(kind, tmp_path):
    name, content = BAD[kind]
    if callable(content):
        content(tmp_path / name)
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    command = [COMMAND, "capacity", name, "--json", "out.json", "--html", "out.html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("error: ")
    assert name[:20] in sentence
    assert len(sentence) < 500
    assert sorted(tmp_path.iterdir()) == before, "something was written, or code was run"


def test_the_same_command_reads_a_good_file(tmp_path):
    torch.save({"W": torch.eye(3, 4)}, tmp_path / "w.pt")
    command = [COMMAND, "capacity", "w.pt", "--no-picture"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "4 features in 3 dimensions" in done.stdout
