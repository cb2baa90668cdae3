"""What `compare` runs beside ours in PyTorch. Reads a case as a line of JSON:
  kind train | infer | bidirectional | stacked2, layer GRU | LSTM, size [batch, time, features, units],
  lengths (null: all valid), layout padded | packed, threads, steps
and answers with the median ms of so many steps: masked squared error through a Dense head of 8,
backward, Adam; `infer` is a forward pass."""

import json
import statistics
import sys
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Model(torch.nn.Module):
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


def step_of(case):
    batch, steps, features, units = case["size"]
    x = torch.randn(batch, steps, features)
    target = torch.randn(batch, steps, 8)
    lengths = case["lengths"] and torch.tensor(case["lengths"])
    valid = torch.arange(steps)[None, :] < lengths[:, None] if lengths is not None else None
    packed = lengths if case["layout"] == "packed" else None
    model = Model(case["kind"], case["layer"], features, units)
    if case["kind"] == "infer":
        def infer():
            with torch.inference_mode():
                model(x, packed)
        return infer
    adam = torch.optim.Adam(model.parameters())

    def train():
        difference = model(x, packed) - target
        if valid is not None:
            difference = difference[valid]
        loss = difference.square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return train


for line in sys.stdin:
    case = json.loads(line)
    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    step = step_of(case)
    step()
    times = []
    for _ in range(case["steps"]):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    print(statistics.median(times), flush=True)
