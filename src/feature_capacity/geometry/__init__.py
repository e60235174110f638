"""Embeddings as vectors in space.

- ``embeddings``: matrices with given capacities (Theorem 1), products of embeddings
- ``blocks``: sets of features orthogonal to all others; efficiency (Theorem 2)
- ``rotations``: the moves that build an embedding
- ``feasibility``: the induction of Appendix H
- ``polytopes``: regular arrangements
- ``ensembles``: efficient embeddings at random
"""
