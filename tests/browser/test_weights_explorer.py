"""Files dropped on the page: what the browser measures, against the package."""

import base64
import csv
import functools
import http.server
import json
import struct
import threading

import numpy as np
import pytest
import safetensors.torch
import torch
from matplotlib.figure import Figure
from safetensors.numpy import save_file

import feature_capacity as fc
from feature_capacity.explorers import weights_explorer
from feature_capacity.explorers.html import module
from feature_capacity.measure.layouts import LAYOUTS, orient
from feature_capacity.measure.measuring import measure
from feature_capacity.measure.random_directions import random_directions

pytestmark = pytest.mark.book

HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title>'
    '<link rel="icon" href="data:,"><main>'
)
AGREEMENT = 1e-5  # what the page promises; rounding of float64 is far below


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """The explorer alone, as a page on a disk."""
    file = tmp_path_factory.mktemp("weights") / "page.html"
    html = weights_explorer(Figure(), "nothing").html
    file.write_text(f"{HEAD}{html}</main></html>", encoding="utf-8")
    return file


@pytest.fixture
def show(browser, page_file):
    """Opens the page; nothing may be asked for but the page and the worker that it makes itself."""
    contexts, troubles = [], []

    def show(address=None, width=1280, **more):
        address = address or page_file.as_uri()
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: asked(r.url, address))
        page.goto(address)
        return page

    def asked(url, address):
        if url != address and not url.startswith("blob:"):
            troubles.append(url)

    yield show
    for context in contexts:
        context.close()
    assert troubles == []


def choose(page, path):
    field = page.get_by_label("a file of weights")
    field.evaluate("field => (field.value = '')")  # as a click on it does
    field.set_input_files(str(path))


def drop(page, path):
    """As a hand does: the bytes go into a file of the page, which is dropped."""
    transfer = page.evaluate_handle(
        """([name, text]) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name));
          return transfer;
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )
    page.dispatch_event(".explorer-drop", "dragover", {"dataTransfer": transfer})
    page.dispatch_event(".explorer-drop", "drop", {"dataTransfer": transfer})


def measured(page, timeout=60_000):
    """The table that a reader can save, the first sentence, and the facts by name."""
    page.wait_for_selector(".explorer-report figure", timeout=timeout)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save all as CSV").click()
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    facts = dict(
        zip(
            page.locator(".explorer-facts dt").all_inner_texts(),
            page.locator(".explorer-facts dd").all_inner_texts(),
            strict=True,
        )
    )
    return rows, page.locator(".explorer-source").inner_text(), facts


def refusal(page):
    page.wait_for_selector(".explorer-refusal")
    return page.locator(".explorer-refusal").inner_text()


def require_equal(rows, W, unit=1.0):
    """The browser's numbers against the package's, for features as columns, in a unit of length."""
    W = np.asarray(W, dtype=np.float64)
    assert len(rows) == W.shape[1]
    capacity = np.array([float(row["capacity"]) for row in rows])
    length = np.array([float(row["length"]) / unit for row in rows])
    np.testing.assert_allclose(capacity, fc.capacities(W), rtol=0, atol=AGREEMENT)
    np.testing.assert_allclose(length, np.linalg.norm(W, axis=0), rtol=AGREEMENT)
    assert [row["phase"] for row in rows] == [row.phase for row in measure(W).rows()]


def random_matrix(shape, seed=0):
    """Features of unlike lengths, a pair, and a zero vector."""
    generator = np.random.default_rng(seed)
    W = generator.standard_normal(shape) * np.exp(generator.normal(size=shape[1]))
    W[:, 1], W[:, 2] = -W[:, 0], 0
    return W


NUMBERS = ("<f2", "<f4", "<f8", ">f4", ">f8")


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_every_kind_of_number_and_order(show, tmp_path, dtype, order):
    page = show()
    for shape in ((7, 30), (30, 7), (1, 5), (9, 9)):
        W = np.array(random_matrix((shape[0], max(shape[1], 3))), dtype=dtype, order=order)
        np.save(tmp_path / "weights.npy", W)
        choose(page, tmp_path / "weights.npy")
        rows, sentence, _ = measured(page)
        require_equal(rows, W)
        assert sentence.startswith(f"weights.npy, {W.shape[0]} x {W.shape[1]}: {W.shape[1]} ")
        page.get_by_text("rows", exact=True).click()
        page.wait_for_selector(".explorer-source:has-text('as chosen')")
        require_equal(measured(page)[0], W.T)


@pytest.mark.parametrize("place", ["disk", "server"])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_dropped_file_of_safetensors(show, tmp_path, page_file, place, kind):
    W = torch.tensor(random_matrix((6, 20)))
    tensors = {"W_dec": W.T.to(kind).contiguous(), "b_dec": torch.zeros(6, dtype=kind)}
    safetensors.torch.save_file(tensors, tmp_path / "sae.safetensors")
    handler = functools.partial(Quiet, directory=str(page_file.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{page_file.name}"
        page = show(address if place == "server" else None)
        drop(page, tmp_path / "sae.safetensors")
        rows, sentence, facts = measured(page)
        server.shutdown()
    expected = tensors["W_dec"].double().numpy().T
    require_equal(rows, expected)
    found = measure(tmp_path / "sae.safetensors")
    assert f"{tmp_path}/{sentence}" == found.source.sentence()
    assert facts["total capacity"].startswith(f"{found.total:.4g} of 6 dimensions")
    assert facts["zero vectors"] == "1, among the ignored"
    for one in found.statistics[1:]:  # the total is said in other words
        if one.label in facts:
            assert facts.pop(one.label) == f"{one.value:.4g}: {one.meaning}", one.name
    assert set(facts) == {"total capacity", "each feature", "at random", "phases", "zero vectors"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_ask_which_array(show, tmp_path, save):
    page = show()
    one, two = random_matrix((4, 11)), random_matrix((5, 8), seed=1)
    save(tmp_path / "several.npz", one=one, bias=np.zeros(4), two=two)
    choose(page, tmp_path / "several.npz")
    page.wait_for_selector(".explorer-status:has-text('holds 2 matrices')")
    assert page.locator(".explorer-report").inner_text() == ""  # none is chosen in silence
    for name, W in (("two", two), ("one", one)):
        page.get_by_label("tensor", exact=True).select_option(
            label=f"{name} ({W.shape[0]} x {W.shape[1]}, F64)"
        )
        page.wait_for_selector(f".explorer-source:has-text('several.npz, {name}')")
        require_equal(measured(page)[0], W)


def test_random_directions_are_those_of_the_package(browser):
    page = browser.new_page()
    page.add_script_tag(content=module("summary"))
    for n, d in ((1, 5), (4, 1), (3, 2), (40, 6), (202, 10), (500, 3), (32_000, 256), (300, 2)):
        found = page.evaluate("([n, d]) => randomDirections(n, d)", [n, d])
        expected = random_directions(n, d)
        limits = [expected.quantiles[level] for level in (0.05, 0.95)]
        # Drawn up to 200 others, by other numbers; beyond that by three moments.
        drawn = 0.03 if n <= 201 else 2e-3
        np.testing.assert_allclose(found["mean"], expected.mean, rtol=drawn)
        np.testing.assert_allclose(found["limits"], limits, rtol=drawn)
    page.close()


def test_tensors_of_an_optimizer_come_last(show, tmp_path):
    page = show()
    W = random_matrix((3, 4))
    names = ["a.exp_avg", "b", "optimizer.c", "d"]
    save_file(dict.fromkeys(names, W), tmp_path / "checkpoint.safetensors")
    choose(page, tmp_path / "checkpoint.safetensors")
    page.wait_for_selector(".explorer-status:has-text('holds 4 matrices')")
    listed = page.locator("select option").all_inner_texts()[1:]
    assert [text.split(" ")[0] for text in listed] == ["b", "d", "a.exp_avg", "optimizer.c"]


def test_an_instance_of_a_batch(show, tmp_path):
    """As toy-model notebooks save theirs: instances, features, dimensions."""
    page = show()
    W = np.stack([random_matrix((6, 4), seed).T for seed in range(3)])
    W = np.ascontiguousarray(W)
    save_file({"W": W, "b_final": np.zeros((3, 4))}, tmp_path / "toy.safetensors")
    choose(page, tmp_path / "toy.safetensors")
    page.wait_for_selector(".explorer-status:has-text('Choose one')")
    page.get_by_label("tensor", exact=True).select_option(label="W (3 x 4 x 6, F64)")
    for number in (0, 2):
        page.get_by_label("instance", exact=True).fill(str(number))
        page.get_by_label("instance", exact=True).press("Enter")
        page.wait_for_selector(f".explorer-source:has-text('W [{number}], 3 x 4 x 6')")
        rows, sentence, _ = measured(page)
        require_equal(rows, W[number].T)
        assert "features are the rows" in sentence
        assert "as many features as b_final has entries" in sentence
    page.get_by_label("instance", exact=True).fill("99")
    page.get_by_label("instance", exact=True).press("Enter")
    assert page.get_by_label("instance", exact=True).input_value() == "2"


def test_layouts_are_those_of_the_package(show, tmp_path):
    page = show()
    names = [one.shown.split(", ")[0] for one in LAYOUTS]
    names += [f"model.{name}" for name in names] + ["weights", "xW_dec", "encoder.weight.old", "W"]
    for name in names:
        save_file({name: random_matrix((7, 5))}, tmp_path / "one.safetensors")
        choose(page, tmp_path / "one.safetensors")
        page.wait_for_selector(f".explorer-source:has-text('one.safetensors, {name}, 7 x 5')")
        told = page.locator(".explorer-source").inner_text()
        found = orient(name, (7, 5))
        assert told.endswith(f"features are the {found.features} ({found.why})"), name
        assert page.locator(".explorer-remark").count() == bool(found.remark)


def test_what_is_not_finite_is_counted_and_left_out(show, tmp_path):
    page = show()
    for shape in ((5, 12), (12, 5)):
        W = random_matrix(shape)
        W[0, 3], W[-1, 4] = np.nan, np.inf
        np.save(tmp_path / "bad.npy", W)
        choose(page, tmp_path / "bad.npy")
        page.wait_for_selector(f".explorer-source:has-text('{shape[0]} x {shape[1]}')")
        rows, _, facts = measured(page)
        assert facts["not finite"] == f"2 features of {shape[1]}, left out: 3, 4"
        good = [i for i in range(shape[1]) if i not in (3, 4)]
        require_equal([rows[i] for i in good], W[:, good])
        assert [(rows[i]["phase"], rows[i]["capacity"]) for i in (3, 4)] == [("left out", "")] * 2


def test_very_large_and_very_small_numbers(show, tmp_path):
    page = show()
    for scale in (1e200, 1e-200):
        W = random_matrix((4, 9))
        np.save(tmp_path / "scaled.npy", W * scale)
        choose(page, tmp_path / "scaled.npy")
        require_equal(measured(page)[0], W, scale)


def bad_files():
    header = json.dumps({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    whole = struct.pack("<Q", len(header)) + header
    yield "empty.npy", b"", "empty.npy is empty."
    yield "text.npy", b"hello, world", "is no whole .npy, .npz or .safetensors file"
    yield "cut.safetensors", whole + b"\0" * 20, "cut.safetensors ends before a does"
    yield "cut.npy", b"\x93NUMPY\x01\x00", "is not a whole NumPy file"
    yield "cut.npz", b"PK\x03\x04 and so on", "cut.npz is not a whole archive"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    yield "pointer.safetensors", pointer, "is a pointer to a file that was not downloaded"


@pytest.mark.parametrize(("name", "content", "told"), list(bad_files()), ids=lambda x: str(x)[:20])
def test_a_bad_file_is_one_sentence_and_the_next_one_is_read(show, tmp_path, name, content, told):
    page = show()
    (tmp_path / name).write_bytes(content)
    choose(page, tmp_path / name)
    assert told in refusal(page)
    np.save(tmp_path / "good.npy", random_matrix((3, 5)))
    choose(page, tmp_path / "good.npy")
    require_equal(measured(page)[0], random_matrix((3, 5)))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "complex64"])
def test_what_are_no_floating_point_numbers_is_refused(show, tmp_path, dtype):
    page = show()
    np.save(tmp_path / "numbers.npy", np.ones((3, 4), dtype=dtype))
    choose(page, tmp_path / "numbers.npy")
    assert "only floating-point numbers" in refusal(page)
    np.save(tmp_path / "vector.npy", np.ones(3))
    choose(page, tmp_path / "vector.npy")
    page.wait_for_selector(".explorer-refusal:has-text('vector.npy holds no matrix.')")


def test_a_file_of_torch_and_one_too_large_are_refused(show, tmp_path):
    page = show()
    torch.save({"W": torch.ones(3, 4)}, tmp_path / "model.pt")
    choose(page, tmp_path / "model.pt")
    assert "save its tensors as .safetensors" in refusal(page)
    large = np.lib.format.open_memmap(
        tmp_path / "large.npy", mode="w+", dtype=np.float16, shape=(7000, 7000)
    )
    del large
    choose(page, tmp_path / "large.npy")
    page.wait_for_selector(".explorer-refusal:has-text('too large to be measured here')")
    assert "7,000 features in 7,000 dimensions" in refusal(page)


@pytest.mark.thorough
@pytest.mark.parametrize("shape", [(256, 100_000), (100_000, 256), (1024, 25_600)])
def test_a_hundred_megabytes(show, tmp_path, shape):
    W = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    np.save(tmp_path / "large.npy", W)
    assert (tmp_path / "large.npy").stat().st_size > 100e6
    page = show()
    choose(page, tmp_path / "large.npy")
    if shape[0] > shape[1]:
        page.get_by_text("rows", exact=True).click()
        W = W.T
    page.wait_for_selector("progress")
    rows, _, _ = measured(page, timeout=600_000)
    capacity = np.array([float(row["capacity"]) for row in rows])
    np.testing.assert_allclose(capacity, fc.capacities(W), rtol=0, atol=AGREEMENT)


def test_a_measurement_can_be_stopped_and_another_begun(show, tmp_path):
    page = show()
    np.save(tmp_path / "slow.npy", np.ones((1500, 3000), dtype=np.float32))
    choose(page, tmp_path / "slow.npy")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".explorer-status:has-text('Stopped.')")
    assert page.locator(".explorer-report").inner_text() == ""
    np.save(tmp_path / "quick.npy", random_matrix((3, 5)))
    choose(page, tmp_path / "quick.npy")
    require_equal(measured(page)[0], random_matrix((3, 5)))


def test_the_example_by_keyboard_alone(show):
    page = show()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "file"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    rows, sentence, _ = measured(page)
    require_equal(rows, [[1, -1, 0], [0, 0, 2]])
    assert sentence.startswith("example.npy, 2 x 3: 3 features in 2 dimensions")
    page.locator("input[type=radio]:checked").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".explorer-source:has-text('features are the rows (as chosen)')")
    require_equal(measured(page)[0], np.array([[1, -1, 0], [0, 0, 2]]).T)


@pytest.mark.parametrize("width", [1280, 390])
def test_readers_of_all_kinds_can_use_it(show, tmp_path, width):
    from axe_playwright_python.sync_playwright import Axe

    page = show(width=width)
    np.save(tmp_path / ("a" * 60 + ".npy"), random_matrix((20, 300)))
    choose(page, tmp_path / ("a" * 60 + ".npy"))
    measured(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rules = {"page-has-heading-one": {"enabled": False}}
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules}).response
    assert [(v["id"], n["html"][:120]) for v in found["violations"] for n in v["nodes"]] == []
