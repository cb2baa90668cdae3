"""What the families share: how inputs are drawn, what a mask is, and the file they go into."""

import dataclasses
import json
import struct
import zlib

import numpy as np


@dataclasses.dataclass
class Masked:
    """An array under a mask over its leading axes, true = valid; the rest of it is never read."""

    values: np.ndarray
    valid: np.ndarray


class Draw:
    """Multiples of 1/64, which f32 holds exactly; the same for the same names."""

    def __init__(self, *names):
        self.random = np.random.default_rng(zlib.crc32("|".join(names).encode()))

    def between(self, low, high, *shape):
        return self.random.integers(round(low * 64), round(high * 64), shape, endpoint=True) / 64

    def reals(self, *shape):
        return self.between(-2.5, 2.5, *shape)

    def distinct(self, *shape):
        count = int(np.prod(shape))
        return (self.random.permutation(count).reshape(shape) - count // 2) / 8

    def ids(self, below, *shape):
        return self.random.integers(0, below, shape)

    def truth(self, *shape):
        return self.random.integers(0, 2, shape) == 1


def under(mask, x):
    """x under a mask; what it hides is NaN, or an id of nothing."""
    mask, hidden = np.array(mask), np.array(x)
    hidden[~mask] = np.nan if hidden.dtype.kind == "f" else -7 if hidden.dtype.kind == "i" else 1
    return Masked(hidden, mask)


def where_true(values, valid):
    """A result under a mask, as the library has it: none where all is valid."""
    values, valid = np.asarray(values), np.asarray(valid)
    return values if valid.all() else Masked(values, valid)


# Holes, padding on the left, a sequence without a step, and one that is full.
STEPS = np.array([[1, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=bool)


def each_alone(f, mask, *arrays):
    """f of the valid steps of each sequence alone, one after the other."""
    return [f(*(a[b, mask[b]] for a in arrays)) for b in range(len(mask))]


def put_back(mask, parts, *inner):
    """Results of `each_alone`, a step's at its own position."""
    y = np.zeros(mask.shape + inner, np.asarray(parts[0]).dtype)
    for b, part in enumerate(parts):
        y[b, mask[b]] = part
    return Masked(y, mask)


KINDS = {"float64": "F64", "float32": "F32", "int64": "I64", "bool": "BOOL"}
arrays = {}


def record(op, variant, case, inputs, outputs):
    """An entry `op|variant|case`: arrays x0, x1, ... and y0, y1, ..., their masks x0.mask, ..."""
    for kind, several in [("x", inputs), ("y", outputs)]:
        for i, x in enumerate(several):
            name = f"{op}|{variant}|{case}|{kind}{i}"
            assert name not in arrays, name
            arrays[name] = np.asarray(x.values if isinstance(x, Masked) else x)
            if isinstance(x, Masked):
                assert x.valid.dtype == bool, name
                arrays[name + ".mask"] = np.asarray(x.valid)


def write(path):
    """A safetensors file of all that was recorded."""
    header, data = {}, b""
    for name, x in arrays.items():
        raw = np.ascontiguousarray(x).tobytes()
        header[name] = {"dtype": KINDS[x.dtype.name], "shape": x.shape,
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
