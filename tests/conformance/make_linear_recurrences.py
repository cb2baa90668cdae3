"""Writes the cases of layers whose states follow each other linearly into cases/: their papers'
formulas in NumPy, in f64, each sequence alone and unpadded, step by step; gradients by complex
steps, (f(x + i e) / e).imag with e so small that no digit is lost. Run with Debian's
python3-numpy."""

import json
import pathlib
import struct
import zlib

import numpy as np

TINY = 1e-200
SOURCE = ("the paper's formulas in NumPy, float64, each sequence alone and unpadded, step by step; "
          "gradients by complex steps")
HOLES = np.array([[1, 0, 1, 1, 0, 1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]],
                 bool)
KINDS = {"float64": "F64", "bool": "BOOL"}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log(1 + np.exp(x))


def silu(x):
    return x * sigmoid(x)


def min_gru(x, w, h, config):
    z, candidate = np.split(x @ w["kernel"] + w["bias"], 2)
    h[0] = (1 - sigmoid(z)) * h[0] + sigmoid(z) * candidate
    return h[0]


def min_lstm(x, w, h, config):
    f, i, candidate = np.split(x @ w["kernel"] + w.get("bias", 0), 3)
    f, i = sigmoid(f), sigmoid(i)
    h[0] = f / (f + i) * h[0] + i / (f + i) * np.tanh(candidate)
    return h[0]


def rg_lru(x, w, h, config):
    blocks, size, _ = w["kernel"].shape
    gates = np.einsum("kc,kcd->kd", x.reshape(blocks, size), w["kernel"])
    r = sigmoid(gates[:, :size].reshape(-1) + w["bias"][0])
    i = sigmoid(gates[:, size:].reshape(-1) + w["bias"][1])
    a = np.exp(-8 * softplus(w["decay"]) * r)
    h[0] = a * h[0] + np.sqrt(1 - a**2) * (i * x)
    return h[0]


def s6(x, w, h, config):
    inner, n, width = len(w["skip"]), config["state_size"], config["kernel_size"]
    u, z = np.split(x @ w["input_kernel"] + w.get("input_bias", 0), 2)
    steps = np.concatenate([h[0].reshape(width - 1, inner), u[None]])
    h[0] = steps[1:].reshape(-1)
    u = silu((steps * w["conv_kernel"]).sum(0) + w["conv_bias"])
    d, b, c = np.split(u @ w["selection_kernel"], [-2 * n, -n])
    delta = softplus(d @ w["delta_kernel"] + w["delta_bias"])
    state = np.exp(-delta * np.exp(w["decay"])) * h[1].reshape(n, inner) + np.outer(b, delta * u)
    h[1] = state.reshape(-1)
    return (c @ state + w["skip"] * u) * silu(z) @ w["output_kernel"] + w.get("output_bias", 0)


def linear_attention(x, w, h, config):
    heads, size = config["num_heads"], config["key_dim"]
    q, k, v = (np.einsum("f,fhd->hd", x, w[n + ".kernel"]) + w[n + ".bias"]
               for n in ["query", "key", "value"])
    if config["decay"] == "learned":
        logits = np.einsum("f,fhd->hd", x, w["decay.kernel"]) + w["decay.bias"]
        g = np.exp(-softplus(-logits) / 16)[..., None]
    else:
        g = 1 - 2.0 ** (-5 - np.arange(heads))[:, None, None]
    state = g * h[0].reshape(heads, size, -1) + k[:, :, None] * v[:, None]
    h[0] = state.reshape(-1)
    y = np.einsum("hk,hkv->hv", q, state) / np.sqrt(size)
    return np.einsum("hv,hvo->o", y, w["output.kernel"]) + w["output.bias"]


def run(step, config, mask, given):
    """The results of a layer: all outputs at their positions, or the last ones; then the states."""
    x, w = given["input"], {n[7:]: v for n, v in given.items() if n.startswith("weight.")}
    states = [np.array(given[n]) for n in sorted(given) if n.startswith("initial_state")]
    turn = -1 if config.get("go_backwards") else 1
    out = None
    for b, valid in enumerate(mask):
        own, at = [s[b] for s in states], np.flatnonzero(valid)
        for k, t in enumerate(at[::turn]):
            y = step(x[b, t], w, own, config)
            if out is None:
                out = np.zeros(x.shape[:2] + y.shape if config.get("return_sequences")
                               else x.shape[:1] + y.shape, x.dtype)
            # Backwards, outputs stand in the order in which they ran, as Keras has it.
            out[(b, at[k]) if config.get("return_sequences") else b] = y
        for s, value in zip(states, own):
            s[b] = value
    return [out, *states] if config.get("return_state") else [out]


def gradient(f, x):
    g = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[at] += 1j * TINY
        g[at] = f(moved).imag / TINY
    return g


def write(path, case, arrays):
    header, data = {"__metadata__": {"case": json.dumps(case, separators=(",", ":"))}}, b""
    for name, x in arrays.items():
        raw = np.ascontiguousarray(x).tobytes()
        header[name] = {"dtype": KINDS[x.dtype.name], "shape": x.shape,
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def make(name, subject, step, config, weights, states, features=3, mask=HOLES):
    random = np.random.default_rng(zlib.crc32(name.encode()))
    batch = 4 if mask is None else len(mask)
    given = {"input": random.normal(size=(batch, 6, features))}
    given |= {"weight." + n: random.normal(size=shape) * 0.7 for n, shape in weights.items()}
    for i, size in enumerate(states):
        given["initial_state" + (f".{i}" if len(states) > 1 else "")] = random.normal(
            size=(batch, size))
    valid = np.ones((batch, 6), bool) if mask is None else mask
    given["input"][~valid] = 0
    # A layer without initial states begins with zeros.
    zeros = lambda g: {f"initial_state.{i}": np.zeros((batch, size), g["input"].dtype)
                       for i, size in enumerate(config.get("zeros", []))}
    of = lambda g: run(step, config, valid, g | zeros(g))
    results = of(given)
    ups = [random.normal(size=y.shape) for y in results]
    total = lambda g: sum((y * up).sum() for y, up in zip(of(g), ups))
    arrays = dict(given)
    for i, (y, up) in enumerate(zip(results, ups)):
        end = f".{i}" if i else ""
        arrays["expected.output" + end], arrays["upstream" + end] = y, up
    as_complex = {n: x.astype(complex) for n, x in given.items()}
    for n, x in given.items():
        g = gradient(lambda moved: total(as_complex | {n: moved}), x)
        if n == "input":
            g[~valid] = 0
        arrays["expected.grad." + n.removeprefix("weight.")] = g
    if mask is not None:
        arrays["mask"] = mask
        there = mask if config.get("return_sequences") else mask.any(1)
        if not there.all():
            arrays["expected.mask"] = there
    written = {n: v for n, v in config.items() if n != "zeros"}
    case = {"format": 1, "name": name, "kind": "layer", "subject": subject, "config": written,
            "training": False, "source": SOURCE, "rtol": 1e-9, "atol": 1e-10}
    write(pathlib.Path(__file__).parent / "cases" / (name + ".safetensors"), case, arrays)


ALL = {"return_sequences": True, "return_state": True}
make("min_gru_seq_state_holes_initial", "MinGRU", min_gru, {"units": 4, **ALL},
     {"kernel": (3, 8), "bias": (8,)}, [4])
make("min_gru_last_backwards_holes", "MinGRU", min_gru,
     {"units": 4, "go_backwards": True, "zeros": [4]}, {"kernel": (3, 8), "bias": (8,)}, [])
make("min_lstm_seq_state_holes_initial", "MinLSTM", min_lstm,
     {"units": 4, "activation": "tanh", **ALL}, {"kernel": (3, 12), "bias": (12,)}, [4])
make("min_lstm_no_bias_seq_backwards_unmasked", "MinLSTM", min_lstm,
     {"units": 4, "activation": "tanh", "use_bias": False, "return_sequences": True,
      "go_backwards": True, "zeros": [4]}, {"kernel": (3, 12)}, [], mask=None)
for blocks in [1, 2]:
    make(f"rg_lru_blocks{blocks}_seq_state_holes_initial", "RGLRU", rg_lru,
         {"num_blocks": blocks, **ALL},
         {"kernel": (blocks, 4 // blocks, 8 // blocks), "bias": (2, 4), "decay": (4,)}, [4],
         features=4)

S6_WEIGHTS = {"input_kernel": (3, 12), "conv_kernel": (3, 6), "conv_bias": (6,),
              "selection_kernel": (6, 5), "delta_kernel": (1, 6), "delta_bias": (6,),
              "decay": (2, 6), "skip": (6,), "output_kernel": (6, 3)}
S6_CONFIG = {"state_size": 2, "kernel_size": 3}
make("s6_seq_states_holes_initial", "S6", s6, {**S6_CONFIG, **ALL}, S6_WEIGHTS, [12, 12])
make("s6_biases_last_backwards_holes", "S6", s6,
     {**S6_CONFIG, "use_bias": True, "go_backwards": True, "zeros": [12, 12]},
     {**S6_WEIGHTS, "input_bias": (12,), "output_bias": (3,)}, [])
HEADS = {"query.kernel": (3, 2, 2), "query.bias": (2, 2), "key.kernel": (3, 2, 2),
         "key.bias": (2, 2), "value.kernel": (3, 2, 3), "value.bias": (2, 3),
         "output.kernel": (2, 3, 3), "output.bias": (3,)}
HEADS_CONFIG = {"num_heads": 2, "key_dim": 2, "value_dim": 3}
make("linear_attention_learned_seq_state_holes_initial", "LinearAttention", linear_attention,
     {**HEADS_CONFIG, "decay": "learned", **ALL},
     {**HEADS, "decay.kernel": (3, 2, 1), "decay.bias": (2, 1)}, [12])
make("linear_attention_fixed_seq_backwards_holes", "LinearAttention", linear_attention,
     {**HEADS_CONFIG, "decay": "fixed", "return_sequences": True, "go_backwards": True,
      "zeros": [12]}, HEADS, [])
