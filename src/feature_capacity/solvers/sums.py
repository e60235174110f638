"""Which sums over nodes a model takes: compiled ones where they can be had."""

from __future__ import annotations

from types import ModuleType

from ..models.toy_models import ToyModel
from . import tensor_sums
from .nodes import QuadratureTensors


def sums_for(model: ToyModel, quadrature: QuadratureTensors) -> ModuleType:
    """The module whose functions sum for this model: ``fused_sums``, or ``tensor_sums``.

    The first is for named activations on the CPU in float32, and wants numba.
    """
    try:
        from . import fused_sums  # here, since numba takes a third of a second to import
    except ImportError:
        return tensor_sums
    return fused_sums if fused_sums.can_do(model, quadrature) else tensor_sums
