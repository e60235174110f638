"""A graphics card that is not there: tensors that say they are on it, and are computed by the CPU.

What torch refuses on a machine with a card is refused here too: numbers of both places in one
operation, NumPy arrays made from tensors of the card, random numbers from the generator of the
other place.  So code that forgets to move something fails on any machine.  Results are those of
the CPU to the last digit; how a card rounds cannot be emulated.
"""

import contextlib

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

CARD = torch.device("cuda")
_CPU = torch.device("cpu")


class OnCard(torch.Tensor):
    """A tensor of the card; what is computed from it is one as well."""

    def __array__(self, *args, **kwargs):
        raise TypeError("can't convert cuda tensor to numpy; use Tensor.cpu() first")


class _Generator(torch.Generator):
    """A generator of the card."""

    __module__ = "torch"  # by which the package knows one, without importing torch
    device = CARD


class _Card(TorchFunctionMode):
    operations = 0  # whose results were on the card

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        tensors = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
        ours = [x for x in tensors if isinstance(x, OnCard)]
        if function == torch.Tensor.device.__get__:
            return CARD if ours else function(*args, **kwargs)
        if name == "numpy" and kwargs.get("force"):
            return _to_cpu(args[0]).numpy(force=True)
        if name == "numpy" and ours:
            raise TypeError("can't convert cuda tensor to numpy; use Tensor.cpu() first")
        if name == "cpu" or (name == "to" and tensors):
            return _moved(function, name, args, kwargs)
        device = torch.device(kwargs["device"]) if kwargs.get("device") is not None else None
        if device is not None:
            grad = kwargs.get("requires_grad", False)
            kwargs = {**kwargs, "device": _CPU, "requires_grad": False}
            generator = kwargs.get("generator")
            if generator is not None and (device == CARD) != isinstance(generator, _Generator):
                raise RuntimeError(f"a generator of the other place than {device}")
        if name not in ("__getitem__", "__setitem__", "asarray"):  # an index may be of the CPU
            _refuse_both_places(function, tensors, ours)
        with torch._C.DisableTorchFunctionSubclass():
            result = function(*args, **kwargs)
        self.operations += bool(ours) or device == CARD
        if device is None:
            return _marked(result) if ours else result
        # Marked first, so that it stays a leaf of the graph that gradients flow to.
        return (_marked(result) if device == CARD else result).requires_grad_(grad)


def _moved(function, name, args, kwargs):
    """The results of `to` and `cpu`, which carry a tensor from one place to the other."""
    places = [x for x in (*args[1:], *kwargs.values()) if isinstance(x, str | torch.device)]
    others = [x for x in args[1:] if isinstance(x, torch.Tensor)]
    if name == "cpu":
        there = False
    elif places:
        there = torch.device(places[0]) == CARD
    else:
        there = isinstance(others[0] if others else args[0], OnCard)
    come = isinstance(args[0], OnCard) != there
    args, kwargs = tree_map(_to_cpu, (args, kwargs))
    result = function(*args, **kwargs)
    if come and result.data_ptr() == args[0].data_ptr():
        result = result.clone()  # another place is other memory
    return _marked(result) if there else result


def _refuse_both_places(function, tensors, ours):
    strangers = [x for x in tensors if not isinstance(x, OnCard) and x.dim()]
    if ours and strangers:
        raise RuntimeError(f"expected all tensors of {function} to be in one place")


def _to_cpu(x):
    if isinstance(x, OnCard):
        return x.as_subclass(torch.Tensor)
    return _CPU if isinstance(x, torch.device) or x == CARD.type else x


def _marked(result):
    """The same with every tensor on the card; what is there already stays the same object."""
    strange = lambda x: isinstance(x, torch.Tensor) and not isinstance(x, OnCard)  # noqa: E731
    return tree_map(lambda x: x.as_subclass(OnCard) if strange(x) else x, result)


@contextlib.contextmanager
def emulated_card(monkeypatch):
    """Let torch believe that there is a card; yields it, with the number of its operations."""
    plain = torch.Generator

    class Either(type):  # what the package asks whether a generator is one
        def __instancecheck__(cls, instance):
            return isinstance(instance, plain)

    class Generator(metaclass=Either):
        def __new__(cls, device="cpu"):
            return _Generator() if torch.device(device) == CARD else plain()

    with monkeypatch.context() as patch, _Card() as card:
        patch.setattr(torch, "Generator", Generator)
        patch.setattr(torch.cuda, "is_available", lambda: True)
        yield card


def is_there(x) -> bool:
    """Whether a result is on the card."""
    return isinstance(x, OnCard)
