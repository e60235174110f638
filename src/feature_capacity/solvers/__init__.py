"""Minimization of expected losses, many models at once.

- ``minimization``: any toy model, from random starts, from coarse quadrature to fine
- ``stages``: what goes on from one quadrature to the next
- ``levenberg_marquardt``: the steps
- ``starts``: where to begin: at random, at arrangements, and after a move
- ``gauss_newton``: loss, gradient and Gauss-Newton matrix on a quadrature
- ``losses_on_nodes``: the loss alone
- ``newton``: the quadratic model, whose loss is exact
- ``moments``: the same for any inputs, of which only moments are known
- ``damped_newton``: the steps of both, from random starts
- ``batch``: many models at once, row by row
- ``result``: what a minimization returns, and how it fails
"""

from .._lazy import need

need("models", __name__)
