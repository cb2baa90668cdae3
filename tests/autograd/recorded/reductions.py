"""Reductions, and what runs along an axis: softmax, cumulative sums, sorting, normalization."""

import numpy as np
import torch
import torch.nn.functional as F

from .store import STEPS, Draw, Masked, each_alone, put_back, record, under, where_true


def logsumexp(x, axis=None, keepdims=False):
    axis = tuple(range(x.ndim)) if axis is None else axis
    return torch.logsumexp(torch.from_numpy(np.array(x)), axis, keepdims).numpy()


def sizes(x, axis=None, keepdims=False):
    return np.sum(np.ones(x.shape, np.int64), axis=axis, keepdims=keepdims)


def sample_variance(x, axis=None, keepdims=False):
    return np.var(x, axis=axis, keepdims=keepdims, ddof=1)


# The function, and how many values it takes: of fewer the result does not exist (law 7).
REDUCTIONS = {
    "sum": (np.sum, 0), "product": (np.prod, 0), "mean": (np.mean, 1), "variance": (np.var, 1),
    "std_deviation": (np.std, 1), "logsumexp": (logsumexp, 1), "max": (np.max, 1),
    "min": (np.min, 1), "argmax": (np.argmax, 1), "argmin": (np.argmin, 1),
    "any_true": (np.any, 0), "all_true": (np.all, 0), "count_valid": (sizes, 0),
    ("variance", "ddof 1"): (sample_variance, 2),
}
ONE_AXIS = ["argmax", "argmin"]  # NumPy takes no list of axes
AXES = {"all": None, "axis 0": 0, "axis 1": 1, "axis -1": -1, "axes 0, 2": (0, 2)}


def drawn(op, case, *shape):
    draw = Draw(op, case)
    if op in ["any_true", "all_true"]:
        return draw.truth(*shape)
    return draw.distinct(*shape) if op in ["max", "min", "argmax", "argmin"] else draw.reals(*shape)


def reduced(f, x, axis, keepdims, needs):
    """Of too few values nothing: without a mask, the result as a whole does not exist."""
    count = x.size if axis is None else int(np.prod([x.shape[a] for a in np.atleast_1d(axis)]))
    if count >= needs:
        return f(x, axis=axis, keepdims=keepdims)
    shape = np.sum(x, axis=axis, keepdims=keepdims).shape
    return Masked(np.zeros(shape, np.int64 if f in [np.argmax, np.argmin] else float),
                  np.array(False))


def of_sequences(f, x, needs, dtype):
    """Over the valid steps of each sequence alone."""
    results = each_alone(lambda s: f(s, axis=0) if len(s) >= needs else None, STEPS, x)
    there = np.array([r is not None for r in results])
    y = np.array([np.zeros(x.shape[2:]) if r is None else r for r in results]).astype(dtype)
    return where_true(y, there)


def of_batch(f, x, dtype):
    """Over the valid sequences at each step; every step has one."""
    return np.array([f(x[STEPS[:, t], t], axis=0) for t in range(x.shape[1])]).astype(dtype)


def reduce():
    for op, (f, needs) in REDUCTIONS.items():
        op, special = op if isinstance(op, tuple) else (op, "")
        for variant, axis in AXES.items():
            shapes = {"ordinary": [2, 3, 4]}
            if variant == "all":
                shapes |= {"one axis": [5], "empty": [0, 3]}
            elif variant in ["axis 0", "axis 1"]:
                shapes |= {"empty": [0, 3], "of nothing": [3, 0]}
            if isinstance(axis, tuple) and op in ONE_AXIS or special and variant != "axis 1":
                continue
            for case, shape in shapes.items():
                x = drawn(op, case, *shape)
                for keepdims in [False, True] if variant == "axis 1" else [False]:
                    options = [special, variant, "keepdims" if keepdims else ""]
                    record(op, ", ".join(o for o in options if o), case, [x],
                           [reduced(f, x, axis, keepdims, needs)])
        x = drawn(op, "masked", *STEPS.shape, 2)
        dtype = f(np.ones(2, x.dtype)).dtype
        y = of_sequences(f, x, needs, dtype)
        if op in ONE_AXIS:  # an index of the padded axis
            last = [s if s.any() else np.ones(4, bool) for s in STEPS]
            y.values = np.array([np.flatnonzero(s)[v] for s, v in zip(last, y.values)])
        prefix = special + ", " if special else ""
        record(op, prefix + "axis 1", "masked", [under(STEPS, x)], [y])
        if op not in ONE_AXIS and not special:
            record(op, "axis 0", "masked", [under(STEPS, x)], [of_batch(f, x, dtype)])
            record(op, "all", "masked", [under(STEPS, x)], [f(x[STEPS]).astype(dtype)])
    for op, f in {"sum": np.sum, "product": np.prod, "max": np.max, "argmin": np.argmin}.items():
        x = Draw(op, "whole").ids(9, 3, 4)
        record(op, "axis 1", "whole numbers", [x], [f(x, axis=1)])


def along():
    functions = {"cumsum": np.cumsum, "cumprod": np.cumprod}
    for op, f in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
        functions[op] = lambda x, axis, f=f: f(torch.from_numpy(np.array(x)), axis).numpy()
    for op, f in functions.items():
        for axis in [-1, 0]:
            for case, shape in {"ordinary": [3, 4], "three axes": [2, 2, 3], "empty": [0, 4],
                                "of nothing": [4, 0]}.items():
                x = Draw(op, case).reals(*shape)
                record(op, f"axis {axis}", case, [x], [f(x, axis)])
        x = Draw(op, "masked").reals(*STEPS.shape, 2)
        record(op, "axis 1", "masked", [under(STEPS, x)],
               [put_back(STEPS, each_alone(lambda s: f(s, 0), STEPS, x), 2)])
        record(op, "axis -1", "masked", [under(STEPS, x)], [Masked(f(x, -1), STEPS)])
    x = np.array([3, 1, 2])
    record("cumsum", "axis 0", "whole numbers", [x], [np.cumsum(x)])
    x = np.array([1000.0, 1001.0, 1002.0])
    record("softmax", "axis -1", "large", [x], [functions["softmax"](x, -1)])
    record("log_softmax", "axis -1", "large", [x], [functions["log_softmax"](x, -1)])
    record("logsumexp", "all", "large", [x], [logsumexp(x)])


def sorts():
    for case, shape in {"ordinary": [3, 4], "three axes": [2, 2, 5], "empty": [0, 3],
                        "of nothing": [3, 0], "ties and NaN": [8]}.items():
        x = Draw("sort", case).distinct(*shape)
        if case == "ties and NaN":
            x = np.array([1, np.nan, -1, 1, np.inf, np.nan, -np.inf, -1])
        for falling in [False, True]:
            values, order = torch.sort(torch.from_numpy(x), stable=True, descending=falling)
            variant = "falling" if falling else ""
            record("sort", variant, case, [x], [values.numpy()])
            record("argsort", variant, case, [x], [order.numpy()])
        if shape[-1] >= 2 and case != "ties and NaN":
            best = torch.topk(torch.from_numpy(x), 2)
            record("top_k", "2", case, [x], [best.values.numpy(), best.indices.numpy()])


def features_first(x):
    """[batch, ..., features] as PyTorch has it: [batch, features, ...]."""
    return torch.from_numpy(np.array(np.moveaxis(x, -1, 1)))


def group(x, groups, gamma=None, beta=None):
    affine = [None if a is None else torch.from_numpy(a) for a in (gamma, beta)]
    return np.moveaxis(F.group_norm(features_first(x), groups, *affine, eps=1e-3).numpy(), 1, -1)


def batch(x, gamma, beta):
    """The values of all rows, which are normalized, and their statistics."""
    y = F.batch_norm(torch.from_numpy(x), None, None, *map(torch.from_numpy, (gamma, beta)), True,
                     eps=1e-3)
    return y.numpy(), x.mean(axis=0), x.var(axis=0)


def normalize():
    for case, shape in {"ordinary": [3, 4], "three axes": [2, 3, 4], "empty": [0, 3, 4],
                        "masked": [4, 4, 4]}.items():
        draw = Draw("normalize", case)
        x, gamma, beta = draw.reals(*shape), draw.reals(4), draw.reals(4)
        given, seen = (under(STEPS, x), lambda y: Masked(y, STEPS)) if case == "masked" else (
            x, lambda y: y)
        line = F.layer_norm(torch.from_numpy(x), [4], *map(torch.from_numpy, (gamma, beta)), 1e-3)
        record("layer_normalize", "", case, [given, gamma, beta], [seen(line.numpy())])
        root = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-3)
        record("layer_normalize", "not centered", case, [given], [seen(x / root)])
        length = np.maximum(np.sqrt(np.sum(x * x, axis=-1, keepdims=True)), 2)
        record("unit_normalize", "at least 2", case, [given], [seen(x / length)])
        if case == "masked":
            y = put_back(STEPS, each_alone(
                lambda s: group(s[None], 2, gamma, beta)[0] if len(s) else s, STEPS, x), 4)
            statistics = batch(x[STEPS], gamma, beta)
            whole = np.zeros(shape)
            whole[STEPS] = statistics[0]
            statistics = [Masked(whole, STEPS), *statistics[1:]]
        elif x.size == 0:  # of no rows, statistics say nothing
            y, statistics = x, [x, np.zeros(4), np.zeros(4)]
        else:
            y = group(x, 2, gamma, beta)
            values, mean, variance = batch(x.reshape(-1, 4), gamma, beta)
            statistics = [values.reshape(shape), mean, variance]
        record("group_normalize", "2", case, [given, gamma, beta], [y])
        record("batch_normalize", "", case, [given, gamma, beta], statistics)


def standardize():
    def by(x, axis, epsilon):
        mean, variance = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
        return (x - mean) / np.sqrt(variance + epsilon)

    for case, shape in {"ordinary": [3, 4], "three axes": [2, 3, 4], "empty": [0, 3]}.items():
        x = Draw("standardize", case).reals(*shape)
        rows = tuple(range(len(shape) - 1))
        record("standardize", "", case, [x], [by(x, rows, 1e-7) if x.size else x])
        record("standardize", "axis 1", case, [x], [by(x, 1, 0.01)])
    x = Draw("standardize", "masked").reals(*STEPS.shape, 2)
    whole = np.zeros(x.shape)
    whole[STEPS] = by(x[STEPS], 0, 1e-7)
    record("standardize", "", "masked", [under(STEPS, x)], [Masked(whole, STEPS)])
    alone = each_alone(lambda s: by(s, 0, 0.01) if len(s) else s, STEPS, x)
    record("standardize", "axis 1", "masked", [under(STEPS, x)], [put_back(STEPS, alone, 2)])


def all_of_them():
    reduce()
    along()
    sorts()
    normalize()
    standardize()
