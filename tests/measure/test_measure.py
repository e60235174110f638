"""`feature-capacity capacity`: any one matrix, in every kind of file, good and bad."""

import csv
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from matplotlib.patches import Rectangle
from safetensors.torch import save_file
from typer.testing import CliRunner

from feature_capacity import capacities
from feature_capacity.cli import app
from feature_capacity.measure.choice import open_file
from feature_capacity.measure.measuring import measure
from feature_capacity.measure.picture import FEW, capacity_overview
from feature_capacity.theory.allocation import PHASES

PAIR = np.array([[1.0, -1, 0, 0], [0, 0, 2, 0]])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words):
    return CliRunner().invoke(app, ["capacity", *map(str, words)])


def read_matrix(path, key=None):
    """All of a matrix, as it is stored."""
    vectors = open_file(path, key, None, "columns")
    return vectors.block((), slice(0, vectors.n_dims), slice(0, vectors.n_features))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------------------------------------------ results


def test_a_matrix_is_measured_and_everything_is_written(folder):
    np.save("w.npy", PAIR)
    done = call("w.npy", "--csv", "w.csv", "--json", "w.json")
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.output.splitlines()]
    assert lines[3:7] == [
        ["0", "1", "0.5000", "polysemantic", "0"],
        ["1", "1", "0.5000", "polysemantic", "0"],
        ["2", "2", "1.0000", "monosemantic", "1"],
        ["3", "0", "0.0000", "ignored", "-"],
    ]
    assert "total capacity  2 of 2 dimensions (100.0 %)" in done.output
    assert "1 feature in 1 dimension, efficient" in done.output
    assert names(folder) == ["w-capacity.png", "w.csv", "w.json", "w.npy"]

    rows = list(csv.DictReader(io.StringIO((folder / "w.csv").read_text())))
    assert [float(row["capacity"]) for row in rows] == capacities(PAIR).tolist()
    assert [row["block"] for row in rows] == ["0", "0", "1", ""]
    content = json.loads((folder / "w.json").read_text())
    assert content["phases"] == {"ignored": 1, "polysemantic": 2, "monosemantic": 1}
    assert content["total_capacity"] == 2
    assert [row["block"] for row in content["features"]] == [0, 0, 1, None]
    assert imread("w-capacity.png").shape[1] > 1000


def test_rows_may_be_the_features(folder):
    np.save("w.npy", PAIR.T)
    done = call("w.npy", "--transpose", "--no-picture")
    assert done.exit_code == 0
    assert "total capacity  2 of 2 dimensions" in done.output
    assert names(folder) == ["w.npy"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("ending", [".pt", ".pth", ".safetensors"])
def test_every_precision_is_read_without_change(dtype, ending):
    W = torch.randn(3, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
    if ending == ".safetensors":
        save_file({"W": W, "b": torch.zeros(3)}, "w.safetensors")
    else:
        torch.save({"layer": [{"W": W.requires_grad_()}], "step": 3}, f"w{ending}")
    found = read_matrix(f"w{ending}", None)
    assert found.dtype == (np.float64 if dtype == torch.float64 else np.float32)
    np.testing.assert_array_equal(found, W.detach().double().numpy())


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble", "int8", "uint64"])
def test_every_numpy_number_is_read(dtype):
    np.save("w.npy", PAIR.clip(0).astype(dtype))
    np.testing.assert_array_equal(read_matrix("w.npy"), PAIR.clip(0))


def test_a_key_picks_one_of_several_matrices():
    np.savez("w.npz", enc=np.eye(2, 3), dec=np.eye(3, 2), bias=np.ones(3))
    assert read_matrix("w.npz", "enc").shape == (2, 3)
    with pytest.raises(ValueError, match=r"2 matrices; .* with key: enc \(2 x 3\), dec \(3 x 2\)"):
        read_matrix("w.npz")
    with pytest.raises(ValueError, match="unknown key 'en'; did you mean enc"):
        read_matrix("w.npz", "en")
    with pytest.raises(ValueError, match=r"bias must be a matrix.* shape 3$"):
        read_matrix("w.npz", "bias")
    np.savez("many.npz", **{f"layer{i}": np.eye(2) for i in range(30)})
    with pytest.raises(ValueError, match=r"layer11 \(2 x 2\) and 18 more"):
        read_matrix("many.npz")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_one_matrix_of_a_large_model_does_not_cost_the_memory_of_all(ending):
    model = {f"layer{i}": torch.full((1000, 8000), float(i)) for i in range(10)}  # 32 MB each
    save_file(model, "m.safetensors") if ending == ".safetensors" else torch.save(model, "m.pt")
    program = f"""
import resource, feature_capacity as fc
fc.measure([[1.0, 2], [3, 4]])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = fc.measure("m{ending}", key="layer7")
assert (found.n_dims, found.n_features) == (1000, 8000) and abs(found.total - 1) < 1e-9
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    # A process begins with the peak of the one that starts it; a shell between has a small one.
    words = ["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, program]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (
        float(done.stdout) < 260
    )  # MiB: some slices in float64 and squares, of 305 for all layers


def test_a_matrix_is_measured_where_torch_and_matplotlib_are_not_installed():
    kinds = {"float": torch.float32, "half": torch.float16, "brain": torch.bfloat16}
    matrices = {k: torch.tensor(PAIR).to(kind) for k, kind in kinds.items()}
    save_file(matrices, "w.safetensors")
    torch.save(matrices, "w.pt")
    torch.save(matrices, "old.pt", _use_new_zipfile_serialization=False)
    program = """
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        absent = name in ("torch", "matplotlib")
        return None if absent else self.finder.find_spec(name, path, target)
sys.meta_path[:] = map(Without, sys.meta_path)
from feature_capacity import measure
from feature_capacity.measure.report import draw
for file in ("w.safetensors", "w.pt", "old.pt"):
    for key in ("float", "half", "brain"):
        found = measure(file, key=key)
        assert found.capacity.tolist() == [0.5, 0.5, 1, 0]
try:
    draw(found)
except ModuleNotFoundError as error:
    print(error)
found.save("w.html")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "needs matplotlib, which is not installed; run: pip install" in done.stdout


def test_phases_follow_the_tolerance():
    # Beside a pair in one dimension: nearly alone, in all but name absent, and absent.
    angle = 0.05
    W = np.array([[1, -1, np.sin(angle), 1e-4, 0], [0, 0, np.cos(angle), 0, 0]])
    phases = [PHASES[code] for code in measure(W).phase]
    assert phases[2:] == ["monosemantic", "ignored", "ignored"]
    strict = [PHASES[code] for code in measure(W, tolerance=1e-4).phase]
    assert strict[2:] == ["polysemantic", "ignored", "ignored"]
    with pytest.raises(ValueError, match="tolerance must be above 0"):
        measure(W, tolerance=0.5)


def test_the_picture_suits_few_and_many_features():
    generator = np.random.default_rng(0)
    for n in (1, 6, FEW, FEW + 1, 5000):
        report = measure(generator.standard_normal((4, n)))
        figure = capacity_overview(report)
        bars, points, last = figure.axes[:3]
        assert (len(bars.patches) == n) == (n <= FEW)
        assert bool(last.images) == (n <= FEW)
        offsets = points.collections[0].get_offsets()
        assert (len(offsets) == n) == (n <= 3000)
        # Next to nothing is still seen beside a dimension of its own.
        low, high = bars.transAxes.inverted().transform(
            bars.transData.transform([(1, np.median(report.capacity)), (1, 1)])
        )[:, 1]
        assert low > 0.1 or n <= 1000
        assert 0.9 < high <= 1
    flat = capacity_overview(measure(np.eye(50)))
    heights = [bar.get_height() for bar in flat.axes[2].patches if isinstance(bar, Rectangle)]
    assert max(heights) == 50


@pytest.mark.thorough
def test_fifty_thousand_features_never_meet_in_pairs(folder):
    W = np.random.default_rng(0).standard_normal((512, 50_000), dtype=np.float32)
    np.save("big.npy", W)
    program = """
import resource
from feature_capacity.cli import app
app(["capacity", "big.npy", "--csv", "big.csv"], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "49,988 more" in done.stdout
    assert len((folder / "big.csv").read_text().splitlines()) == 50_001
    # All pairs would be 20 GB in float64.
    assert int(done.stdout.split()[-1]) < 3e6, "kilobytes"


# ---------------------------------------------------------------------------------------- bad input


class Danger:
    """Touches a file when it is unpickled."""

    def __reduce__(self):
        return open, ("touched", "w")


BAD = {
    "nan.npy": (
        lambda p: np.save(p, [[1.0, np.nan]]),
        "1 of 2 features do not: feature 1; --skip-nonfinite",
    ),
    "inf.pt": (
        lambda p: torch.save(torch.full((2, 2), torch.inf), p),
        "2 of 2 features do not: features 0, 1, all in dimensions 0, 1",
    ),
    "one.npy": (lambda p: np.save(p, np.ones(3)), "must be a matrix, with two dimensions"),
    "number.npy": (lambda p: np.save(p, 3.0), "a single number"),
    "three.pt": (
        lambda p: torch.save(torch.ones(2, 3, 4), p),
        "holds 2 matrices, a batch of shape 2; choose one with --index 0 (0 to 1)",
    ),
    "hollow.npy": (lambda p: np.save(p, np.zeros((0, 3))), "empty matrix, 0 x 3"),
    "complex.npy": (lambda p: np.save(p, 1j * np.eye(2)), "real numbers; its dtype is complex128"),
    "complex.pt": (lambda p: torch.save(1j * torch.eye(2), p), "real numbers; its dtype is C64"),
    "truth.npy": (lambda p: np.save(p, np.eye(2) > 0), "its dtype is bool"),
    "text.npy": (lambda p: np.save(p, [["a"]]), "must hold real numbers"),
    "object.npy": (
        lambda p: np.save(p, np.array([[Danger()]]), allow_pickle=True),
        "Python objects, which could run code",
    ),
    "danger.pt": (lambda p: torch.save({"W": Danger()}, p), "reading it would run code of io.open"),
    "module.pt": (
        lambda p: torch.save(torch.nn.Linear(2, 2), p),
        "code of torch.nn.modules.linear.Linear; save a tensor, or a dictionary of tensors such "
        "as model.state_dict()",
    ),
    "old.pt": (
        lambda p: torch.save(torch.nn.Linear(2, 2), p, _use_new_zipfile_serialization=False),
        "code of torch.nn.modules.linear.Linear",
    ),
    "sparse.pt": (lambda p: torch.save(torch.eye(3).to_sparse(), p), "save its to_dense()"),
    "meta.pt": (lambda p: torch.save(torch.empty(2, 2, device="meta"), p), "a shape without data"),
    "packed.safetensors": (
        lambda p: save_file({"a.qweight": torch.ones(4, 4, dtype=torch.int32)}, p),
        "holds quantized or packed numbers, I32",
    ),
    "scaled.safetensors": (
        lambda p: save_file(
            {
                "a.weight": torch.ones(4, 4).to(torch.float8_e4m3fn),
                "a.weight_scale_inv": torch.ones(2, 2),
            },
            p,
        ),
        "holds 2 matrices",
    ),
    "pointer.safetensors": (
        lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "a pointer to a file that was not downloaded",
    ),
    "page.bin": (lambda p: p.write_text("<!DOCTYPE html><p>404"), "is a web page, not weights"),
    "index.json": (lambda p: p.write_text("{}"), "it has no weight_map"),
    "lost.json": (
        lambda p: p.write_text('{"weight_map": {"a": "a.safetensors"}}'),
        "names a.safetensors, which is not beside it",
    ),
    "other.zip": (lambda p: zipfile.ZipFile(p, "w").close(), "an archive without tensors"),
    "settings.pt": (lambda p: torch.save({"step": 3}, p), "holds no tensor"),
    "vectors.npz": (lambda p: np.savez(p, a=[1], b=[2]), "none of the 2 tensors"),
    "empty.npy": (lambda p: p.write_bytes(b""), "is empty"),
    "empty.pt": (lambda p: p.write_bytes(b""), "is empty"),
    "empty.npz": (lambda p: np.savez(p), "holds no tensor"),
    "junk.npy": (lambda p: p.write_bytes(b"abcdefgh"), "not a whole NumPy file"),
    "junk.npz": (lambda p: p.write_bytes(b"PK\x03\x04junk"), "junk.npz is not a whole NumPy file"),
    "junk.pt": (lambda p: p.write_bytes(b"abcdefgh"), "is not a whole torch file"),
    "junk.safetensors": (lambda p: p.write_bytes(b"abcdefgh" * 9), "whole safetensors file"),
    "weights.bin": (lambda p: p.write_bytes(b"abc"), "no file of tensors that is read here"),
    "weights": (lambda p: p.write_bytes(b"abc"), "no file of tensors that is read here"),
    "folder.npy": (lambda p: p.mkdir(), "folder.npy is a folder; name a file in it"),
    "absent.npy": (lambda p: None, "there is no file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence_and_writes_nothing(folder, name):
    make, message = BAD[name]
    make(folder / name)
    before = names(folder)
    done = call(name)
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert len(done.output.splitlines()) == 1
    assert names(folder) == before


@pytest.mark.parametrize("ending", [".npy", ".npz", ".pt", ".safetensors"])
def test_a_file_that_was_cut_off_is_refused(folder, ending):
    W = torch.randn(20, 30)
    path = folder / f"w{ending}"
    save = {
        ".npy": lambda: np.save(path, W),
        ".npz": lambda: np.savez(path, W=W, b=W),
        ".pt": lambda: torch.save(W, path),
        ".safetensors": lambda: save_file({"W": W}, path),
    }
    save[ending]()
    whole = path.read_bytes()
    for size in (1, 9, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        done = call(path.name)
        assert done.exit_code == 2, (size, done.output)
        assert len(done.output.splitlines()) == 1
    assert names(folder) == [path.name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--key", "a"), "which has no name; leave --key out"),
        (("--tolerance", "0.7"), "tolerance must be above 0 and below 0.5; got 0.7"),
        (("--tolerance", "nan"), "tolerance must be above 0"),
        (("--picture", "w.txt"), "must end in .png or .svg or .pdf; write w.png"),
        (("--picture", "no/w.png"), "there is no folder"),
        (("--picture", "w.png", "--no-picture"), "exclude each other"),
        (("--csv", "w.json"), "must end in .csv; write w.csv"),
        (("--json", "folder.json"), "is a folder; name a file in it"),
        (("--csv", "/proc/w.csv"), "cannot write to the folder /proc"),
        (("--features", "both"), "--features must be rows or columns; got 'both'"),
        (("--transpose", "--features", "columns"), "exclude each other"),
        (("--index", "1"), "is one matrix, not a batch of them; leave --index out"),
        (("--index", "one"), "whole numbers joined by commas, such as 3 or 0,2; got 'one'"),
        (("--activations", "w.npy"), "must have one row a feature (4)"),
        (("--html", "w.htm"), "must end in .html; write w.html"),
        ((), "Missing argument"),
    ],
)
def test_a_bad_option_is_one_sentence_and_writes_nothing(folder, words, message):
    np.save("w.npy", PAIR)
    (folder / "folder.json").mkdir()
    before = names(folder)
    done = call(*(["w.npy", *words] if words else []))
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert "Traceback" not in done.output
    assert names(folder) == before
