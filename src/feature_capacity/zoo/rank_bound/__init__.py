r"""A loss that no weights of the autoencoder can beat, from pairs of features and the rank.

*The loss of a row.*  Feature i has the column :math:`W_i` of length :math:`\alpha_i`, meets feature
j at the cosine :math:`\rho_{ij}`, and is answered by :math:`f(\alpha_i^2x_i+u_i+b_i)` with
:math:`u_i=\sum_{j\ne i}\alpha_i\alpha_j\rho_{ij}x_j`.  Features are on independently with
probability p, and then uniform on [0, 1].  Averaged over the feature's own value the row loses

.. math:: \Phi_g(\beta)=(1-p)f(\beta)^2+p\int_0^1(f(gx+\beta)-x)^2dx,\qquad
          L_i=v_i\,\mathrm E\,\Phi_{\alpha_i^2}(b_i+u_i).

No term is negative, so that one may keep the states in which at most two of the others are on.

*The rank.*  The trace of a positive matrix of rank at most D is at most :math:`\sqrt D` times its
Frobenius norm.  For the matrix of entries :math:`s_i^{1/2}s_j^{1/2}\rho_{ij}` with weights
:math:`s\ge0` this reads :math:`2\sum_{i<j}s_is_j\rho_{ij}^2\ge(\sum s_i)^2/D-\sum s_i^2` (a column
that is 0 may be given any direction).  Hence for any :math:`\lambda\ge0`

.. math:: \mathcal L\ge\lambda\Bigl(\tfrac1D\bigl(\textstyle\sum s_i\bigr)^2-\sum s_i^2\Bigr)
          +\min\Bigl(\sum_iL_i-2\lambda\sum_{i<j}s_is_j\rho_{ij}^2\Bigr),

where in the minimum the cosines are any numbers in [-1, 1], each by itself.

*From points to all values.*  If the second derivative of a function along a coordinate is at most
M, then between two grid points at the distance h the function is at least its chord less
:math:`Mh^2/8`, and on average over the interval at least its chord's average less
:math:`Mh^2/12`; a kink downward (ReLU at 0, where the error's slope falls by 2x) does no harm.
Coordinate by coordinate this bounds the minimum over a box of
:math:`(\alpha,b)` by the least value at corners less the sum of these corrections.  The term in
:math:`\lambda` does not depend on :math:`\alpha` and b.  Integrals over
values are sums over a lattice less the correction, second derivatives are bounded by
:math:`\kappa(z,x)=\partial^2_z(f(z)-x)^2`, and corrections in b and in
:math:`c=\alpha_i\alpha_j\rho_{ij}` are taken within the average over the state, as
:math:`\Phi-\tfrac18h^2M` in place of :math:`\Phi`.

*Pairs.*  States with one other feature j on depend on :math:`c_{ij}` alone.  Those with two depend
on both c; they are bounded by a sum :math:`h(c_{ij})+h(c_{ik})`, where h is any function that obeys
the inequality at all pairs of grid points.  So each vertex of the grid of
:math:`(\alpha_i,b_i)` has a cost of its own, and each pair of vertices of two features the least
cost over :math:`\rho_{ij}`, which is attained at a grid point of c or at
:math:`\rho=\pm1`, since the cost is piecewise linear in c but for a concave square.  The minimum of
such a sum of pairs is bounded by moving cost between pairs and vertices (Globerson and Jaakkola):
whatever is moved, the sum of the least costs of each feature and each pair is a lower bound.

*Far away.*  The grid covers a rectangle.  Outside of it :math:`\Phi\ge T`, proved by interval
arithmetic, or from the corners, on boxes that are split where necessary, and by hand where b or
:math:`g=\alpha^2` is huge.  Cells with :math:`\Phi\ge T` count as outside as well.  A feature out
there by its bias, or because its column is too short, is one more state: it loses
:math:`v_i(1-p)^{n-1}T`, meets others at any c that the lengths allow, and has the weight
:math:`s_i=0`.  (Weights may depend on the network, for
:math:`(\sum s_i)^2/D\ge2\mu\sum s_i-D\mu^2` with any :math:`\mu`, which is a sum over features.)
If a column is too long, its feature loses :math:`v_i(1-p)^{n-1}T`, and while it is off the others
are a network of n-1 features, whose loss is bounded in the same way.

Round-off, which is less than a part in :math:`10^5`, is covered by a part in :math:`10^4`.

- ``activations``: what the proof needs to know of an activation
- ``case``: a network's size and inputs; ``grid``: lines of lengths and biases
- ``outside``: the rectangle, and what is lost outside of it
- ``averages``, ``lengths``: averages over other features, and corrections for the lengths
- ``rows``: the costs of a row; ``loops``, ``pairs``: the minimum of costs of pairs
- ``refinement``: where new lines are put; ``bound``: the bound
"""

from .bound import one_layer_bound

__all__ = ["one_layer_bound"]
