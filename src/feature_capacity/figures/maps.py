"""What phase diagrams of several pages share."""

CONTOUR_LEVELS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Capacity levels drawn on phase diagrams."""
