"""The capacity of features in a matrix of one's own.

- ``tensor_files``: a matrix out of a file, without running code
- ``report``: what there is to say about it
- ``picture``: the same to look at
"""
