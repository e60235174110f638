"""Which axis of a tensor is features: known layouts, by the names that libraries give.

A rule is applied to the name without what a wrapper put before it (``module.``, ``model.``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Axis = Literal["rows", "columns"]


@dataclass(frozen=True)
class Layout:
    """How one family of files stores features.

    Attributes
    ----------
    names : str
        Regular expression for the end of a tensor's name, from a dot or the beginning on.
    features : {"rows", "columns"}
    what : str
        Whose layout it is, and what a feature is.
    shown : str
        The name as ``--help`` shows it.
    """

    names: str
    features: Axis
    what: str
    shown: str


LAYOUTS = (
    Layout(r"W_dec", "rows", "SAELens and Gemma Scope: a latent's decoder direction", "W_dec"),
    Layout(r"W_enc", "columns", "SAELens and Gemma Scope: a latent's encoder direction", "W_enc"),
    Layout(
        r"(decoder|dec)\.weight",
        "columns",
        "dictionary_learning, a linear layer from latents to dimensions",
        "decoder.weight",
    ),
    Layout(
        r"(encoder|enc)\.weight",
        "rows",
        "dictionary_learning, a linear layer from dimensions to latents",
        "encoder.weight",
    ),
    Layout(
        r"(embed_tokens|tok_embeddings|word_embeddings|wte|wpe|embed_in|shared|embeddings?|"
        r"position_embeddings)\.weight|W_E|W_pos",
        "rows",
        "an embedding: a token or a place",
        "wte.weight, embed_tokens.weight, W_E",
    ),
    Layout(r"(lm_head|embed_out)\.weight", "rows", "an unembedding: a token", "lm_head.weight"),
    Layout(r"W_U", "columns", "TransformerLens' unembedding: a token", "W_U"),
    Layout(
        r"mlp\.c_fc\.weight|mlp\.W_in",
        "columns",
        "what a neuron of an MLP reads",
        "mlp.c_fc.weight, mlp.W_in",
    ),
    Layout(
        r"mlp\.c_proj\.weight|mlp\.W_out",
        "rows",
        "what a neuron of an MLP writes",
        "mlp.c_proj.weight, mlp.W_out",
    ),
    Layout(
        r"mlp\.(up_proj|gate_proj)\.weight",
        "rows",
        "what a neuron of an MLP reads",
        "mlp.up_proj.weight",
    ),
    Layout(
        r"mlp\.down_proj\.weight",
        "columns",
        "what a neuron of an MLP writes",
        "mlp.down_proj.weight",
    ),
)
"""Known layouts, the first that fits counts."""

TOY_MODEL = "toy-model notebooks: as many features as b_final has entries"
"""The layout of ``W`` beside a bias, which says by its length which axis is features."""

BIAS = "b_final"
"""The bias of the outputs, one a feature; what is only called "b" may be of either side."""


@dataclass(frozen=True)
class Orientation:
    """Which axis is features, why, and what one should look at.

    Attributes
    ----------
    features : {"rows", "columns"}
    why : str
        In words: the layout that was recognized, what was asked for, or the package's own rule.
    remark : str
        What may be wrong with it; empty where nothing is.
    """

    features: Axis
    why: str
    remark: str = ""


def orient(
    name: str,
    shape: tuple[int, ...],
    beside: Mapping[str, tuple[int, ...]] | None = None,
    asked: Axis | None = None,
) -> Orientation:
    """Which of the last two axes of a tensor is features.

    Parameters
    ----------
    name : str
        Of the tensor; empty where it has none.
    shape : tuple of int
        Of the tensor, batch axes first.
    beside : mapping, optional
        Shapes of the other tensors in the file, by name.
    asked : {"rows", "columns"}, optional
        What the user said; it then holds.

    Examples
    --------
    >>> orient("sae.W_dec", (64, 16)).features
    'rows'
    >>> orient("W", (10, 5, 2), {"b_final": (10, 5)}).features
    'rows'
    >>> orient("decoder.weight", (16, 64), asked="rows").why
    'as asked'
    """
    if asked is not None:
        return Orientation(asked, "as asked")
    if name.rpartition(".")[2] == "W" and (found := _by_bias(name, shape, beside or {})):
        return found
    for layout in LAYOUTS:
        if re.search(rf"(^|[./])({layout.names})$", name):
            return Orientation(layout.features, f"the layout of {layout.what}")
    rows, columns = shape[-2:]
    remark = ""
    if rows > columns:
        remark = (
            f"there are more rows ({rows:,}) than columns ({columns:,}); "
            "where features are rows, say --features rows (features='rows' in Python)"
        )
    return Orientation("columns", "the rule where nothing else is known", remark)


def _by_bias(
    name: str, shape: tuple[int, ...], beside: Mapping[str, tuple[int, ...]]
) -> Orientation | None:
    """By the length of the bias that lies beside ``W``, where only one axis has it."""
    bias = beside.get(name.removesuffix("W") + BIAS)
    rows, columns = shape[-2:]
    if not bias or rows == columns or bias[-1] not in (rows, columns):
        return None
    return Orientation("rows" if bias[-1] == rows else "columns", f"the layout of {TOY_MODEL}")


def table() -> str:
    """Known layouts as aligned text, for ``--help``."""
    lines: list[tuple[str, str, str]] = [
        (layout.shown, layout.features, layout.what) for layout in LAYOUTS
    ]
    lines.append(("W beside b_final", "either", TOY_MODEL))
    lines.append(("any other", "columns", "say --features rows where they are rows"))
    width = max(len(name) for name, _, _ in lines)
    return "\n".join(f"{name:<{width}}  {axis:<7}  {what}" for name, axis, what in lines)
