"""One page under many settings.

- ``grid``: the settings, read from a file
- ``run``: executed side by side, resumed where they stopped
- ``index``: all of them beside each other, as a page
"""
