"""Attention, each query with the keys of its sequence alone."""

import numpy as np
import torch

from .store import STEPS, Draw, Masked, each_alone, put_back, record, under


def weights(scores, allowed):
    """Softmax over the keys that are allowed; where there is none, 0."""
    scores = np.where(allowed, scores, -np.inf)
    none = ~np.isfinite(scores).any(-1, keepdims=True)
    return np.where(none, 0, torch.softmax(torch.from_numpy(np.where(none, 0, scores)), -1).numpy())


def attended(q, k, v, causal=False, window=None, scale=None, bias=None, at_q=None, at_k=None):
    """One sequence, [query, heads, dim]; a bias is read by the positions in the padded one. The
    last query stands at the last key."""
    at_q = np.arange(len(q)) if at_q is None else at_q
    at_k = np.arange(len(k)) if at_k is None else at_k
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], 1) for x in (k, v))
    scores = np.einsum("qhd,khd->hqk", q, k) * (q.shape[-1]**-0.5 if scale is None else scale)
    if bias is not None:
        scores = scores + bias[..., at_q[:, None], at_k]
    allowed = np.ones([len(q), len(k)], bool)
    behind = np.arange(len(k)) - (np.arange(len(q)) + len(k) - len(q))[:, None]
    if causal:
        allowed &= behind <= 0
    if window is not None:  # the nearest valid keys on either side
        allowed &= abs(behind) <= window
    w = weights(scores, allowed)
    return np.einsum("hqk,khd->qhd", w, v), np.moveaxis(w, 0, -1), allowed


ATTENTION = {"": {}, "causal, scale 0.3": {"causal": True, "scale": 0.3}, "window 1": {"window": 1},
             "bias": {}}


def attention():
    for variant, options in ATTENTION.items():
        for case, (b, n, m, heads, kv) in {"ordinary": (2, 3, 4, 2, 2), "grouped": (1, 4, 4, 4, 2),
                                           "empty": (0, 3, 3, 2, 2),
                                           "no keys": (1, 2, 0, 2, 2)}.items():
            if variant and case in ["grouped", "no keys"]:
                continue
            draw = Draw("attention", variant, case)
            q, k, v = draw.reals(b, n, heads, 3), draw.reals(b, m, kv, 3), draw.reals(b, m, kv, 2)
            bias = draw.reals(heads, n, m)
            own = options | ({"bias": bias} if variant == "bias" else {})
            bias = [bias] if variant == "bias" else []
            parts = [attended(*s, **own) for s in zip(q, k, v)]
            record("attention", variant, case, [q, k, v, *bias],
                   [np.array([p[0] for p in parts]).reshape(b, n, heads, 2)])
            w = np.array([p[1] for p in parts]).reshape(b, n, m, heads)
            limited = "causal" in options or "window" in options
            there = np.array([p[2] for p in parts], bool).reshape(b, n, m)
            record("attention_scores", variant, case, [q, k, *bias],
                   [Masked(w, there) if limited else w])
        masked_attention(variant, options)
    draw = Draw("attention", "broadcast bias")
    q, k, v, bias = draw.reals(2, 3, 2, 3), draw.reals(2, 4, 2, 3), draw.reals(2, 4, 2, 2), \
        draw.reals(1, 4)
    parts = [attended(*s, bias=np.repeat(bias, 3, 0)) for s in zip(q, k, v)]
    record("attention", "bias", "broadcast", [q, k, v, bias], [np.array([p[0] for p in parts])])
    record("attention_scores", "bias", "broadcast", [q, k, bias], [np.array([p[1] for p in parts])])


def masked_attention(variant, options):
    """Queries under STEPS, keys under another mask; by sequence, values at their positions."""
    keys = np.array([[1, 1, 0, 1, 1], [0, 0, 1, 0, 1], [1, 0, 0, 0, 0], [0] * 5], bool)
    draw = Draw("attention", variant, "masked")
    q, k, v = draw.reals(4, 4, 2, 3), draw.reals(4, 5, 2, 3), draw.reals(4, 5, 2, 2)
    bias = draw.reals(2, 4, 5)
    own = options | ({"bias": bias} if variant == "bias" else {})
    y, w, there = np.zeros([4, 4, 2, 2]), np.zeros([4, 4, 5, 2]), np.zeros([4, 4, 5], bool)
    for b in range(4):
        at_q, at_k = np.flatnonzero(STEPS[b]), np.flatnonzero(keys[b])
        pairs = (b, *np.ix_(at_q, at_k))
        y[b, at_q], w[pairs], there[pairs] = attended(q[b, at_q], k[b, at_k], v[b, at_k], at_q=at_q,
                                                      at_k=at_k, **own)
    bias = [bias] if variant == "bias" else []
    given = [under(STEPS, q), under(keys, k)]
    record("attention", variant, "masked", [*given, v, *bias], [Masked(y, STEPS)])
    record("attention_scores", variant, "masked", [*given, *bias], [Masked(w, there)])


def additive(q, k, v, w, causal):
    scores = (w * np.tanh(q[:, None] + k)).sum(-1)
    allowed = np.tri(len(q), len(k), len(k) - len(q), bool) if causal else np.ones(scores.shape, bool)
    p = weights(scores, allowed)
    return p @ v, p, allowed


def additive_attention():
    for causal, variant in [(False, ""), (True, "causal")]:
        for case, (b, n, m, dim) in {"ordinary": (2, 3, 4, 3), "other sizes": (1, 4, 2, 1),
                                     "empty": (0, 3, 2, 3), "no keys": (2, 2, 0, 3)}.items():
            if causal and case == "other sizes":  # more queries than keys: refused
                continue
            draw = Draw("additive_attention", variant, case)
            q, k, v, w = (draw.reals(b, n, dim), draw.reals(b, m, dim), draw.reals(b, m, 2),
                          draw.reals(dim))
            parts = [additive(*s, w, causal) for s in zip(q, k, v)]
            record("additive_attention", variant, case, [q, k, v, w],
                   [np.array([p[0] for p in parts]).reshape(b, n, 2)])
            p = np.array([p[1] for p in parts]).reshape(b, n, m)
            there = np.array([p[2] for p in parts], bool).reshape(b, n, m)
            record("additive_attention_scores", variant, case, [q, k, w],
                   [Masked(p, there) if causal else p])
        draw = Draw("additive_attention", variant, "masked")
        x, v, w = draw.reals(4, 4, 3), draw.reals(4, 4, 2), draw.reals(3)
        alone = each_alone(lambda q, u: additive(q, q, u, w, causal), STEPS, x, v)
        record("additive_attention", variant, "masked", [under(STEPS, x), under(STEPS, x), v, w],
               [put_back(STEPS, [p[0] for p in alone], 2)])
        p, there = np.zeros([4, 4, 4]), np.zeros([4, 4, 4], bool)
        for b in range(4):
            pairs = (b, *np.ix_(STEPS[b], STEPS[b]))
            p[pairs], there[pairs] = alone[b][1:]
        record("additive_attention_scores", variant, "masked",
               [under(STEPS, x), under(STEPS, x), w], [Masked(p, there)])


def all_of_them():
    attention()
    additive_attention()
