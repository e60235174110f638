"""Where torch computes: the CPU, a CUDA card, or the graphics processor of a Mac."""

import torch


def pick_device(device: str = "auto", *, float64: bool = True) -> torch.device:
    """Torch device by name; ``auto`` takes CUDA where there is one, then MPS, then the CPU.

    MPS, the graphics processor of a Mac, has no float64 numbers.  What needs them, which is all
    but training by minibatches, is computed by the CPU there.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` (of several ones also ``cuda:1`` and so on), or ``mps``.
    float64 : bool
        Whether float64 numbers are needed.

    Raises
    ------
    ValueError
        For a device that this machine does not have.

    Examples
    --------
    >>> pick_device("cpu").type
    'cpu'
    """
    there = _devices_here()
    if device == "auto":
        device = there[0]
    try:
        chosen = torch.device(device)
        if chosen.type not in there:
            raise RuntimeError(device)
        if chosen.type == "cuda":
            torch.empty(0, device=chosen)  # a number that is not there
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"device must be one that this machine has (auto, {', '.join(there)}); got {device!r}"
        ) from error
    return torch.device("cpu") if float64 and chosen.type == "mps" else chosen


def _devices_here() -> list[str]:
    """The kinds of device of this machine, the fastest first."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(name for name, here in found.items() if here), "cpu"]
