"""Figures that answer back: explorers that run in the browser, without a kernel or a network."""

from .capacity import capacity_explorer
from .geometry import geometry_explorer
from .html import Explorer
from .minimization import minimization_explorer
from .phases import PhaseMap, phase_explorer

__all__ = [
    "Explorer",
    "PhaseMap",
    "capacity_explorer",
    "geometry_explorer",
    "minimization_explorer",
    "phase_explorer",
]
