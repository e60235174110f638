"""Closed forms, for NumPy arrays and torch tensors alike.

- ``capacity``: the fraction of a dimension that each feature has (equation 3, Appendix G)
- ``readout``: how well features arrive when they are read out linearly (Appendix E)
- ``quadratic``: expected loss, best lengths and marginal benefit of the quadratic model
- ``allocation``: the optimal capacities; ``sharing_rule`` finds their multiplier, and
  ``unequal_kurtosis`` the phases of features that differ in kurtosis, ``unequal_shares`` the rest
- ``budget``: the same for any decreasing curves of marginal benefit
- ``phases``: phase diagrams and their boundaries

Past the paper, for inputs that are not independent, and for many of them:

- ``moments``: the loss in second and fourth moments; ``generators`` has those of groups and trees
- ``gaussian``: the optimum for correlated Gaussian and elliptical inputs
- ``dependence``: the optimal capacities when all pairs depend alike, and when features share
- ``coactivation``: capacity that counts interference by how often it happens
- ``exclusive``: the least number of dimensions when features exclude each other
- ``many_features``: loss against width, power laws, the width that one needs
"""
