"""Writes data/*.pt with PyTorch (Debian: python3-torch): small files of torch.save of each kind,
which the tests read. Run with the system's Python."""

import collections
import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent / "data"


class Runs:
    """What a file that means harm holds: a call, made where it is loaded."""

    def __reduce__(self):
        return print, ("a pickle was run",)


def save(value, name, **options):
    torch.save(value, FOLDER / name, **options)


def types():
    """A tensor of each type, by its name; the values are 0, 1, ..."""
    named = collections.OrderedDict()
    for kind in ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8",
                 "uint8"]:
        named[kind] = torch.arange(3, dtype=getattr(torch, kind))
    named["bool"] = torch.tensor([True, False])
    return named


def views():
    """Tensors that share a storage of 0 ... 11, some of them by strides, and odd shapes."""
    whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    return {"whole": whole, "again": whole, "columns": whole.T, "inner": whole[1:, 1:3],
            "steps": whole[::2, ::3], "last": whole[2, 3], "empty": torch.zeros(0, 4),
            "parameter": torch.nn.Parameter(whole[0])}


def checkpoint():
    """As people save a training: weights, an optimizer's moments, and plain things."""
    torch.manual_seed(1)
    model = torch.nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 2.0]]))
        model.bias.copy_(torch.tensor([3.0]))
    adam = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    adam.step()
    weights = collections.OrderedDict(weight=torch.tensor([[1.0, 2.0]]), bias=torch.tensor([3.0]))
    return {"epoch": 3, "loss": 0.25, "name": "first", "big": 1 << 80, "less": -70000,
            "none": None, "list": [1, (2, True), {"three": 3}], "set": {1, 2},
            "size": torch.Size([2, 1]), "device": torch.device("cpu"), "type": torch.float32,
            "state_dict": weights, "optimizer": adam.state_dict()}


def main():
    FOLDER.mkdir(exist_ok=True)
    save(types(), "types.pt")
    save(types(), "types_old.pt", _use_new_zipfile_serialization=False)
    save(views(), "views.pt")
    save(views(), "views_old.pt", _use_new_zipfile_serialization=False)
    save(checkpoint(), "checkpoint.pt")
    save(checkpoint(), "checkpoint_5.pt", pickle_protocol=5)
    save({"encoder": types(), "decoder": {"inner": views()}}, "several.pt")
    save(torch.nn.Linear(2, 1), "refused_module.pt")
    save({"weight": torch.ones(2), "harm": Runs()}, "refused_call.pt")
    save({"weight": torch.ones(2, dtype=torch.complex64)}, "refused_complex.pt")
    save({"weight": torch.ones(1).expand(3)}, "refused_expanded.pt")
    save(torch.ones(2), "refused_tensor.pt")


main()
