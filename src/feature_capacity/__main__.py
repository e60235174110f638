"""``python -m feature_capacity`` is the command line ``feature-capacity``."""

from feature_capacity.cli import app

if __name__ == "__main__":
    app(prog_name="feature-capacity")
