"""Closed forms, for NumPy arrays and torch tensors alike.

- ``capacity``: the fraction of a dimension that each feature has (equation 3, Appendix G)
- ``quadratic``: expected loss, best lengths and marginal benefit of the quadratic model
- ``allocation``: the optimal capacities; ``sharing_rule`` finds their multiplier
- ``budget``: the same for any decreasing curves of marginal benefit
- ``phases``: phase diagrams and their boundaries
"""
