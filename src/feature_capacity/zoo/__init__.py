"""Networks whose truth is known: a test bench for methods that read networks.

``fc.zoo.load("quadratic-independent")`` gives a small torch module, its inputs, the features as
ground truth, the exact loss, the optimal capacities, and a certificate that says how far the
optimum is known.

- ``distributions``: inputs of several features, drawn together, with their exact moments
- ``modules``: the networks; hidden activations are what the submodule ``embed`` gives
- ``lower_bounds``: losses that no weights can beat
- ``rank_bound``: such a bound for autoencoders, from pairs of features and the rank
- ``sums``: such bounds for sums of absolute values and of ReLU
- ``quadratic``: networks of squares, most with an optimum in closed form
- ``searched``: the models of section 3.7, whose optimum is the best of stated searches
- ``pair``: one neuron for two features, with all weights looked at
- ``layers``: two layers of squares, the moments of the second exact
- ``training``: minibatch training of any of them; ``paths``: the way that it takes
- ``record``: what there is to know about a network; ``cache``: kept on disk
- ``catalog``: all of them by name; ``export``: files that other tools read
- ``reading``: how well a dictionary, a probe or an oracle reads known features
- ``side_by_side``: how many features a dictionary tells apart, beside other measures
"""

from .catalog import load, names, summary, training_paths

__all__ = ["load", "names", "summary", "training_paths"]
