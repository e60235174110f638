"""Figures of Appendix E: capacity as a squared correlation."""

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, FEATURE_COLORS, MUTED, book_style
from .panels import Pairs, lettered


@book_style
def readout_scatter(
    x: np.ndarray, readout: np.ndarray, capacity: np.ndarray, slope: np.ndarray
) -> plt.Figure:
    """Readouts of a few features against the features, with the regression lines.

    Parameters
    ----------
    x, readout : arrays (n_samples, n_panels)
        In standard deviations.
    capacity, slope : arrays (n_panels,)
    """
    fig, axes = plt.subplots(1, len(capacity), figsize=(6.8, 2.9), sharex=True, sharey=True)
    edge = 1.1 * max(abs(x).max(), abs(readout).max())
    for i, ax in enumerate(axes):
        ax.plot(x[:, i], readout[:, i], ".", color=BLUE, ms=4, alpha=0.4, mew=0, rasterized=True)
        ends = np.array([-edge, edge])
        ax.plot(ends, slope[i] * ends, color=BLACK, lw=1.4)
        ax.set_title(f"$C_i$ = {capacity[i]:.2f}")
        ax.set(xlim=ends, ylim=ends, aspect="equal", xlabel="feature $x_i$")
    axes[0].set_ylabel(r"readout $(W^TWx)_i$")
    return fig


@book_style
def correlations(
    capacity: np.ndarray, sampled: Pairs[str], strength: np.ndarray, squared: np.ndarray
) -> plt.Figure:
    """Squared correlations: uncorrelated inputs on the left, correlated ones on the right.

    Parameters
    ----------
    capacity : array (n_features,)
    sampled : pairs of arrays (n_features,) by name of the inputs
        Sampled squared correlation, and four standard errors.
    strength : array (n,)
        Correlation between any two features.
    squared : array (n, n_features)
    """
    fig, (left, right) = lettered(1, 2, figsize=(7.0, 3.5))
    left.plot([0, 1], [0, 1], color=BLACK, lw=1)
    inks = (BLACK, MUTED, "white")  # not those of features on the right
    marks = zip(sampled.items(), inks, "osD", (-0.012, 0, 0.012), strict=False)
    for (name, (estimate, error)), color, mark, shift in marks:
        style = {"mfc": color, "mec": BLACK, "ecolor": MUTED, "ms": 4.5, "capsize": 2, "lw": 1.2}
        left.errorbar(capacity + shift, estimate, error, fmt=mark, label=name, **style)
    left.set(xlim=(0, 1.04), ylim=(0, 1.04), xlabel="capacity $C_i$")
    left.set_ylabel(r"sampled $\rho^2(x_i,\,(W^TWx)_i)$")
    left.legend(loc="upper left", fontsize=8.5)
    for i, color in zip(range(squared.shape[1]), FEATURE_COLORS * 2, strict=False):
        right.plot(strength, squared[:, i], color=color)
        right.plot(0, capacity[i], "o", color=color, ms=6, clip_on=False, zorder=3)
    right.set(xlim=(0, strength[-1]), ylim=(0, 1.04))
    right.set(xlabel="correlation between inputs", ylabel=r"$\rho^2$;   dots: $C_i$")
    return fig
