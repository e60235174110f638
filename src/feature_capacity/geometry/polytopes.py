"""Named arrangements of unit vectors, the shapes that features in superposition settle into.

All of them are efficient: their vectors are spread evenly over all directions
(:math:`W W^T = (n/d) I`), so every feature has capacity d / n.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from .._arrays import ArrayLike, float64, require, require_finite, require_known


def polytope(name: str) -> np.ndarray:
    """Unit vectors of a named arrangement as columns, shape (n_dims, n_features).

    The names are in ``POLYTOPES``.  "square antiprism" has the height at which it is efficient
    (z = 1 / sqrt(3)), which is not that of the antiprism with equal edges.

    >>> polytope("antipodal pair")
    array([[ 1., -1.]])
    >>> (polytope("triangle") @ polytope("triangle").T).round(12)
    array([[1.5, 0. ],
           [0. , 1.5]])
    """
    require_known("polytope", name, _MAKERS)
    return _MAKERS[name]()


def polytope_edges(corners: np.ndarray) -> list[tuple[int, int]]:
    """Edges of the convex hull of points in the plane or in space, given as columns.

    An edge joins two corners that have at least d - 1 faces in common.

    >>> len(polytope_edges(polytope("cube")))
    12
    """
    from scipy.spatial import ConvexHull, QhullError

    corners = float64(corners, "corners")
    require(
        corners.ndim == 2 and len(corners) in (2, 3),
        f"corners must have shape (2 or 3, n_corners); got {corners.shape}",
    )
    require_finite(np, corners, "corners")
    try:
        hull = ConvexHull(corners.T)
    except QhullError as error:
        raise ValueError(
            f"corners must span their space; got {corners.shape[1]} points without a hull in it: "
            "give more points, not all in one plane"
        ) from error
    # Qhull cuts every face into simplices: those of one face share the equation of its plane.
    faces: dict[tuple[float, ...], set[int]] = {}
    for simplex, plane in zip(hull.simplices, hull.equations.round(6) + 0.0, strict=True):
        faces.setdefault(tuple(plane), set()).update(simplex.tolist())
    return [
        (i, j)
        for i, j in combinations(range(corners.shape[1]), 2)
        if sum({i, j} <= face for face in faces.values()) >= len(corners) - 1
    ]


def _polygon(n: int, turn: float = 0.0) -> np.ndarray:
    angle = turn + 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle)])


def _tetrahedron() -> np.ndarray:
    signs = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    return np.array(signs, dtype=float).T / np.sqrt(3)


def _cube() -> np.ndarray:
    signs = np.array(np.meshgrid([1, -1], [1, -1], [1, -1])).reshape(3, -1)
    return signs / np.sqrt(3)


def _square_antiprism() -> np.ndarray:
    # Efficient when the squared heights of the eight vectors sum to 8/3.
    z, r = 1 / np.sqrt(3), np.sqrt(2 / 3)
    squares = np.concatenate([_polygon(4), _polygon(4, turn=np.pi / 4)], axis=1)
    return np.vstack([r * squares, np.repeat([z, -z], 4)])


def _icosahedron() -> np.ndarray:
    golden = (1 + np.sqrt(5)) / 2
    face = np.array([[0, a, b * golden] for a in (1, -1) for b in (1, -1)])
    corners = np.concatenate([np.roll(face, shift, axis=1) for shift in range(3)])
    return corners.T / np.sqrt(1 + golden**2)


_MAKERS = {
    "antipodal pair": lambda: np.array([[1.0, -1.0]]),
    "triangle": lambda: _polygon(3),
    "square": lambda: _polygon(4),
    "pentagon": lambda: _polygon(5),
    "hexagon": lambda: _polygon(6),
    "tetrahedron": _tetrahedron,
    "octahedron": lambda: np.concatenate([np.eye(3), -np.eye(3)], axis=1),
    "cube": _cube,
    "square antiprism": _square_antiprism,
    "icosahedron": _icosahedron,
}

POLYTOPES = tuple(_MAKERS)
"""Names that `polytope` knows."""


def in_the_plane(degrees: ArrayLike, lengths: ArrayLike = 1.0) -> np.ndarray:
    """Vectors of given directions and lengths as columns, shape (2, n_features).

    >>> in_the_plane([0, 90, 180], [1, 2, 1]).round(12) + 0.0
    array([[ 1.,  0., -1.],
           [ 0.,  2.,  0.]])
    """
    angle = np.radians(float64(degrees, "degrees"))
    return float64(lengths, "lengths") * np.stack([np.cos(angle), np.sin(angle)])


def four_in_a_plane(sq_norm: ArrayLike) -> np.ndarray:
    """Balanced embeddings (..., 2, 4) of squared lengths (sq_norm, 1, 1, 1), the first up to 3.

    In a plane balance is a closed polygon: with all angles doubled, the vectors
    n_i (cos 2 theta_i, sin 2 theta_i) add up to zero.  Beyond 3 the first vector stays at right
    angles to the others (section 4.5).

    >>> (four_in_a_plane(3.0) ** 2).round(9)
    array([[0., 1., 1., 1.],
           [3., 0., 0., 0.]])
    """
    n = float64(sq_norm, "sq_norm")
    half = np.arccos(np.clip((1 - n) / 2, -1, 1)) / 2
    angles = np.pi / 2, 0, np.pi / 2 + half, 3 * np.pi / 2 - half
    angle = np.stack(np.broadcast_arrays(*angles), axis=-1)
    length = np.sqrt(np.stack(np.broadcast_arrays(n, 1, 1, 1), axis=-1))
    return np.stack([length * np.cos(angle), length * np.sin(angle)], axis=-2)
