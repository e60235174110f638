"""Weight files as people have them, each through the command line, each with its right answer."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from feature_capacity import capacities, measure
from feature_capacity.cli import app


def unit_rows(*shape):
    W = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    return W / W.norm(dim=1, keepdim=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words):
    """Output and JSON of a command line that goes well."""
    done = CliRunner().invoke(
        app, ["capacity", *map(str, words), "--no-picture", "--json", "out.json"]
    )
    assert done.exit_code == 0, done.output
    with open("out.json") as file:
        return done.output, json.load(file)


def refused(*words):
    """The one sentence of a command line that is refused."""
    done = CliRunner().invoke(app, ["capacity", *map(str, words), "--no-picture"])
    assert done.exit_code == 2, done.output
    (sentence,) = done.output.splitlines()
    assert sentence.startswith("error: ")
    return sentence


def measured(found):
    return np.array([row["capacity"] for row in found["features"]], float)


@pytest.mark.parametrize(("shape", "axis"), [((10, 2, 5), "columns"), ((10, 5, 2), "rows")])
def test_instances_are_chosen_and_oriented_by_their_bias(folder, shape, axis):
    W = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    torch.save({"W": W, "b_final": torch.zeros(10, 5)}, "toy.pt")
    told = "x ".join(f"{n} " for n in shape).strip()
    sentence = refused("toy.pt")
    assert f"choose one with --key: W ({told}), b_final (10 x 5)" in sentence
    assert "with --index" in sentence
    assert "choose one with --index 0 (0 to 9)" in refused("toy.pt", "--key", "W")
    assert "--index 10 is none of" in refused("toy.pt", "--key", "W", "--index", 10)
    output, found = call("toy.pt", "--key", "W", "--index", 3)
    first = output.splitlines()[0]
    assert first.startswith(f"toy.pt, W [3], {told}: 5 features in 2 dimensions; features are the")
    assert found["source"] | {"why": ""} == {
        "file": "toy.pt", "tensor": "W", "shape": list(shape), "index": [3], "features": axis,
        "why": "", "remark": "",
    }  # fmt: skip
    right = W[3].double().numpy()
    np.testing.assert_allclose(
        measured(found), capacities(right if axis == "columns" else right.T), atol=1e-12
    )


def test_a_sparse_autoencoder_of_saelens_is_oriented_by_itself(folder):
    decoder = unit_rows(64, 16)
    encoder = 2 * decoder.T.contiguous()
    biases = {"b_enc": torch.zeros(64), "b_dec": torch.zeros(16)}
    save_file({"W_enc": encoder, "W_dec": decoder, **biases}, "sae.safetensors")
    assert "2 matrices; choose one with --key: W_dec (64 x 16), W_enc (16 x 64)" in refused(
        "sae.safetensors"
    )
    for key, axis in (("W_dec", "rows"), ("W_enc", "columns")):
        output, found = call("sae.safetensors", "--key", key)
        assert f"64 features in 16 dimensions; features are the {axis} (the layout" in output
        np.testing.assert_allclose(
            measured(found), capacities(decoder.T.double().numpy()), atol=1e-12
        )
    output, found = call("sae.safetensors", "--key", "W_dec", "--features", "columns")
    assert "16 features in 64 dimensions; features are the columns (as asked)" in output


def test_dictionary_learning_is_oriented_by_itself(folder):
    decoder = unit_rows(64, 16)
    torch.save(
        {"decoder.weight": decoder.T.contiguous(), "encoder.weight": decoder, "b": torch.ones(64)},
        "ae.pt",
    )
    for key, axis in (("decoder.weight", "columns"), ("encoder.weight", "rows")):
        output, found = call("ae.pt", "--key", key)
        assert f"64 features in 16 dimensions; features are the {axis} (the layout" in output
        np.testing.assert_allclose(
            measured(found), capacities(decoder.T.double().numpy()), atol=1e-12
        )


def test_more_rows_than_columns_under_no_name_gets_a_remark(folder):
    W = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    np.save("tall.npy", W)
    output, found = call("tall.npy")
    assert "remark: there are more rows (300) than columns (8)" in output.splitlines()[1]
    assert found["n_dims"] == 300
    np.testing.assert_allclose(measured(found), capacities(W.astype(float)), atol=1e-12)
    output, found = call("tall.npy", "--features", "rows")
    assert "remark" not in output
    np.testing.assert_allclose(measured(found), capacities(W.T.astype(float)), atol=1e-12)


PEAK = """
import resource
from feature_capacity.cli import app
app({words!r}, standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak(*words):
    """MiB that a command line takes in all, in a process whose parent is small."""
    program = PEAK.format(words=["capacity", *map(str, words), "--no-picture"])
    command = ["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1]), done.stdout


@pytest.mark.slow
def test_a_tall_matrix_takes_memory_of_the_order_of_its_file(folder):
    np.save("tall.npy", np.ones((12000, 8), np.float32))
    np.save("small.npy", np.ones((8, 8), np.float32))
    least, _ = peak("small.npy")
    assert peak("tall.npy")[0] - least < 100  # a square of the larger side would be 1,150
    assert peak("tall.npy", "--features", "rows")[0] - least < 100


@pytest.mark.thorough
@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_a_large_decoder_streams_in_either_orientation(folder, axis):
    W = unit_rows(65536, 2304).bfloat16()
    save_file({"W": W if axis == "rows" else W.T.contiguous()}, "large.safetensors")
    taken, output = peak("large.safetensors", "--features", axis)
    assert taken < 1536
    total = float(re.search(r"total capacity +([\d.]+) of 2304", output)[1])
    assert total == pytest.approx(2304 / (1 + 2303 / 65536), rel=0.01)


def test_features_that_are_not_finite_are_counted_and_can_be_left_out(folder):
    decoder = unit_rows(64, 16)
    decoder[[3, 40]] = 0
    decoder = decoder / decoder.norm(dim=1, keepdim=True)
    save_file({"W_dec": decoder}, "nan.safetensors")
    sentence = refused("nan.safetensors")
    assert "2 of 64 features do not: features 3, 40; --skip-nonfinite" in sentence
    output, found = call("nan.safetensors", "--skip-nonfinite")
    assert "2 left out, not finite" in output
    assert (found["n_left_out"], found["left_out"], found["n_zero"]) == (2, [3, 40], 0)
    kept = np.delete(np.arange(64), [3, 40])
    right = capacities(decoder[kept].T.double().numpy())
    np.testing.assert_allclose(measured(found)[kept], right, atol=1e-12)
    assert np.isnan(measured(found)[[3, 40]]).all()
    # The same where the square is that of the features.
    torch.save({"W": decoder[:6].T}, "wide.pt")
    _, found = call("wide.pt", "--skip-nonfinite")
    assert found["left_out"] == [3]
    right = capacities(decoder[[0, 1, 2, 4, 5]].T.double().numpy())
    np.testing.assert_allclose(np.delete(measured(found), 3), right, atol=1e-12)


def test_zero_vectors_are_counted_as_ignored(folder):
    decoder = unit_rows(64, 16)
    decoder[[3, 40]] = 0
    save_file({"W_dec": decoder}, "dead.safetensors")
    output, found = call("dead.safetensors")
    assert "2 ignored" in output
    assert "2 zero vectors among the ignored" in output
    assert found["n_zero"] == 2


def test_a_shape_without_data_is_refused(folder):
    torch.save({"W": torch.empty(4, 8, device="meta")}, "meta.pt")
    assert "meta.pt, W is a meta tensor, a shape without data" in refused("meta.pt")


@pytest.mark.slow
def test_torchscript_is_refused_without_a_warning(folder):
    torch.jit.save(torch.jit.script(torch.nn.Linear(8, 4)), "script.pt")
    assert "is a TorchScript archive, which holds code; load it with" in refused("script.pt")
    command = [sys.executable, "-m", "feature_capacity", "capacity", "script.pt", "--no-picture"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.mark.parametrize("name", ["checkpoint.pt", "checkpoint.ckpt", "pytorch_model.bin", "w"])
def test_a_checkpoint_is_read_by_its_content_and_lists_the_model_first(folder, name):
    model = torch.nn.Linear(8, 4)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(2, 8)).sum().backward()
    optimizer.step()
    torch.save({"optimizer": optimizer.state_dict(), "model": model.state_dict(), "epoch": 3}, name)
    listed = "choose one with --key: model.weight (4 x 8), optimizer.state.0.exp_avg (4 x 8), "
    assert listed in refused(name)
    _, found = call(name, "--key", "model.weight")
    right = capacities(model.weight.detach().double().numpy())
    np.testing.assert_allclose(measured(found), right, atol=1e-12)


def test_an_index_leads_to_its_shards(folder):
    W = {name: torch.randn(4, 8) for name in ("a.weight", "b.weight")}
    where = {"a.weight": "model-1.safetensors", "b.weight": "model-2.safetensors"}
    for name, shard in where.items():
        save_file({name: W[name]}, shard)
    content = json.dumps({"metadata": {}, "weight_map": where})
    (folder / "model.safetensors.index.json").write_text(content)
    index = "model.safetensors.index.json"
    assert "2 matrices; choose one with --key: a.weight (4 x 8), b.weight (4 x 8)" in refused(index)
    _, found = call(index, "--key", "b.weight")
    right = capacities(W["b.weight"].double().numpy())
    np.testing.assert_allclose(measured(found), right, atol=1e-12)
    assert "did you mean" in refused(index, "--key", "b.weigh")
    (folder / "model-2.safetensors").unlink()
    assert "names model-2.safetensors, which is not beside it" in refused(index)
    assert "is a folder; name a file in it, such as" in refused(".")
    assert index in refused(".")


def test_a_pointer_is_called_one(folder):
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
    (folder / "pointer.pt").write_text(text)
    assert "is a pointer to a file that was not downloaded" in refused("pointer.pt")


def test_what_a_wrapper_puts_before_a_name_is_no_hindrance(folder):
    torch.save({"module.W": torch.randn(5, 20), "module.b_final": torch.zeros(20)}, "parallel.pt")
    output, _ = call("parallel.pt")
    assert "module.W, 5 x 20: 20 features in 5 dimensions; features are the columns" in output
    assert "as many features as b_final has entries" in output


def test_a_slip_of_the_pen_in_a_file_name_is_answered(folder):
    np.save("decoder.npy", np.eye(3))
    assert "no file decodr.npy; did you mean decoder.npy?" in refused("decodr.npy")
    assert "did you mean" not in refused("other.pt")
    assert "did you mean" not in refused("nowhere/decoder.npy")


def test_bfloat16_is_read(folder):
    W = torch.randn(4, 8).bfloat16()
    torch.save({"W": W}, "w.pt")
    _, found = call("w.pt")
    np.testing.assert_allclose(measured(found), capacities(W.double().numpy()), atol=1e-12)


@pytest.mark.parametrize("kind", ["group", "array"])
def test_a_zarr_store_is_read(folder, kind):
    import zarr

    W = np.random.default_rng(0).standard_normal((6, 20))
    if kind == "array":
        zarr.save("w.zarr", W)
    else:
        zarr.save_group("w.zarr", W=W, b=np.zeros(6))
    output, found = call("w.zarr")
    assert output.startswith("w.zarr, W, 6 x 20" if kind == "group" else "w.zarr, 6 x 20")
    np.testing.assert_allclose(measured(found), capacities(W), atol=1e-12)


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.float8_e5m2])
@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_eight_bit_numbers_are_read_without_change(folder, kind, ending):
    every = torch.arange(256, dtype=torch.uint8).view(kind)
    W = torch.where(every.float().isfinite(), every.float(), 1.0).to(kind).reshape(16, 16)
    save_file({"W": W}, "w" + ending) if ending != ".pt" else torch.save({"W": W}, "w.pt")
    _, found = call("w" + ending)
    np.testing.assert_allclose(measured(found), capacities(W.double().numpy()), atol=1e-12)


def test_a_matrix_with_the_scales_of_its_blocks_beside_it_is_refused(folder):
    W = torch.ones(4, 4).to(torch.float8_e4m3fn)
    save_file({"a.weight": W, "a.weight_scale_inv": torch.ones(2, 2)}, "w.safetensors")
    sentence = refused("w.safetensors", "--key", "a.weight")
    assert "quantized or packed numbers, F8_E4M3 (beside it lies a.weight_scale_inv)" in sentence


@pytest.mark.parametrize(
    ("length", "offsets", "shape"),
    [
        (1 << 40, [0, 48], [3, 4]),  # a header longer than the file
        (128, [0, 48], [3, 4]),  # the same, and its first byte is that of a pickle
        (None, [0, 96], [3, 8]),  # numbers that are not there
        (None, [0, 48], [3, 8]),  # fewer numbers than the shape takes
        (None, [8, 40], [2, 4]),  # a hole before them
    ],
)
def test_a_header_that_claims_more_than_the_file_has_is_refused(folder, length, offsets, shape):
    header = json.dumps({"W": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}).encode()
    numbers = np.zeros((3, 4), "<f4").tobytes()
    size = len(header) if length is None else length
    Path("w.safetensors").write_bytes(size.to_bytes(8, "little") + header + numbers)
    assert "w.safetensors is not a whole safetensors file: " in refused("w.safetensors")
    with pytest.raises(ValueError, match="is not a whole safetensors file"):
        measure("w.safetensors")

    good = json.dumps({"W": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}}).encode()
    Path("w.safetensors").write_bytes(len(good).to_bytes(8, "little") + good + numbers)
    assert measure("w.safetensors").n_dims == 3


BATCH, PAIR = np.ones((2, 3, 4)), {"a": np.ones((2, 3)), "b": np.ones((2, 3))}


@pytest.mark.parametrize(
    ("given", "settings", "in_python", "words", "at_the_command_line"),
    [
        (BATCH, {}, "choose one with index=0 (0 to 1)", [], "choose one with --index 0 (0 to 1)"),
        (BATCH, {"index": 2}, "index=2 is none of", ["--index", 2], "--index 2 is none of"),
        (PAIR, {}, "choose one with key: a (2 x 3)", [], "choose one with --key: a (2 x 3)"),
        (np.eye(2), {"index": 1}, "leave index out", ["--index", 1], "leave --index out"),
        (np.diag([1, np.nan]), {}, "; skip_nonfinite=True leaves", [], "; --skip-nonfinite leaves"),
    ],
)  # fmt: skip
def test_messages_name_what_their_reader_can_change(
    folder, given, settings, in_python, words, at_the_command_line
):
    with pytest.raises(ValueError, match=re.escape(in_python)) as refusal:
        measure(given, **settings)
    assert "--" not in str(refusal.value)
    file = "w.npz" if isinstance(given, dict) else "w.npy"
    np.savez(file, **given) if isinstance(given, dict) else np.save(file, given)
    assert at_the_command_line in refused(file, *words)


def test_packed_arrays_of_numpy_are_unpacked(folder):
    W = np.random.default_rng(0).standard_normal((6, 20))
    np.savez_compressed("w.npz", W=W)
    _, found = call("w.npz")
    np.testing.assert_allclose(measured(found), capacities(W), atol=1e-12)


def test_a_views_order_does_not_matter(folder):
    whole = torch.randn(9, 14)
    views = {"t": whole.T, "some": whole[1:7:2, ::3], "one": whole[:, 2:3], "row": whole[4:5]}
    for old in (False, True):
        torch.save(views, "v.pt", _use_new_zipfile_serialization=not old)
        for name, view in views.items():
            _, found = call("v.pt", "--key", name, "--features", "columns")
            np.testing.assert_allclose(
                measured(found), capacities(view.double().numpy()), atol=1e-12
            )


def test_memory_that_does_not_suffice_is_a_sentence(folder, monkeypatch):
    from feature_capacity.measure import stream

    np.save("w.npy", np.ones((3, 5)))
    monkeypatch.setattr(stream, "free_memory", lambda: 1e6)
    sentence = refused("w.npy")
    assert "5 features in 3 dimensions take 0.201 GB" in sentence
    assert "0.001 GB is free; take a larger machine" in sentence
