"""The steps that `compare` measures in PyTorch, by the name of ours: step_of(case) gives a function
of one training step. What carries no mask there is computed on the padding too."""

import re

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

RECURRENT = re.compile(r"(train|infer|bidirectional|stacked2)/(GRU|LSTM)"
                       r"/b(\d+)_t(\d+)_f(\d+)_h(\d+)/.*")
LAYER = re.compile(r"layer/(\w+)/b(\d+)_t(\d+)_f(\d+)/.*")
LOSS = re.compile(r"loss/(\w+)/b(\d+)_t(\d+)_f(\d+)/.*")
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


def attention(features, padding):
    layer = torch.nn.MultiheadAttention(features, 4, batch_first=True)

    def call(x):
        value = x.detach().requires_grad_()  # ours has two inputs
        return layer(x, value, value, key_padding_mask=padding, need_weights=False)[0]
    return layer, call


def encoder(features, padding):
    layer = torch.nn.TransformerEncoderLayer(features, 4, 512, 0.0, batch_first=True)
    return layer, lambda x: layer(x, src_key_padding_mask=padding)


def over_features(layer):
    """A layer that wants the features before the steps."""
    return layer, lambda x: layer(x.transpose(1, 2)).transpose(1, 2)


def same(layer):
    return layer, layer


LAYERS = {
    "Dense": lambda f, p: same(torch.nn.Linear(f, 256)),
    "Activation": lambda f, p: same(torch.nn.GELU()),
    "ReLU": lambda f, p: same(torch.nn.ReLU()),
    "Softmax": lambda f, p: same(torch.nn.Softmax(-1)),
    "Dropout": lambda f, p: same(torch.nn.Dropout(0.5)),
    "LayerNormalization": lambda f, p: same(torch.nn.LayerNorm(f)),
    "BatchNormalization": lambda f, p: over_features(torch.nn.BatchNorm1d(f)),
    "MaskedConv1D": lambda f, p: over_features(torch.nn.Conv1d(f, 256, 3, padding=1)),
    "MultiHeadAttention": attention,
    "TransformerEncoder": encoder,
}


def layer_step(kind, size, lengths):
    batch, steps, features = size
    x = torch.randn(batch, steps, features, requires_grad=True)
    padding = None if lengths is None else ~valid_steps(lengths, steps)
    layer, call = LAYERS[kind](features, padding)
    dy = torch.randn_like(call(x))

    def step():
        call(x).backward(dy)
        x.grad = None
        layer.zero_grad()
    return step


def ctc(size, lengths):
    batch, time, classes = size
    x = torch.randn(time, batch, classes, requires_grad=True)
    steps = torch.full((batch,), time) if lengths is None else lengths
    labels = torch.randint(1, classes, (batch, 60))
    sizes = torch.clamp(torch.as_tensor(steps) // 3, max=60)
    return x, lambda: torch.nn.functional.ctc_loss(x.log_softmax(-1), labels, steps, sizes)


def crossentropy(rows, classes):
    x, ids = torch.randn(rows, classes, requires_grad=True), torch.randint(0, classes, (rows,))
    return x, lambda: torch.nn.functional.cross_entropy(x, ids)


LOSSES = {
    "CTC": ctc,
    "SparseCategoricalCrossentropy": lambda size, _: crossentropy(size[0] * size[1], size[2]),
}


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
    return bool(RECURRENT.fullmatch(name) or BANDWIDTH.fullmatch(name))


def step_of(name, lengths, packed):
    lengths = None if lengths is None else torch.tensor(lengths)
    if match := RECURRENT.fullmatch(name):
        return recurrent(match[1], match[2], [int(n) for n in match.groups()[2:]], lengths, packed)
    if match := LAYER.fullmatch(name):
        return layer_step(match[1], [int(n) for n in match.groups()[1:]], lengths)
    if match := LOSS.fullmatch(name):
        return loss_step(*LOSSES[match[1]]([int(n) for n in match.groups()[1:]], lengths))
    return bandwidth(BANDWIDTH.fullmatch(name)[1])
