"""Embeddings as vectors in space.

- ``embeddings``: matrices with given capacities (Theorem 1), products of embeddings
- ``blocks``: sets of features orthogonal to all others; efficiency (Theorem 2)
- ``rotations``: the moves that build an embedding
- ``bound``: the matrices that prove the bound on capacity (Appendix F)
- ``gap``: how far the two definitions of capacity are apart (Appendix G)
- ``feasibility``: the induction of Appendix H
- ``constructions``: it and the rotations, tried on many tuples
- ``polytopes``: regular arrangements
- ``ensembles``: efficient embeddings at random
"""
