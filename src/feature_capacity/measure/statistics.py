"""Numbers of a whole matrix, each with what it means and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Statistic:
    """One number of a whole matrix.

    Attributes
    ----------
    name : str
        As in the JSON.
    value : float
        nan where it has none.
    meaning, source : str
    """

    name: str
    value: float
    meaning: str
    source: str

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")


MEANINGS = {
    "total_capacity": (
        "sum of the capacities, at most the rank",
        "Scherlis et al. 2022, equation 3 and appendix F",
    ),
    "rank": ("dimensions that the features reach", "linear algebra"),
    "missing_capacity": (
        "rank less total capacity; 0 where the matrix is efficient, "
        "and what leverage capacities have beyond capacities",
        "Scherlis et al. 2022, section 4.4 and appendix G",
    ),
    "random_total": (
        "total capacity to expect of as many unit vectors in random directions",
        "Beta distribution of squared cosines",
    ),
    "random_total_same_lengths": (
        "at least this is to be expected of vectors of these lengths in random directions",
        "Jensen's inequality",
    ),
    "mean_greatest_cosine": (
        "mean over features of the greatest absolute cosine with another one",
        "mean max cosine similarity, Sharkey et al. 2022, within one matrix",
    ),
    "near_duplicates": (
        "share of features with another one at an absolute cosine above 0.9",
        "this package",
    ),
    "duplicate_cost": (
        "capacity that features would gain, each by itself, without its near-duplicates",
        "this package",
    ),
    "frame_potential": (
        "sum of all squared inner products, as a multiple of the least that these lengths could "
        "have (Welch's bound); 1 for a tight frame",
        "Benedetto and Fickus 2003",
    ),
    "effective_rank": (
        "exponential of the entropy of the singular values: dimensions that count",
        "Roy and Vetterli 2007",
    ),
    "spectral_entropy_rank": (
        "exponential of the entropy of the squared singular values",
        "von Neumann entropy of W W^T",
    ),
    "participation_ratio": (
        "squared sum of the squared singular values over the sum of their squares",
        "participation ratio, as for principal components",
    ),
    "largest_direction": (
        "share of the summed squared lengths along the strongest direction",
        "principal components",
    ),
    "effective_features": (
        "exponential of the entropy of the capacities: features among which capacity is shared",
        "Shannon entropy, as Bereska et al. 2025 use it for activations",
    ),
    "dims_per_feature": (
        "dimensions over the sum of squared lengths",
        "Elhage et al. 2022, D*",
    ),
}
"""What each number means and its source, by name, in the order of the report."""


def spectrum_numbers(squares: np.ndarray, smaller_side: int) -> dict[str, float]:
    """Numbers that follow from the squared singular values.

    Parameters
    ----------
    squares : array
        Squared singular values that are not zero, in any unit.
    smaller_side : int
        The least of dimensions and features.

    Examples
    --------
    >>> numbers = spectrum_numbers(np.array([1.0, 1.0]), 4)
    >>> [round(numbers[name], 12) for name in ("effective_rank", "participation_ratio")]
    [2.0, 2.0]
    >>> round(numbers["frame_potential"], 12)
    2.0
    """
    if not len(squares):
        nan = float("nan")
        return dict.fromkeys(
            ("frame_potential", "effective_rank", "spectral_entropy_rank", "participation_ratio",
             "largest_direction"), nan,
        )  # fmt: skip
    part = squares / squares.sum()
    participation = float(1 / (part**2).sum())
    return {
        "frame_potential": smaller_side / participation,
        "effective_rank": effective_number(np.sqrt(part)),
        "spectral_entropy_rank": effective_number(part),
        "participation_ratio": participation,
        "largest_direction": float(part.max()),
    }


def effective_number(weights: np.ndarray) -> float:
    """Exponential of the Shannon entropy of weights that are first made to sum to 1.

    nan where all are zero.

    >>> round(effective_number(np.array([2.0, 2, 0])), 12)
    2.0
    """
    weights = weights[weights > 0]
    if not len(weights):
        return float("nan")
    part = weights / weights.sum()
    return float(np.exp(-(part * np.log(part)).sum()))


def same_lengths_total(length: np.ndarray, n_dims: int) -> float:
    """Least total capacity to expect of vectors of given lengths in random directions.

    Squared cosines are 1/n_dims on average, and the mean of 1/x is at least 1 over the mean.

    >>> round(same_lengths_total(np.ones(3), 2), 12)
    1.5
    """
    present = length[length > 0]
    if not len(present):
        return 0.0
    sq_norm = (present / present.max()) ** 2
    return float((sq_norm / (sq_norm + (sq_norm.sum() - sq_norm) / n_dims)).sum())
