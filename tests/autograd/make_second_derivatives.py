"""Writes data/second_derivatives.safetensors: what PyTorch gives for second derivatives, in f64:
Hessian-vector products of recurrences, attention, normalizations and cross entropy under masks, a
penalty on a gradient and one step of MAML. Sequences run one by one and unpadded there. The test
that holds it, test_second_derivatives.cpp, needs no PyTorch. Run with Debian's python3-torch."""

import pathlib

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from recorded import store

torch.set_default_dtype(torch.float64)
LENGTHS = [5, 2, 0, 3]


def numbers(name, *shape):
    store_seed = sum(ord(c) * (i + 1) for i, c in enumerate(name))
    return torch.randn(*shape, generator=torch.Generator().manual_seed(store_seed))


def hvp(f, tensors, along):
    leaves = [t.clone().requires_grad_() for t in tensors]
    g = torch.autograd.grad(f(*leaves), leaves, create_graph=True)
    return torch.autograd.grad(g, leaves, along, allow_unused=True)


def keep(case, named, f):
    """The arguments, a direction and the product; rows behind a sequence's end are 0."""
    names, tensors = list(named), list(named.values())
    along = [numbers(f"{case} {n} v", *t.shape) for n, t in named.items()]
    for t, v in zip(tensors, along):
        if t.dim() >= 3:
            for i, n in enumerate(LENGTHS):
                v[i, n:] = 0
    found = hvp(f, tensors, along)
    for n, t, v, h in zip(names, tensors, along, found):
        store.arrays[f"{case}/{n}"] = t.numpy()
        store.arrays[f"{case}/{n}/v"] = v.numpy()
        store.arrays[f"{case}/{n}/hv"] = h.detach().numpy()


def gru(x, kernel, recurrent, bias):
    u, total = recurrent.shape[0], 0
    for i, length in enumerate(LENGTHS):
        h = torch.zeros(u)
        for t in range(length):
            a, b = x[i, t] @ kernel + bias[0], h @ recurrent + bias[1]
            z, r = torch.sigmoid(a[:u] + b[:u]), torch.sigmoid(a[u : 2 * u] + b[u : 2 * u])
            h = z * h + (1 - z) * torch.tanh(a[2 * u :] + r * b[2 * u :])
            total = total + (h**3).sum()
    return total


def lstm(x, kernel, recurrent, bias):
    u, total = recurrent.shape[0], 0
    for i, length in enumerate(LENGTHS):
        h = c = torch.zeros(u)
        for t in range(length):
            s = x[i, t] @ kernel + h @ recurrent + bias
            c = torch.sigmoid(s[u : 2 * u]) * c + torch.sigmoid(s[:u]) * torch.tanh(s[2 * u : 3 * u])
            h = torch.sigmoid(s[3 * u :]) * torch.tanh(c)
            total = total + (h**3).sum()
    return total


def attention(q, k, v):
    total = 0
    for i, length in enumerate(LENGTHS):
        heads = [t[i, :length].transpose(0, 1)[None] for t in (q, k, v)]
        if length:
            with sdpa_kernel(SDPBackend.MATH):  # the fused one has no second derivative
                y = torch.nn.functional.scaled_dot_product_attention(*heads, is_causal=True)
            total = total + (y**3).sum()
    return total


def rows(x):
    return torch.cat([x[i, :n] for i, n in enumerate(LENGTHS)])


def layer_norm(x, gamma, beta):
    return (torch.nn.functional.layer_norm(rows(x), gamma.shape, gamma, beta, 1e-3) ** 3).sum()


def batch_norm(x, gamma, beta):
    y = torch.nn.functional.batch_norm(rows(x), None, None, gamma, beta, training=True, eps=1e-3)
    return (y**3).sum()


def cross_entropy(logits):
    ids = torch.arange(len(rows(logits))) % logits.shape[-1]
    return torch.nn.functional.cross_entropy(rows(logits), ids)


def penalty(x, w):
    y = torch.tanh(rows(x) @ w).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    return ((rows(g).norm(dim=-1) - 1) ** 2).mean()


def maml(w, x, y):
    inner = ((torch.tanh(rows(x) @ w) - rows(y)) ** 2).mean()
    (g,) = torch.autograd.grad(inner, w, create_graph=True)
    moved = w - 0.1 * g
    return ((torch.tanh(rows(x) @ moved) - rows(y)) ** 2).mean()


def gradient(case, named, f, by):
    leaves = {n: t.clone().requires_grad_() for n, t in named.items()}
    f(**leaves).backward()
    for n, t in named.items():
        store.arrays[f"{case}/{n}"] = t.numpy()
    store.arrays[f"{case}/{by}/g"] = leaves[by].grad.numpy()


def x_of(case, name="x", width=4):
    return numbers(f"{case} {name}", len(LENGTHS), max(LENGTHS), width)


for case, f, gates, biases in [("gru", gru, 3, (2, 18)), ("lstm", lstm, 4, (24,))]:
    keep(case, {"x": x_of(case), "kernel": numbers(case + "k", 4, gates * 6),
                "recurrent": numbers(case + "r", 6, gates * 6), "bias": numbers(case + "b", *biases)}, f)
keep("attention", {n: numbers("attention" + n, 4, 5, 2, 3) for n in "qkv"}, attention)
for case, f in [("layer_norm", layer_norm), ("batch_norm", batch_norm)]:
    keep(case, {"x": x_of(case), "gamma": numbers(case + "g", 4), "beta": numbers(case + "b", 4)}, f)
keep("cross_entropy", {"logits": x_of("cross_entropy")}, cross_entropy)
gradient("penalty", {"x": x_of("penalty"), "w": numbers("penalty w", 4, 3)}, penalty, "w")
gradient("maml", {"w": numbers("maml w", 4, 2), "x": x_of("maml"), "y": x_of("maml", "y", 2)}, maml, "w")
store.write(pathlib.Path(__file__).parent / "data" / "second_derivatives.safetensors")
