"""Fuzzed calls of the public names: plain arguments, how they are dressed, how they are spoiled.

A recipe makes arguments as float64 arrays and a check of what comes back.  They are then handed
over as lists, arrays, reversed views or tensors, in one precision; some are scaled to the edge of
floating point; and one may be replaced by what no function takes.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

import feature_capacity as fc
from feature_capacity.solvers.result import ConvergenceError

from . import oracle
from .oracle import exact
from .tally import generator

PACKAGE = Path(fc.__file__).parent
LONGEST_MESSAGE = 500
TOLERANCE = {np.float64: 1e-9, np.float32: 3e-4}
TYPES = {np.float64: torch.float64, np.float32: torch.float32}


@dataclass
class Call:
    """One call, before it is made.

    Attributes
    ----------
    arrays, others : dict
        Arguments that are numbers to be dressed, and those handed over as they are.
    check : callable
        From the exact arrays, by name, and the result to complaints; "" if it is right.
    """

    name: str
    arrays: dict[str, np.ndarray]
    others: dict[str, object]
    check: Callable[..., str]
    call: Callable[..., object] | None = None
    spread: bool = False  # handed over by place
    torch: bool = True  # whether tensors are taken
    extreme: tuple[str, ...] = ()  # what may be scaled to the edge
    dtype: type = np.float64
    notes: list[str] = field(default_factory=list)
    wanted: str = "right"  # or "refused"; "either" of them; "any" answer, or refused

    def __str__(self) -> str:
        given = ", ".join(f"{k}={_short(v)}" for k, v in (self.arrays | self.others).items())
        return f"{self.name}({given}) [{'; '.join(self.notes) or 'plain'}; {self.wanted}]"


def _short(value) -> str:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = value.tolist()
    text = " ".join(repr(value).split())
    return text if len(text) < 160 else f"{text[:160]}…"


# ------------------------------------------------------------------------------------- comparing


def plain(x) -> np.ndarray:
    """A result as float64."""
    return np.asarray(x.detach().cpu().numpy() if torch.is_tensor(x) else x, dtype=np.float64)


def differs(found, wanted, scale=1, *, tolerance=1e-9, dtype=np.float64, what="") -> str:
    """Say how numbers differ from exact ones by more than a part of the scale; "" if they do not.

    What exceeds the range of the precision may be infinite.
    """
    found, wanted = plain(found).ravel(), np.asarray(wanted, dtype=object)
    scales = np.broadcast_to(np.asarray(scale, dtype=object), wanted.shape).ravel()
    wanted = wanted.ravel()
    if found.shape != wanted.shape:
        return f"{what} has {found.size} numbers instead of {wanted.size}"
    info = np.finfo(dtype)
    for i, (a, b, size) in enumerate(zip(found, wanted, scales, strict=True)):
        if np.isnan(a):
            return f"{what}[{i}] is nan instead of {float_of(b):.6g}"
        if np.isinf(a):
            if abs(b) < Fraction(float(info.max)) * (1 - Fraction(1, 10**3)):
                return f"{what}[{i}] is {a} instead of {float_of(b):.6g}"
            continue
        slack = Fraction(float(tolerance)) * abs(size) + Fraction(float(info.tiny)) * 64
        if abs(Fraction(float(a)) - b) > slack:
            return f"{what}[{i}] is {a!r} instead of {float_of(b)!r}"
    return ""


def float_of(x) -> float:
    try:
        return float(x)
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def per_row(function, *arrays) -> list:
    """A function of the last axis of each, over their common batch."""
    batch = np.broadcast_shapes(*(x.shape[:-1] for x in arrays))
    wide = [np.broadcast_to(x, (*batch, x.shape[-1])).reshape(-1, x.shape[-1]) for x in arrays]
    return [function(*row) for row in zip(*wide, strict=True)]


# --------------------------------------------------------------------------------------- numbers


def numbers(rng, shape, low=None):
    """Small whole numbers with zeros, normal ones, or many decades."""
    kind = rng.integers(3)
    if kind == 0:
        x = rng.integers(-2, 3, shape).astype(float)
    elif kind == 1:
        x = rng.standard_normal(shape)
    else:
        x = rng.choice([-1, 1], shape) * 10.0 ** rng.uniform(-3, 3, shape)
    return np.abs(x) if low == 0 else x


def matrix(rng, batch=True):
    shape = (*rng.integers(1, 4, rng.choice([0, 0, 1]) if batch else 0), rng.integers(1, 5))
    return numbers(rng, (*shape, rng.integers(1, 7)))


def importances(rng, n=None, batch=True):
    shape = (*rng.integers(1, 4, rng.choice([0, 0, 1]) if batch else 0),)
    return numbers(rng, (*shape, n or rng.integers(1, 8)), low=0)


def a_kurtosis(rng):
    usual = [1.0, 1.8, 3.0, 9.0, 1 + rng.random(), 3 + rng.random(), 10 ** rng.uniform(0.5, 6)]
    return np.asarray(rng.choice([*usual, 3 + 1e-9, 3 - 1e-9]))


def kurtosis_of_rows(rng, v):
    """A number, one a feature (all alike), or one a row of shape (rows, 1)."""
    kind = rng.integers(4)
    if kind == 0:
        return np.full(v.shape[-1], a_kurtosis(rng))
    if kind == 1:
        rows = v.shape[0] if v.ndim > 1 else rng.integers(1, 4)
        return np.array([[float(a_kurtosis(rng))] for _ in range(rows)])
    return a_kurtosis(rng)


def capacity_shares(rng, shape):
    C = rng.random(shape)
    return np.where(rng.random(shape) < 0.3, np.round(C), C)


# --------------------------------------------------------------------------------------- recipes


def _of_matrix(name, function):
    def recipe(rng):
        def check(a, found, tolerance, dtype):
            wanted, scale = function(exact(a["W"]))
            return differs(found, wanted, scale, tolerance=tolerance, dtype=dtype, what=name)

        return Call(name, {"W": matrix(rng)}, {}, check, extreme=("W",))

    return recipe


def _capacities(W):
    return [oracle.capacities(w) for w in oracle.each(W)], 1


def _total(W):
    return [sum(oracle.capacities(w)) for w in oracle.each(W)], W.shape[-2]


def _interference(W):
    found = [oracle.interference(w) for w in oracle.each(W)]
    own = [[oracle.squares(w)[i, i] for i in range(w.shape[1])] for w in oracle.each(W)]
    return found, np.array(found, dtype=object) + np.array(own, dtype=object)


def leverage(rng):
    def check(a, found, tolerance, dtype):
        score = plain(found)
        if not ((score >= 0) & (score <= 1 + tolerance)).all():
            return f"scores leave [0, 1]: {score.tolist()}"
        W = exact(a["W"])
        lower = np.array([oracle.capacities(w) for w in oracle.each(W)], dtype=float)
        if (score.reshape(lower.shape) < lower - 1e-5).any():
            return f"scores {score.tolist()} are below capacities {lower.tolist()}"
        whole = np.abs(score.sum(-1) - np.round(score.sum(-1)))
        return "" if (whole < 100 * tolerance).all() else f"ranks {score.sum(-1).tolist()}"

    return Call("leverage_capacities", {"W": matrix(rng)}, {}, check, extreme=("W",))


def solve(rng):
    v = importances(rng)
    n_dims = int(rng.integers(1, v.shape[-1] + 1))
    a = {"importance": v, "kurtosis": kurtosis_of_rows(rng, v)}
    return Call("solve_allocation", a, {"n_dims": n_dims}, _allocation_check(n_dims),
                extreme=("importance", "kurtosis"))  # fmt: skip


def _allocation_check(n_dims):
    def check(a, found, tolerance, dtype):
        v, every_k = np.broadcast_arrays(exact(a["importance"]), exact(a["kurtosis"]))
        rows = v.reshape(-1, v.shape[-1])
        C = plain(found.capacity).reshape(rows.shape)
        if not ((C >= 0) & (C <= 1)).all():
            return f"capacities leave [0, 1]: {C.tolist()}"
        for i, (row, k) in enumerate(zip(rows, every_k.reshape(rows.shape)[:, 0], strict=True)):
            loose = tolerance
            if k != 3:  # equation (15) divides by k - 3
                loose += min(1.0, 64 * np.finfo(dtype).eps / abs(float(k) - 3))
            budget = min(n_dims, sum(x > 0 for x in row))
            said = differs(C[i].sum(), [budget], n_dims, tolerance=tolerance, what="sum")
            wanted = oracle.allocation(row, n_dims, k)
            some, right = (C[i], wanted) if k > 3 else (np.sort(C[i]), sorted(wanted))
            positive = [x for x in row if x > 0]
            decided = k != 3 or len(set(positive)) == len(positive)  # else equal ones may share
            if decided and (k > 1 or budget == n_dims):
                said = said or differs(some, right, tolerance=loose, what="capacity")
            loss = sum(oracle.rest_of_loss(*pair, k) for pair in zip(wanted, row, strict=True))
            scale = (k - 1) * sum(x**2 for x in row)
            got = plain(found.loss).ravel()[i]
            said = said or differs(got, [loss], scale, tolerance=loose, dtype=dtype, what="loss")
            if said:
                return f"{said} (importance {[float(x) for x in row]})"
        return "" if np.isfinite(plain(found.sq_norm)).all() else "a length is not finite"

    return check


def residuals(rng):
    call = solve(rng)
    n_dims = call.others["n_dims"]

    def check(a, found, tolerance, dtype):
        worst = float(np.max(plain(found)))
        return "" if worst <= max(tolerance, 1e-10) else f"the residual is {worst!r}"

    def of_solution(importance, kurtosis):
        return fc.kkt_residuals(fc.solve_allocation(importance, n_dims, kurtosis))

    return Call("kkt_residuals", call.arrays, {}, check, call=of_solution, extreme=("importance",))


def losses(rng):
    W = matrix(rng)
    v = importances(rng, W.shape[-1], batch=False)
    a = {"W": W, "importance": v, "kurtosis": a_kurtosis(rng)}
    name = str(rng.choice(["expected_loss", "loss_terms", "best_bias"]))
    if name == "best_bias":
        del a["kurtosis"]
    elif name == "expected_loss" and rng.random() < 0.5:
        a["bias"] = np.asarray(rng.standard_normal())

    def check(a, found, tolerance, dtype):
        rows = [_loss_terms(w, a) for w in oracle.each(exact(a["W"]))]
        terms, scales = zip(*rows, strict=True)
        compare = {"tolerance": tolerance, "dtype": dtype}
        if name == "best_bias":
            return differs(found, [t[2] for t in terms], [s[2] for s in scales], **compare)
        if name == "loss_terms":
            true, hallucinated = found
            said = differs(true, [t[0] for t in terms], [s[0] for s in scales], **compare)
            return said or differs(
                hallucinated, [t[1] for t in terms], [s[1] for s in scales], **compare
            )
        extra = [Fraction(0)] * len(terms)
        more = extra
        if "bias" in a:
            b = exact(a["bias"])[()]
            extra = [(b - t[2]) ** 2 for t in terms]
            more = [(abs(b) + s[2]) ** 2 for s in scales]
        wanted = [t[0] + t[1] + e for t, e in zip(terms, extra, strict=True)]
        size = [s[0] + s[1] + m for s, m in zip(scales, more, strict=True)]
        return differs(found, wanted, size, **compare)

    return Call(name, a, {}, check, extreme=tuple(a))


def _loss_terms(W, a):
    """True and hallucinated terms of equation (12), the best bias, and the sizes of all three."""
    v, k = exact(a["importance"]), exact(a.get("kurtosis", 1.0))[()]
    pairs, n = oracle.squares(W), [sum(column**2) for column in W.T]
    both = list(zip(n, v, strict=True))
    true, size = (
        (k - 1) * sum((x - y) ** 2 for x, y in both),
        (k - 1) * sum((x + y) ** 2 for x, y in both),
    )
    every = sum(map(sum, pairs))
    apart = every - sum(pairs[i, i] for i in range(len(n)))
    return (true, 2 * apart, sum(v) - sum(n)), (size, 2 * every, sum(v) + sum(n))


def of_features(rng):
    n = int(rng.integers(1, 7))
    C, v = capacity_shares(rng, n), importances(rng, n)
    name = str(rng.choice(list(_FEATURE)))
    a = {"capacity": C, "importance": v, "kurtosis": a_kurtosis(rng)}
    if name == "loss_from_capacities":
        a["sq_norm"] = np.where(C > 0, numbers(rng, n, low=0), 0.0)
    if name == "marginal_benefit_at":
        a = {"capacity": np.where(C > 0, C, 1.0), "sq_norm": numbers(rng, n, low=0)}

    def check(a, found, tolerance, dtype):
        wanted, scale = _FEATURE[name]({k: exact(x) for k, x in a.items()})
        return differs(found, wanted, scale, tolerance=tolerance, dtype=dtype, what=name)

    return Call(name, a, {}, check, extreme=tuple(sorted(set(a) - {"capacity"})))


def _by_feature(function):
    def rows(a):
        k = a["kurtosis"][()]
        found = per_row(
            lambda *row: [function(*x, k) for x in zip(*row, strict=True)],
            a["capacity"],
            a["importance"],
        )
        return found, np.abs(np.array(found, dtype=object))

    return rows


def _loss_from_capacities(a):
    k = a["kurtosis"][()]

    def one(C, v, n):
        crowd = [x * x / c if c else Fraction(0) for c, x in zip(C, n, strict=True)]
        first = sum((k - 1) * (x - y) ** 2 for x, y in zip(n, v, strict=True))
        size = sum((k - 1) * (x + y) ** 2 for x, y in zip(n, v, strict=True))
        own = 2 * sum(x * x for x in n)
        return first - own + 2 * sum(crowd), size + own + 2 * sum(crowd)

    rows = per_row(one, a["capacity"], a["importance"], a["sq_norm"])
    return [row[0] for row in rows], [row[1] for row in rows]


def _rate_at(a):
    found = [2 * (n / C) ** 2 for C, n in zip(a["capacity"], a["sq_norm"], strict=True)]
    return found, found


def _marginal(C, v, k):
    if C == 1:  # the limit, also at k = 1
        return 2 * v**2
    return 2 * ((k - 1) * v / ((k - 3) * C + 2)) ** 2


_FEATURE = {
    "best_sq_norm": _by_feature(oracle.length),
    "marginal_benefit": _by_feature(_marginal),
    "loss_at_best_lengths": _by_feature(oracle.rest_of_loss),
    "loss_from_capacities": _loss_from_capacities,
    "marginal_benefit_at": _rate_at,
}


def classification(rng):
    def check(a, found, tolerance, dtype):
        wanted = [0 if c <= 1e-9 else 2 if c >= 1 - 1e-9 else 1 for c in a["capacity"]]
        return "" if plain(found).tolist() == wanted else f"phases {found} instead of {wanted}"

    return Call("classify", {"capacity": capacity_shares(rng, rng.integers(1, 6))}, {}, check)


def diagram(rng):
    n = int(rng.integers(2, 7))
    d, a = int(rng.integers(1, n)), {"importance_1": numbers(rng, 3, low=0)}
    a["kurtosis"] = np.array([float(a_kurtosis(rng)) for _ in range(2)])

    def check(a, found, tolerance, dtype):
        for i, k in enumerate(exact(a["kurtosis"])):
            for j, v in enumerate(exact(a["importance_1"])):
                row = [v] + [Fraction(1)] * (n - 1)
                if v == 1 and k <= 3:
                    continue  # all features alike: others are as good
                loose = tolerance + (64 * np.finfo(dtype).eps / abs(float(k - 3)) if k != 3 else 0)
                wanted = oracle.allocation(row, d, k)[0]
                said = differs(
                    plain(found.capacity)[i, j],
                    [wanted],
                    tolerance=min(loose, 1.0),
                    what="capacity",
                )
                if said:
                    return f"{said} at importance {float(v)!r}, kurtosis {float(k)!r}"
        return ""

    others = {"n_features": n, "n_dims": d}
    return Call("phase_diagram", a, others, check, extreme=("importance_1", "kurtosis"))


def block_sets(rng):
    W, tolerance = matrix(rng, batch=False), float(rng.choice([1e-6, 1e-3, 0.1]))

    def check(a, found, _, dtype):
        wanted = oracle.blocks(exact(a["W"]), tolerance)
        got = [list(block.features) for block in found]
        if wanted is not None and sorted(got) != wanted:
            return f"blocks {got} instead of {wanted}"
        finite = all(np.isfinite([block.scale, block.deviation]).all() for block in found)
        return "" if finite else f"not finite: {found}"

    others = {"tolerance": tolerance}
    return Call("blocks", {"W": W}, others, check, extreme=("W",))


def efficiency(rng):
    W = fc.polytope(str(rng.choice(fc.POLYTOPES))) if rng.random() < 0.5 else matrix(rng, False)

    def check(a, found, _, dtype):
        missing = len(a["W"]) - float(sum(oracle.capacities(exact(a["W"]))))
        if abs(missing - 1e-6) < 1e-7 or found is (missing <= 1e-6):
            return ""
        return f"{found}, and {missing!r} of the capacity is missing"

    return Call("is_efficient", {"W": W}, {}, check, extreme=("W",))


def product(rng):
    parts = {f"W{i}": matrix(rng, batch=False) for i in range(rng.integers(1, 4))}

    def check(a, found, _, dtype):
        wanted = np.zeros(np.sum([x.shape for x in a.values()], axis=0))
        row = column = 0
        for x in a.values():
            wanted[row : row + x.shape[0], column : column + x.shape[1]] = x
            row, column = row + x.shape[0], column + x.shape[1]
        return "" if np.array_equal(found, wanted) else f"{found.tolist()}"

    return Call("tegum_product", parts, {}, check, spread=True, extreme=("W0",))


def named_polytope(rng):
    name = str(rng.choice(fc.POLYTOPES))

    def check(a, W, _, dtype):
        return _semiorthogonal(W, W.shape[1] / W.shape[0])

    return Call("polytope", {}, {"name": name}, check)


def _semiorthogonal(W, scale=1.0) -> str:
    away = float(np.abs(W @ W.T - scale * np.eye(len(W))).max())
    return "" if away <= 1e-9 * scale else f"W W^T differs from {scale:g} I by {away!r}"


def from_capacities(rng):
    n = int(rng.integers(1, 9))
    C = capacity_shares(rng, n)
    C[-1] = np.ceil(C[:-1].sum()) - C[:-1].sum() or 1.0
    generate = rng.random() < 0.5

    def check(a, W, _, dtype):
        return _semiorthogonal(W) or differs(
            (W**2).sum(axis=0), exact(a["capacity"]), tolerance=2e-9, what="length"
        )

    others = {"generator": np.random.default_rng(3) if generate else None}
    return Call("embedding_from_capacities", {"capacity": C}, others, check)


def best_embedding(rng):
    call = solve(rng)
    call.arrays["importance"] = v = importances(rng, batch=False)
    call.arrays["kurtosis"] = a_kurtosis(rng)
    n_dims = int(rng.integers(1, len(v) + 1))

    def of_solution(importance, kurtosis):
        solution = fc.solve_allocation(importance, n_dims, kurtosis)
        return solution, fc.optimal_embedding(solution)

    def check(a, found, tolerance, dtype):
        solution, W = found
        if not np.isfinite(W).all():
            return "an entry is not finite"
        allotted = np.where(plain(solution.sq_norm) > 0, plain(solution.capacity), 0.0)
        return differs(
            [float(c) for c in oracle.capacities(exact(W))],
            exact(allotted), tolerance=1e-7 if dtype is np.float64 else 1e-3, what="capacity",
        )  # fmt: skip

    return Call("optimal_embedding", call.arrays, {}, check, call=of_solution,
                extreme=("importance",))  # fmt: skip


def shared_budget(rng):
    v, n_dims = importances(rng, 3, batch=False) + 0.1, int(rng.integers(1, 3))
    k = 3 + 10 ** rng.uniform(-1, 1)
    curves = [lambda c, x=x: 2 * ((k - 1) * x / ((k - 3) * c + 2)) ** 2 for x in v]

    def check(a, found, _, dtype):
        wanted = oracle.allocation(exact(v), n_dims, Fraction(k))
        return differs(found.capacity, wanted, tolerance=1e-6, what="capacity")

    return Call("allocate", {}, {"curves": curves, "budget": n_dims}, check)


INPUTS = ("SparseUniform", "SparseNormal", "UnitSparseUniform")


def distribution(rng):
    family, what = str(rng.choice(INPUTS)), str(rng.choice(["kurtosis", "variance", "moment"]))
    p = float(rng.choice([1.0, rng.random() or 1.0, 10 ** rng.uniform(-5, 0)]))
    far = rng.random() < 0.2
    p, order = 10 ** rng.uniform(-307, -5) if far else p, int(rng.integers(0, 500 if far else 9))

    def of_input(p):
        inputs = getattr(fc, family)(p)
        return inputs.moment(order) if what == "moment" else getattr(inputs, what)

    def check(a, found, _, dtype):
        m = [_moment(family, Fraction(p), r) for r in range(5)]
        variance = m[2] - m[1] ** 2
        central = m[4] - 4 * m[1] * m[3] + 6 * m[1] ** 2 * m[2] - 3 * m[1] ** 4
        values = {"kurtosis": central / variance**2, "variance": variance}
        wanted = values[what] if what in values else _moment(family, Fraction(p), order)
        return differs(found, [wanted], wanted, what=f"{family}.{what}, order {order}")

    call = Call(family, {}, {"p": p}, check, call=of_input)
    call.notes = [f"{what}, order {order}"]
    call.wanted = "either" if far else "right"
    return call


def _moment(family, p, order):
    """E[x ** order], from the active values."""
    if order == 0:
        return Fraction(1)
    if family == "UnitSparseUniform":
        return p / (order + 1)
    if order % 2:
        return Fraction(0)
    if family == "SparseUniform":
        return p * (3 / p) ** (order // 2) / (order + 1)
    odd = 1
    for i in range(1, order, 2):
        odd *= i
    return p * odd / p ** (order // 2)


def toy_model(rng):
    n = int(rng.integers(1, 9))
    given = {
        "kind": str(rng.choice(["computation", "autoencoder"])),
        "activation": str(rng.choice(["quadratic", "relu", "gelu", "tanh", "abs"])),
        "n_features": n,
        "n_dims": int(rng.integers(1, n + 1)),
        "bias": str(rng.choice(["best", "shared", "none"])),
    }

    def check(a, found, _, dtype):
        return "" if str(n) in found.name else found.name

    return Call("ToyModel", {}, given, check)


def sweep_config(rng):
    given = {
        "model": "autoencoder",
        "activation": "relu",
        "importance": [0.5, 1.0, float(2 + rng.random())],
        "probability": {"low": 0.1, "high": 1.0, "count": int(rng.integers(2, 9))},
        "n_starts": int(rng.integers(1, 5)),
        "seed": int(rng.integers(0, 99)),
        "n_features": 3,
        "n_dims": 2,
    }

    def check(a, found, _, dtype):
        wanted = (given["probability"]["count"], 3)
        return "" if found.shape == wanted else f"shape {found.shape} instead of {wanted}"

    return Call("SweepConfig", {}, given, check)


def quadratic_minimum(rng):
    v = np.exp(rng.standard_normal((2, 4)))
    k, n_dims = 1.2 + 8 * rng.random(), int(rng.integers(1, 4))

    def check(a, found, tolerance, dtype):
        said = _settled(found)
        rows = [
            oracle.best_loss(row, n_dims, exact(a["kurtosis"])[()])
            for row in exact(a["importance"])
        ]
        low = np.array([float_of(x) for x in rows])
        if (found.loss < low * (1 - 1e-3) - 1e-12 * low.max()).any():
            said = said or f"loss {found.loss.tolist()} is below the least {low.tolist()}"
        return said

    a = {"importance": v, "kurtosis": np.asarray(k)}
    others = {"n_dims": n_dims, "n_starts": 2, "max_iterations": 200, "device": "cpu"}
    return Call("minimize_quadratic", a, others, check, torch=False, extreme=("importance",))


def _settled(found) -> str:
    """What is said to have converged is finite."""
    parts = (found.loss, found.gradient_norm, found.capacity, found.W)
    finite = np.all([np.isfinite(plain(x)).reshape(len(found.loss), -1).all(1) for x in parts], 0)
    return "" if (finite | ~found.converged).all() else "converged where a result is not finite"


def minimum(rng):
    model = fc.ToyModel("autoencoder", str(rng.choice(["relu", "tanh"])), 3, 2)
    a = {"importance": np.exp(rng.standard_normal((1, 3)))}
    others = {
        "model": model, "inputs": fc.SparseUniform(0.5), "n_starts": 1, "max_iterations": 5,
        "dtype": str(rng.choice(["float32", "float64"])), "device": "cpu",
    }  # fmt: skip
    return Call("minimize", a, others, lambda a, found, _, dtype: _settled(found), torch=False,
                extreme=("importance",))  # fmt: skip


def run_one_row(importance, probability, dtype):
    """A sweep of one importance, with its configuration, whose settings may be refused."""
    config = fc.SweepConfig(
        "autoencoder", "relu", [importance], [probability, 1.0], n_features=2, n_dims=1,
        n_starts=1, n_points=64, max_rounds=0, max_iterations=5, dtype=dtype,
    )  # fmt: skip
    return fc.run_sweep(config, progress=False)


def tiny_sweep(rng):
    edge = float(rng.choice([1.0, 1e30, 1e39, 1e200]))
    small = float(rng.choice([0.5, 1e-30, 1e-300]))
    settings = {
        "importance": edge, "probability": small,
        "dtype": str(rng.choice(["float32", "float64"])),
    }  # fmt: skip

    def check(a, data, _, dtype):
        finite = np.isfinite(data.loss.values) & np.isfinite(data.gradient_norm.values)
        finite &= np.isfinite(data.capacity.values).all(-1) & np.isfinite(data.W.values).all(
            (-1, -2)
        )
        return "" if (finite | ~data.converged.values).all() else "converged, and not finite"

    call = Call("run_sweep", {}, settings, check, call=run_one_row)
    call.wanted = "right" if edge == 1 and small == 0.5 else "either"
    return call


RECIPES = {
    _of_matrix("capacities", _capacities): 16,
    _of_matrix("total_capacity", _total): 3,
    _of_matrix("interference", _interference): 8,
    leverage: 5,
    solve: 16,
    residuals: 3,
    losses: 10,
    of_features: 12,
    classification: 2,
    diagram: 4,
    block_sets: 5,
    efficiency: 4,
    product: 3,
    named_polytope: 1,
    from_capacities: 8,
    best_embedding: 5,
    shared_budget: 0.5,
    distribution: 6,
    toy_model: 2,
    sweep_config: 4,
    quadratic_minimum: 0.4,
    minimum: 0.4,
    tiny_sweep: 0.4,
}
"""What is called, and how often."""


# ---------------------------------------------------------------------------- dressing, spoiling

GEOMETRY = {"blocks", "is_efficient", "tegum_product", "embedding_from_capacities"}


def to_single(rng, call: Call) -> None:
    """Make some calls in single precision."""
    if call.arrays and rng.random() < 0.3 and call.name not in GEOMETRY and call.torch:
        call.dtype = np.float32
        call.arrays = {k: x.astype(np.float32).astype(float) for k, x in call.arrays.items()}
        call.notes.append("float32")
        if call.name == "classify":  # rounded, a share may be whole
            call.wanted = "any"


def dress(rng, call: Call) -> dict[str, object]:
    """The arrays as a caller has them: one precision, several containers."""
    given, kinds = {}, ["list", "array", "array", "reversed", "fixed", *["tensor"] * call.torch]
    for name, x in call.arrays.items():
        kind = str(rng.choice(kinds))
        # The first decides the precision; beside it lists and numbers take part in it.
        if kind == "list" and not given and call.dtype is np.float32:
            kind = "array"
        call.notes.append(kind)
        given[name] = _dressed(rng, x, kind, call.dtype)
    return given


def _dressed(rng, x, kind, dtype):
    array = np.array(x, dtype=dtype)
    if kind == "list":
        return x.tolist()
    if kind == "reversed":
        return np.ascontiguousarray(array[..., ::-1])[..., ::-1] if array.ndim else array
    if kind == "fixed":
        array.flags.writeable = False
        return array
    if kind == "tensor":
        return torch.tensor(x, dtype=TYPES[dtype], requires_grad=bool(rng.random() < 0.2))
    return array


def to_the_edge(rng, call: Call) -> None:
    """Scale one argument so that it, its square or its fourth power leaves the range."""
    name = str(rng.choice(call.extreme))
    limit = 300 if call.dtype is np.float64 else 37
    power = int(rng.choice([-1, 1]) * rng.integers(limit // 4, limit))
    with np.errstate(all="ignore"):
        x = call.arrays[name] * 10.0**power
        x = x.astype(call.dtype).astype(float)
    if name == "kurtosis":
        x = np.maximum(x, 1.0)
    if np.isfinite(x).all():
        call.arrays[name] = x
        call.notes.append(f"{name} times 1e{power}")
        call.wanted = "either"


def _with(x, value):
    """The same array with one entry replaced."""
    x = np.array(x, dtype=np.asarray(value).dtype if np.iscomplexobj(value) else float, ndmin=1)
    x.flat[x.size // 2] = value
    return x


def _masked(x):
    return np.ma.masked_array(x, mask=np.arange(np.size(x)).reshape(np.shape(x)) == 0)


def _tensor(x):
    return torch.as_tensor(np.array(x, dtype=float, ndmin=1))


SPOILED: dict[str, Callable[[np.ndarray], object]] = {
    "text": lambda x: "abc",
    "numbers as text": lambda x: x.astype(str).tolist(),
    "bytes": lambda x: b"12",
    "truth values": lambda x: x > 0,
    "list of truth values": lambda x: (x > 0).tolist(),
    "complex": lambda x: x + 0.5j,
    "complex tensor": lambda x: _tensor(x) + 0.5j,
    "masked": _masked,
    "nan": lambda x: _with(x, np.nan),
    "infinity": lambda x: _with(x, np.inf),
    "minus infinity": lambda x: _with(x, -np.inf).tolist(),
    "nan tensor": lambda x: _tensor(_with(x, np.nan)),
    "nothing": lambda x: None,
    "object": lambda x: object(),
    "mapping": lambda x: {},
    "set": lambda x: {1.0, 2.0},
    "function": lambda x: len,
    "dates": lambda x: np.zeros(np.shape(x), dtype="datetime64[s]"),
    "enormous": lambda x: [10**400, *np.ravel(x).tolist()],
    "ragged": lambda x: [[1.0], [2.0, 3.0]],
    "float16": lambda x: x.astype(np.float16),
    "bfloat16": lambda x: _tensor(x).to(torch.bfloat16),
    "sparse": lambda x: _tensor(x).to_sparse(),
    "meta": lambda x: _tensor(x).to("meta"),
    "empty": lambda x: np.zeros((0, *np.shape(x))),
    "fields": lambda x: np.zeros(np.shape(x), dtype=[("a", float), ("b", float)]),
    "long text": lambda x: "x" * 5000,
    "long list of text": lambda x: ["x"] * 5000,
}
WORDS = {
    "text": "abc", "long text": "y" * 3000, "lines": "a\nb", "fraction": 2.5, "nan": float("nan"),
    "nothing": None, "truth": True, "list": [1, 2], "minus": -1, "enormous": 10**400,
    "object": object(), "complex": 2j, "array": np.eye(2), "set": {1}, "tensor": torch.eye(2),
}  # fmt: skip
# What one of these may mean for a certain argument: a default, or a valid value.
ALLOWED = {
    ("embedding_from_capacities", "generator", "nothing"),
    ("ToyModel", "n_features", "enormous"),
    ("SweepConfig", "n_features", "enormous"),
    ("SweepConfig", "n_starts", "enormous"),
    ("SweepConfig", "importance", "list"),
    ("SweepConfig", "importance", "set"),  # of one number, which has an order
    ("SweepConfig", "probability", "set"),
    ("minimize", "max_iterations", "enormous"),
    ("minimize_quadratic", "max_iterations", "enormous"),
}


def spoil(rng, call: Call, given: dict[str, object]) -> None:
    """Replace one argument by what must be refused."""
    names = [*given, *call.others]
    name = str(rng.choice(names))
    if name in given:
        how = str(rng.choice(list(SPOILED)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given[name] = SPOILED[how](call.arrays[name])
    else:
        how = str(rng.choice(list(WORDS)))
        call.others[name] = WORDS[how]
    call.notes.append(f"{name}: {how}")
    call.wanted = "any" if _allowed(call.name, name, how) else "refused"


def _allowed(function: str, name: str, how: str) -> bool:
    # A batch may be empty; and half precision beside a tensor is data for it.
    if (function, name, how) in ALLOWED or how in ("empty", "float16"):
        return True
    if name in ("progress", "seed"):
        return True
    # Numbers below which any is a setting: a fraction, a bool or nothing may be meant.
    usual = {"budget", "tolerance", "p", "max_iterations", "device", "dtype"}
    return name in usual and how in ("truth", "fraction", "nothing", "tensor", "array")


# ----------------------------------------------------------------------------------- the verdict


def make(number: int) -> tuple[Call, dict[str, object]]:
    """The call of a case, and its dressed arguments."""
    rng = generator("calls", number)
    weights = np.array(list(RECIPES.values()), dtype=float)
    recipe = list(RECIPES)[rng.choice(len(weights), p=weights / weights.sum())]
    call, fate = recipe(rng), rng.random()
    to_single(rng, call)
    if 0.4 <= fate < 0.6 and call.extreme:
        to_the_edge(rng, call)
    given = dress(rng, call)
    if fate < 0.4:
        spoil(rng, call, given)
    return call, given


def judge(number: int) -> tuple[str, str, list[tuple[str, str]]]:
    """Make the call of a case: what it is, how it ended, and what is wrong with that."""
    call, given = make(number)
    what = (
        str(call)
        if call.wanted in ("right", "either")
        else f"{call.name}({call.notes[-1]}) {call.notes[:-1]}"
    )
    function = call.call or getattr(fc, call.name)
    positional = list(given.values()) if call.spread else []
    named = call.others if call.spread else given | call.others
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = function(*positional, **named)
        except Exception as error:
            faults = _faults_of(error)
            if call.wanted == "right" and not faults:
                faults = [("wrong", f"refused what is valid: {error}")]
            return what, "refused", faults
    faults = []
    for warning in said:
        # NumPy says so where a number is beyond the range of its precision, and is infinite.
        honest = "overflow" in str(warning.message) and _has_infinity(found)
        if issubclass(warning.category, RuntimeWarning) and not honest:
            faults.append(("raw", f"{warning.category.__name__}: {warning.message}"))
    if call.wanted == "any":
        return what, "answered", faults
    if call.wanted == "refused":
        return what, "answered", [*faults, ("wrong", f"answered {_short(found)}")]
    complaint = call.check(call.arrays, found, TOLERANCE[call.dtype], call.dtype)
    return what, "answered", faults + ([("wrong", complaint)] if complaint else [])


def _has_infinity(found) -> bool:
    parts = found if isinstance(found, tuple) else [found]
    numbers = [x for x in parts if torch.is_tensor(x) or np.asarray(x).dtype.kind == "f"]
    return any(np.isinf(plain(x)).any() for x in numbers)


def _faults_of(error: Exception) -> list[tuple[str, str]]:
    """What is wrong with an error: of another kind, not raised by this package, not a sentence."""
    text, kind = str(error), type(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = kind in (ValueError, ConvergenceError) or kind.__module__.startswith("feature_capacity")
    where = f"{kind.__name__} at {Path(last.filename).name}:{last.lineno}: {text[:120]!r}"
    raised = Path(last.filename).is_relative_to(PACKAGE) and "raise" in (last.line or "")
    if not (ours and raised):
        return [("raw", where)]
    if not text.strip() or len(text.splitlines()) > 1 or len(text) > LONGEST_MESSAGE:
        return [("raw", f"{len(text)} characters, {len(text.splitlines())} lines: {where}")]
    return []
