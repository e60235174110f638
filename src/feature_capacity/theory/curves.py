"""Six curves of diminishing returns, from six families, to try allocations on (section 2.2)."""

import numpy as np

CURVES = ("square root", "exponential", "linear", "logistic", "hyperbola", "parabola")
"""What the curves are called, in the order of the features."""


def benefits_of_six(capacity: np.ndarray) -> np.ndarray:
    """Marginal benefits of six features, each of which has a curve of a family of its own.

    Parameters
    ----------
    capacity : array (..., 6) or (..., 1)
        In [0, 1].

    Returns
    -------
    array (..., 6)

    Examples
    --------
    >>> benefits_of_six(np.zeros(6)).round(2)
    array([3.2 , 3.  , 2.3 , 1.99, 1.7 , 0.7 ])
    """
    c = np.moveaxis(np.broadcast_to(capacity, (*np.shape(capacity)[:-1], 6)), -1, 0)
    curves = [
        3.2 - 0.7 * np.sqrt(c[0]),
        3.0 * np.exp(-2.5 * c[1]),
        2.3 - 1.7 * c[2],
        2.0 / (1 + np.exp(9 * (c[3] - 0.6))),
        1.7 / (1 + 5 * c[4]),
        0.7 - 0.5 * c[5] ** 2,
    ]
    return np.stack(curves, axis=-1)
