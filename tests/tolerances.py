"""Every tolerance of the mathematical tests, by where the error comes from."""

# Rounding
ROUNDING = 1e-12  # float64, a few dozen operations on well-scaled numbers
ROUNDING_32 = 2e-5  # the same in float32
KKT = 2e-14  # optimality conditions of a closed form, float64, relative
KKT_32 = 2e-5
CANCELLING_32 = 2e-4  # float32, where three digits may cancel before another route is taken
ULPS = 4 * 2.0**-52  # one or two operations

# Another algorithm that stops somewhere
BISECTION = 1e-9  # a root of a function that is itself known to about 1e-12
OPTIMIZER = 1e-6  # capacity where a general optimizer of scipy stops
OPTIMIZER_LOSS = 1e-9  # its loss, relative: quadratic in the error of its position
NEWTON = 1e-8  # capacity found by our second-order minimization
DIFFERENCES = 1e-6  # central differences of a smooth function

# Chance
STANDARD_ERRORS = 4.0  # fixed seeds: a passing test stays passing
NEW_NODES = 0.01  # capacity at the optimum, median, when expectation nodes are drawn anew
