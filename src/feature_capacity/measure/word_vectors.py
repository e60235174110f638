"""Word vectors to measure: those that the package wordllama ships, read without importing it.

Its license is MIT.  The vectors are static: one for each of 32,000 tokens, trained so that the mean
over a text says what the text is about.  Their training began with the token tables of Llama 2 70B,
Phi 3 medium and other models of the same vocabulary.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .._arrays import require_whole
from .._lazy import need

N_TOKENS = 32_000
"""How many vectors there are."""

TENSOR = "embedding.weight"
"""What the file calls them."""


@dataclass(frozen=True)
class WordVectors:
    """Some of the vectors, and what each stands for.

    Attributes
    ----------
    file : Path
        Where they are read from.
    vectors : float16 array (n_tokens, 256)
    tokens : tuple of str
        As the vocabulary writes them: a space before a word is a low bar.
    """

    file: Path
    vectors: np.ndarray
    tokens: tuple[str, ...]


def word_vectors(n_tokens: int = N_TOKENS) -> WordVectors:
    """The vectors of the first tokens: single bytes, and then pieces of words, common ones first.

    Raises
    ------
    ModuleNotFoundError
        Where wordllama is not installed; it comes with the extra `book`.
    ValueError
        For fewer tokens than 1 or more than there are.

    Examples
    --------
    >>> some = word_vectors(300)  # doctest: +SKIP
    >>> some.vectors.shape, some.tokens[299]  # doctest: +SKIP
    ((300, 256), 'ed')
    """
    n_tokens = require_whole(
        n_tokens, "n_tokens", 1, N_TOKENS, f"a whole number from 1 to {N_TOKENS}"
    )
    need("book", "the matrix of word vectors", "wordllama")
    from safetensors import safe_open

    spec = find_spec("wordllama")  # importing it would load a tokenizer
    assert spec is not None
    folder = Path(next(iter(spec.submodule_search_locations or ())))
    file = folder / "weights" / "l2_supercat_256.safetensors"
    with safe_open(file, framework="np") as archive:
        vectors = archive.get_slice(TENSOR)[:n_tokens]
    vocabulary = folder / "tokenizers" / "l2_supercat_tokenizer_config.json"
    numbers = json.loads(vocabulary.read_text(encoding="utf-8"))["model"]["vocab"]
    names = {number: token for token, number in numbers.items()}
    return WordVectors(file, vectors, tuple(names[i] for i in range(n_tokens)))
