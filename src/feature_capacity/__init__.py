"""Feature capacity: exact theory and solvers for polysemanticity in toy models.

Everything named here is loaded when it is first used, so that importing the package costs next to
nothing.  The folders, each standing only on those before it:

- ``theory``: closed forms of capacity, the quadratic model, optimal allocation, phases
- ``geometry``: embeddings with given capacities, blocks, rotations, polytopes
- ``models``: inputs, activations, toy models and their training (torch from here on)
- ``solvers``: minimization to second order, without sampling noise
- ``sweeps``: a model minimized in every cell of a phase diagram
- ``measure``: the capacity of features in a matrix of one's own; ``measure(W)`` measures it
- ``zoo``: networks whose truth is known; ``zoo.load(name)`` gives one
- ``figures``: what the pages of the book draw; ``explorers``: what their readers move
- ``book``: pages, claims and the build of the book; ``cli``: the command line
"""

from ._lazy import offer

__version__ = "0.2.0"

NAMES = {
    "theory.allocation": "IGNORED POLYSEMANTIC MONOSEMANTIC PHASES Allocation"
    " kkt_residuals solve_allocation",
    "theory.coactivation": "loss_at_weighted_capacities weighted_capacities"
    " weighted_capacity_bound",
    "theory.depth": "SecondLayer amplification moments_of_squares second_layer two_layer_loss",
    "theory.dependence": "DependentAllocation allocate_dependent sharing_threshold",
    "theory.exclusive": "LeastDims exclusive_embedding least_dims orthogonal_representation",
    "theory.gaussian": "GaussianOptimum gaussian_embedding",
    "theory.generators": "fixed_number_inputs grouped_inputs moments_of_masks tree_inputs",
    "theory.gradient_flow": "descend flow flow_at_three flow_near_three",
    "theory.many_features": "PowerLaw dims_for_monosemantic equal_features_loss"
    " power_law_allocation power_law_limit",
    "theory.moments": "FullMoments Moments bias_from_moments full_moments_of_samples"
    " gradient_from_moments independent_moments loss_from_moments moments_of_samples",
    "theory.basins": "Basins basins measured_delays",
    "theory.budget": "BudgetAllocation allocate",
    "theory.capacity": "capacities interference leverage_capacities total_capacity",
    "theory.phases": "PhaseDiagram classify phase_diagram",
    "theory.saddles": "arrival_times escape_rates stable_choices waiting_share",
    "theory.unlike_pairs": "entry_margin orthogonal_twins",
    "theory.transitions": "decades_between largest_step",
    "theory.quadratic": "best_bias best_sq_norm expected_loss loss_at_best_lengths"
    " loss_from_capacities loss_terms marginal_benefit marginal_benefit_at",
    "geometry.block_paths": "pair_cosines settled sharing_sets",
    "geometry.blocks": "Block blocks is_efficient",
    "geometry.embeddings": "embedding_from_capacities optimal_embedding tegum_product",
    "geometry.neuron_bases": "fewest_neurons",
    "geometry.polytopes": "POLYTOPES polytope",
    "measure.record": "Measurement",
    "models.inputs": "SparseNormal SparseUniform UnitSparseUniform",
    "models.paths": "Paths compare_rules training_paths",
    "models.toy_models": "ToyModel",
    "models.training": "train",
    "solvers.equal_features": "jump_at_equality",
    "solvers.minimization": "minimize",
    "solvers.moments": "minimize_moments",
    "solvers.newton": "minimize_quadratic",
    "sweeps.audit": "concavity_gap long_search",
    "sweeps.config": "SweepConfig",
    "sweeps.run": "run_sweep",
}
"""Which names each module offers here."""

MODULES = {
    **{name: name for name in ("theory", "geometry", "models", "solvers", "sweeps", "measure")},
    "zoo": "zoo",
    "inputs": "models.inputs",
    "phases": "theory.phases",
    "polytopes": "geometry.polytopes",
}
"""Modules and folders that are offered themselves."""

EXTRAS = {
    "models.paths": "models",
    "models.toy_models": "models",
    "models.training": "models",
    "solvers": "models",
    "sweeps": "sweeps",
    "zoo": "models",
}
"""Modules and folders that take an optional extra; the rest of what is named here takes none."""

__getattr__, __dir__, __all__ = offer(__name__, NAMES, MODULES, EXTRAS)
