"""Writes data/torch_*.safetensors with PyTorch (Debian: python3-torch): the weights of a few modules
under PyTorch's own names, and what the modules give for an input. Run with the system's Python."""

import json
import pathlib
import struct

import torch

FOLDER = pathlib.Path(__file__).parent / "data"
KINDS = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64"}


def write(name, tensors):
    header, data = {}, b""
    for key, t in tensors.items():
        raw = t.detach().contiguous().numpy().tobytes()
        header[key] = {"dtype": KINDS[t.dtype], "shape": list(t.shape),
                       "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (FOLDER / name).write_bytes(struct.pack("<Q", len(text)) + text + data)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(7, 3)
        self.gru = torch.nn.GRU(3, 4, batch_first=True)
        self.gru_plain = torch.nn.GRU(3, 2, batch_first=True, bias=False)
        self.lstm = torch.nn.LSTM(3, 4, batch_first=True)
        self.rnn = torch.nn.RNN(3, 4, batch_first=True)
        self.both = torch.nn.GRU(3, 2, batch_first=True, bidirectional=True)
        self.head = torch.nn.Linear(4, 2)
        self.attention = torch.nn.MultiheadAttention(4, 2, batch_first=True)
        self.cross = torch.nn.MultiheadAttention(4, 2, batch_first=True, kdim=3, vdim=3)
        self.bare = torch.nn.MultiheadAttention(4, 1, batch_first=True, bias=False)
        for layer in [self.attention, self.cross]:
            torch.nn.init.normal_(layer.in_proj_bias)
            torch.nn.init.normal_(layer.out_proj.bias)


def attend(net, x, y):
    """Self-attention with padding at the end of the second sequence, whose outputs are set to 0;
    cross attention to the same keys; self-attention with a causal mask."""
    valid = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    own = net.attention(y, y, y, key_padding_mask=~valid)[0]
    return {"attention": torch.where(valid[:, :, None], own, torch.zeros_like(own)),
            "cross": net.cross(y, x, x, key_padding_mask=~valid)[0],
            "bare": net.bare(y, y, y, attn_mask=causal)[0]}


def main():
    torch.manual_seed(7)
    net = Net().double()
    ids = torch.tensor([[1, 5, 2, 6, 3], [4, 4, 0, 1, 2]])
    x = net.embed(ids)
    results = {"ids": ids, "embed": x}
    for name in ["gru", "gru_plain", "lstm", "rnn", "both"]:
        results[name] = getattr(net, name)(x)[0]
    results["head"] = net.head(results["gru"])
    results.update(attend(net, x, results["gru"]))
    FOLDER.mkdir(exist_ok=True)
    write("torch_weights.safetensors", net.state_dict())
    write("torch_weights_f32.safetensors", net.float().state_dict())
    write("torch_results.safetensors", results)


main()
