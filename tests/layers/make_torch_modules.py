"""Writes data/torch_modules*.pt with PyTorch (Debian: python3-torch): modules of several layers and
blocks, their state dict as torch.save writes it, and what they give for sequences of unequal length
(recurrent ones packed, the others by key_padding_mask or each sequence alone). Run with the system's
Python; with a path as its argument it instead loads that state dict and prints how far the outputs
are from those in data/."""

import pathlib
import sys

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "data"
LENGTHS = [5, 3, 1]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 4, padding_idx=0)
        self.gru = nn.GRU(4, 3, num_layers=2, bidirectional=True, batch_first=True)
        self.lstm = nn.LSTM(4, 3, num_layers=3, batch_first=True)
        self.rnn = nn.RNN(4, 2, num_layers=2, bidirectional=True, batch_first=True)
        self.cells = nn.LSTM(4, 2, num_layers=2, batch_first=True)
        self.conv = nn.Sequential(nn.Conv1d(4, 5, 3, padding="same"), nn.BatchNorm1d(5))
        self.grouped = nn.Conv1d(4, 2, 1, groups=2)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), 2, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoderLayer(4, 2, 6, batch_first=True, norm_first=True)
        self.cross = nn.MultiheadAttention(4, 2, kdim=5, vdim=5, batch_first=True)
        self.slopes = nn.PReLU(4)
        self.head = nn.ModuleDict({"norm": nn.LayerNorm(4), "out": nn.Linear(4, 2)})


def packed(module, x):
    inside = nn.utils.rnn.pack_padded_sequence(x, LENGTHS, batch_first=True)
    return nn.utils.rnn.pad_packed_sequence(module(inside)[0], batch_first=True)[0]


def alone(module, x):
    """Channels are the second axis; each sequence without its padding, which is 0 in the result."""
    made = [module(x[i:i + 1, :n].transpose(1, 2)).transpose(1, 2) for i, n in enumerate(LENGTHS)]
    return nn.utils.rnn.pad_sequence([m[0] for m in made], batch_first=True)


def results(net, ids):
    steps = torch.arange(5)[None, :] < torch.tensor(LENGTHS)[:, None]
    x = net.embed(ids)
    made = {name: packed(getattr(net, name), x) for name in ["gru", "lstm", "rnn", "cells"]}
    made["conv"] = alone(net.conv, x)
    made["grouped"] = alone(net.grouped, x)
    made["encoder"] = net.encoder(x, src_key_padding_mask=~steps)
    later = nn.Transformer.generate_square_subsequent_mask(5) < 0
    made["decoder"] = net.decoder(x, made["encoder"], tgt_mask=later,
                                  tgt_key_padding_mask=~steps, memory_key_padding_mask=~steps)
    made["cross"] = net.cross(x, made["conv"], made["conv"], key_padding_mask=~steps)[0]
    made["slopes"] = alone(net.slopes, x)
    made["head"] = net.head["out"](net.head["norm"](x))
    return {k: torch.where(steps[:, :, None], v, torch.zeros(())) for k, v in made.items()}


def net_of_noise():
    torch.manual_seed(3)
    net = Net()
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                value.normal_(0, 0.5)
            if "running_var" in name:
                value.abs_().add_(0.5)
        net.embed.weight[0] = 0
    return net.eval()


class Rest(nn.Module):
    """Modules whose layers here take no mask over steps, or make one step."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(4, 3, 3, stride=2)
        self.group = nn.GroupNorm(2, 4)
        self.rms = nn.RMSNorm(4, eps=1e-6)
        self.gru = nn.GRUCell(4, 3)
        self.lstm = nn.LSTMCell(4, 3)
        self.rnn = nn.RNNCell(4, 3)


def write_rest():
    torch.manual_seed(5)
    rest = Rest()
    for value in rest.state_dict().values():
        value.normal_(0, 0.5)
    x = torch.randn(2, 5, 4)
    step, state = x[:, 0], torch.randn(2, 3)
    made = {"x": x, "state": state, "up": rest.up(x.transpose(1, 2)).transpose(1, 2),
            "group": rest.group(x.transpose(1, 2)).transpose(1, 2), "rms": rest.rms(x),
            "gru": rest.gru(step, state), "rnn": rest.rnn(step, state),
            "lstm": rest.lstm(step, (state, state))[0]}
    torch.save(small(rest.state_dict()), FOLDER / "torch_rest.pt")
    torch.save(small(made), FOLDER / "torch_rest_results.pt")


def small(state):
    """The same tensors as views of one storage, which makes a smaller file."""
    reals = {k: v for k, v in state.items() if v.is_floating_point()}
    parts = torch.cat([v.flatten() for v in reals.values()]).split([v.numel() for v in reals.values()])
    views = {k: part.view(v.shape) for (k, v), part in zip(reals.items(), parts)}
    return {k: views.get(k, v) for k, v in state.items()}


def main():
    ids = torch.tensor([[1, 5, 2, 6, 3], [4, 4, 2, 0, 0], [6, 0, 0, 0, 0]])
    if len(sys.argv) > 1:
        net = Net().eval()
        print(net.load_state_dict(torch.load(sys.argv[1], weights_only=True)))
        want = torch.load(FOLDER / "torch_modules_results.pt")
        made = results(net, ids)
        print(max(float((made[k] - want[k]).abs().max()) for k in made))
        return
    net = net_of_noise()
    torch.save({"state_dict": small(net.state_dict()), "epoch": 3}, FOLDER / "torch_modules.pt")
    torch.save(small({"ids": ids, **results(net, ids)}), FOLDER / "torch_modules_results.pt")
    torch.manual_seed(4)
    chain = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 3), nn.ReLU(), nn.LayerNorm(3),
                          nn.Linear(3, 2))
    torch.save(chain.state_dict(), FOLDER / "torch_chain.pt")
    wrapped = {"module." + k: v for k, v in chain.state_dict().items()}
    torch.save({"model": wrapped}, FOLDER / "torch_chain_wrapped.pt")
    torch.save({"y": chain(ids)}, FOLDER / "torch_chain_results.pt")
    write_rest()


with torch.no_grad():
    main()
