"""The steps that `compare` measures in PyTorch, by the name of ours: step_of(case) gives a function
of one training step. What carries no mask there is computed on the padding too."""

import re

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch_layers import LAYERS
from torch_losses import LOSSES, crossentropy
from torch_stream import stream_step

RECURRENT = re.compile(r"(train|infer|bidirectional|stacked2)/(GRU|LSTM)"
                       r"/b(\d+)_t(\d+)_f(\d+)_h(\d+)/.*")
LAYER = re.compile(r"layer/(\w+)/b(\d+)_t(\d+)_f(\d+)/.*")
LOSS = re.compile(r"loss/(\w+)/b(\d+)_t(\d+)_f(\d+)/.*")
STREAM = re.compile(r"stream/(GRU|Transformer)/(\d+)(/unequal)?/.*")
BANDWIDTH = re.compile(r"bandwidth/(\w+)/.*")


class Recurrent(torch.nn.Module):
    def __init__(self, kind, layer, features, units):
        super().__init__()
        self.recurrent = getattr(torch.nn, layer)(
            features, units, batch_first=True, bidirectional=kind == "bidirectional",
            num_layers=2 if kind == "stacked2" else 1)
        self.head = torch.nn.Linear(units * (2 if kind == "bidirectional" else 1), 8)

    def forward(self, x, lengths):
        if lengths is None:
            return self.head(self.recurrent(x)[0])
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, _ = pad_packed_sequence(self.recurrent(packed)[0], batch_first=True,
                                   total_length=x.shape[1])
        return self.head(y)


def valid_steps(lengths, steps):
    return torch.arange(steps)[None, :] < lengths[:, None]


def recurrent(kind, layer, size, lengths, packed):
    batch, steps, features, units = size
    x, target = torch.randn(batch, steps, features), torch.randn(batch, steps, 8)
    valid = None if lengths is None else valid_steps(lengths, steps)
    model = Recurrent(kind, layer, features, units)
    if kind == "infer":
        def infer():
            with torch.inference_mode():
                model(x, lengths if packed else None)
        return infer
    adam = torch.optim.Adam(model.parameters())

    def train():
        difference = model(x, lengths if packed else None) - target
        if valid is not None:
            difference = difference[valid]
        adam.zero_grad()
        difference.square().mean().backward()
        adam.step()
    return train


def layer_step(kind, size, lengths):
    batch, steps, features = size
    x = torch.randn(batch, steps, features, requires_grad=True)
    if kind == "Embedding":
        x = torch.randint(0, 10000, (batch, steps))
    padding = None if lengths is None else ~valid_steps(lengths, steps)
    layer, call = LAYERS[kind](features, padding)
    dy = torch.randn_like(call(x))

    def step():
        call(x).backward(dy)
        x.grad = None
        layer.zero_grad()
    return step


def loss_step(x, loss):
    def step():
        loss().backward()
        x.grad = None
    return step


def bandwidth(what):
    if what == "sparse_categorical_crossentropy":
        return loss_step(*crossentropy((32 << 20) // 10000, 10000))
    if what == "Adam":
        weights = torch.nn.Parameter(torch.randn(10_000_000))
        weights.grad = torch.randn_like(weights)
        return torch.optim.Adam([weights]).step
    return layer_step(what, (64, (32 << 20) // 512 // 64, 512), None)


def has(name):
    """Whether there is the like of it here."""
    if match := LAYER.fullmatch(name):
        return match[1] in LAYERS
    if match := LOSS.fullmatch(name):
        return match[1] in LOSSES
    return any(kind.fullmatch(name) for kind in (RECURRENT, STREAM, BANDWIDTH))


def step_of(name, lengths, packed):
    lengths = None if lengths is None else torch.tensor(lengths)
    if match := RECURRENT.fullmatch(name):
        return recurrent(match[1], match[2], [int(n) for n in match.groups()[2:]], lengths, packed)
    if match := LAYER.fullmatch(name):
        return layer_step(match[1], [int(n) for n in match.groups()[1:]], lengths)
    if match := LOSS.fullmatch(name):
        return loss_step(*LOSSES[match[1]]([int(n) for n in match.groups()[1:]], lengths))
    if match := STREAM.fullmatch(name):
        return stream_step(match[1], int(match[2]), match[3])
    return bandwidth(BANDWIDTH.fullmatch(name)[1])
