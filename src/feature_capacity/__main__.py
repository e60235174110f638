"""``python -m feature_capacity`` is the command line ``feature-capacity``."""

from .cli import app

if __name__ == "__main__":
    app(prog_name="feature-capacity")
