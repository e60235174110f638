"""What the pages of section 3.7 share: colors of nonlinearities, curves by model, their key."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .._style import BLACK, FEATURE_COLORS, book_style
from .map_tables import bar_below, capacity_map
from .maps import CHANCE, VARIED
from .panels import Map, small_multiples

ACTIVATION_COLORS = dict(
    zip(("quadratic", "ReLU", "GELU", "tanh", "|x|"), FEATURE_COLORS, strict=False)
)
"""One color per nonlinearity."""

_STYLES = {"computation": "-", "autoencoder": (0, (3, 1.6))}

Curves = Mapping[tuple[str, str], np.ndarray]
"""Values by kind of model and name of nonlinearity."""


def curves_by_model(ax: Axes, x: np.ndarray, curves: Curves, **style: Any) -> None:
    """One line for each model and nonlinearity: the color tells the second, dashes the first."""
    for (model, name), values in curves.items():
        color = ACTIVATION_COLORS[name]
        ax.plot(x, values, color=color, ls=_STYLES[model], lw=1.5, **style)


def key_of_curves(fig: Figure, curves: Iterable[tuple[str, str]]) -> None:
    """The key of `curves_by_model`, above all panels."""
    models, names = (dict.fromkeys(column) for column in zip(*curves, strict=True))
    lines = [Line2D([], [], color=ACTIVATION_COLORS[n], lw=2, label=n) for n in names]
    lines += [Line2D([], [], color=BLACK, ls=_STYLES[m], lw=1.3, label=m) for m in models]
    fig.legend(handles=lines, loc="outside upper center", ncols=len(lines), handlelength=2.2)


@book_style
def gallery(maps: Mapping[str, Map]) -> Figure:
    """Capacity maps by title, as in Figure 7, row after row."""
    fig, axes = small_multiples(len(maps), min(4, len(maps)), 6.2, 1.75, 1.25, sharey=True)
    for ax, (title, picture) in zip(axes.flat, maps.items(), strict=False):
        image = capacity_map(ax, picture)
        ax.set_title(title, fontsize=9)
        ax.tick_params(labelbottom=ax in axes[-1])
    axes[-1, 1].set_xlabel(VARIED)
    fig.supylabel(CHANCE, size=10)
    bar_below(image, axes)
    return fig
