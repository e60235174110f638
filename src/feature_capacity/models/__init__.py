"""The toy models and what goes into them; torch from here on.

- ``inputs``: sparse distributions of a feature, with their moments
- ``quadrature``: expectations over such inputs without noise
- ``activations``: nonlinearities with their slopes
- ``toy_models``: the computation model and the autoencoder (Figure 3)
- ``penalty``: a price on overlap
- ``losses``: the expected loss of given models, sampled or on a quadrature
- ``training``: minibatch training, as it is usually done
- ``derivatives``: of a measure of embeddings
- ``dictionaries``: sparse autoencoders of three kinds for hidden vectors at hand
- ``device``: where torch computes
"""
