"""Figures that answer back: explorers that run in the browser, without a kernel or a network."""

from .capacity import capacity_explorer
from .front import front_explorer
from .geometry import geometry_explorer
from .html import Explorer
from .phases import PhaseMap, phase_explorer
from .unequal import unequal_explorer
from .weights import weights_explorer

__all__ = [
    "Explorer",
    "PhaseMap",
    "capacity_explorer",
    "front_explorer",
    "geometry_explorer",
    "phase_explorer",
    "unequal_explorer",
    "weights_explorer",
]
