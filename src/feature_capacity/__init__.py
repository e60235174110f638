"""Feature capacity: exact theory and solvers for polysemanticity in toy models.

The closed forms are importable from here; torch-backed modules and figures by name, so that
``import feature_capacity`` stays light.
"""

from . import geometry, inputs, phases, polytopes
from .allocation import (
    IGNORED,
    MONOSEMANTIC,
    POLYSEMANTIC,
    REGIMES,
    Allocation,
    kkt_residuals,
    solve_allocation,
)
from .budget import BudgetAllocation, allocate
from .capacity import capacities, interference, leverage_capacities, total_capacity
from .geometry import (
    Block,
    blocks,
    embedding_from_capacities,
    is_efficient,
    optimal_embedding,
    tegum_product,
)
from .inputs import SparseNormal, SparseUniform, UnitSparseUniform
from .phases import PhaseDiagram, classify, phase_diagram
from .polytopes import POLYTOPES, polytope
from .quadratic import (
    best_bias,
    best_sq_norm,
    expected_loss,
    loss_at_best_lengths,
    loss_from_capacities,
    loss_terms,
    marginal_benefit,
    marginal_benefit_at,
)

__version__ = "0.1.0"

__all__ = [
    "IGNORED",
    "MONOSEMANTIC",
    "POLYSEMANTIC",
    "POLYTOPES",
    "REGIMES",
    "Allocation",
    "Block",
    "BudgetAllocation",
    "PhaseDiagram",
    "SparseNormal",
    "SparseUniform",
    "UnitSparseUniform",
    "allocate",
    "best_bias",
    "best_sq_norm",
    "blocks",
    "capacities",
    "classify",
    "embedding_from_capacities",
    "expected_loss",
    "geometry",
    "inputs",
    "interference",
    "is_efficient",
    "kkt_residuals",
    "leverage_capacities",
    "loss_at_best_lengths",
    "loss_from_capacities",
    "loss_terms",
    "marginal_benefit",
    "marginal_benefit_at",
    "optimal_embedding",
    "phase_diagram",
    "phases",
    "polytope",
    "polytopes",
    "solve_allocation",
    "tegum_product",
    "total_capacity",
]
