"""The word vectors that the page measures: read from the package, without importing it."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from feature_capacity.measure.measuring import measure
from feature_capacity.measure.word_vectors import TENSOR, word_vectors

needs_wordllama = pytest.mark.skipif(
    find_spec("wordllama") is None, reason="wordllama comes with the extra book"
)


@needs_wordllama
def test_vectors_and_tokens_belong_together():
    words = word_vectors(20_000)
    assert words.vectors.shape == (20_000, 256)
    assert len(set(words.tokens)) == 20_000
    place = {token: i for i, token in enumerate(words.tokens)}
    directions = words.vectors.astype(float)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)

    def nearest(word):
        cosines = directions @ directions[place[f"\u2581{word}"]]
        return {words.tokens[i].strip("\u2581").lower() for i in np.argsort(-cosines)[:10]}

    assert {"girl", "child"} <= nearest("daughter")
    assert {"april", "july"} & nearest("June")


@needs_wordllama
def test_a_part_is_the_beginning_of_the_whole():
    np.testing.assert_array_equal(word_vectors(400).vectors, word_vectors().vectors[:400])


@needs_wordllama
def test_tokens_are_the_features():
    found = measure({TENSOR: word_vectors(500).vectors})
    assert (found.n_features, found.n_dims) == (500, 256)


@needs_wordllama
def test_the_package_itself_is_not_imported():
    code = (
        "import sys; from feature_capacity.measure.word_vectors import word_vectors;"
        "word_vectors(300); print('wordllama' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_more_than_there_are_and_none_are_refused():
    for n_tokens in (0, 32_001, 2.5):
        with pytest.raises(ValueError, match="n_tokens must be a whole number from 1 to 32000"):
            word_vectors(n_tokens)


def test_without_the_package_the_line_to_type_is_said(monkeypatch):
    monkeypatch.setattr("feature_capacity._lazy.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"needs wordllama, .*feature-capacity\[book\]"):
        word_vectors(300)
