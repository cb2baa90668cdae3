"""Products, recurrence, windows, segments and losses; each sequence run alone."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F

from .store import STEPS, Draw, Masked, each_alone, put_back, record, under, where_true

t = torch.from_numpy


def products():
    for case, a, b in [("ordinary", [2, 3], [3, 4]), ("three axes", [2, 2, 3], [3, 1]),
                       ("one axis", [3], [3, 2]), ("empty", [0, 3], [3, 2]),
                       ("sums of nothing", [2, 0], [0, 3])]:
        draw = Draw("matmul", case)
        x, w = draw.reals(*a), draw.reals(*b)
        record("matmul", "", case, [x, w], [x @ w])
        bias = draw.reals(b[-1])
        record("matmul", "with a bias", case, [x, w, bias], [x @ w + bias])
    for case, a, b in [("ordinary", [2, 3, 4], [2, 4, 2]), ("broadcast", [2, 1, 2, 3], [4, 3, 2]),
                       ("two axes", [2, 3], [3, 2]), ("empty", [0, 2, 3], [0, 3, 2]),
                       ("sums of nothing", [2, 2, 0], [2, 0, 3])]:
        draw = Draw("batched_matmul", case)
        x, y = draw.reals(*a), draw.reals(*b)
        record("batched_matmul", "", case, [x, y], [x @ y])
        record("batched_matmul", "both transposed", case,
               [np.swapaxes(x, -1, -2), np.swapaxes(y, -1, -2)], [x @ y])
    for formula, cases in {
            "ij,kj->ik": [([2, 3], [4, 3]), ([1, 2], [3, 2]), ([0, 3], [2, 3])],
            "ij,ij->": [([2, 3], [2, 3]), ([1, 1], [1, 1]), ([2, 0], [2, 0])],
            "i,j->ij": [([2], [3]), ([1], [4]), ([0], [3])],
            "bti,ij->btj": [([2, 3, 2], [2, 3]), ([1, 1, 3], [3, 1]), ([0, 2, 2], [2, 3])],
            "ijk->kj": [([2, 3, 4],), ([1, 2, 3],), ([0, 2, 3],)]}.items():
        for case, shapes in zip(["ordinary", "other sizes", "empty"], cases):
            x = [Draw("einsum", formula, case, str(i)).reals(*s) for i, s in enumerate(shapes)]
            record("einsum", formula, case, x, [np.einsum(formula, *x)])


def turned(x, frequencies, start):
    """Pairs as complex numbers, turned by position * frequency."""
    n = len(frequencies)
    angle = np.multiply.outer(start + np.arange(len(x)), frequencies)
    angle = angle.reshape([len(x)] + [1] * (x.ndim - 2) + [n])
    z = (x[..., :n] + 1j * x[..., n:]) * np.exp(1j * angle)
    return np.concatenate([z.real, z.imag], -1)


def sines(x, frequencies, start):
    angle = np.multiply.outer(start + np.arange(len(x)), frequencies)
    pairs = np.stack([np.sin(angle), np.cos(angle)], -1)
    return pairs.reshape(len(x), 2 * len(frequencies))[:, :x.shape[-1]]


def positions():
    for case, shape in {"ordinary": [2, 3, 4], "heads": [2, 3, 2, 4], "empty": [0, 3, 4],
                        "no steps": [2, 0, 4]}.items():
        x = Draw("positions", case).reals(*shape)
        at = np.broadcast_to(2 + np.arange(shape[1]), shape[:2])
        record("positions", "from 2", case, [x], [at])
        y = np.array([turned(s, [1, 0.25], 1) for s in x]).reshape(shape)
        record("rotate_by_position", "1, 0.25, from 1", case, [x], [y])
        if len(shape) == 3:
            y = np.array([sines(s, [1, 0.25], 1) for s in x]).reshape(shape)
            record("sine_positions", "1, 0.25, from 1", case, [x], [y])
    x = Draw("positions", "masked").reals(4, 4, 4)
    at = put_back(STEPS, each_alone(lambda s: 2 + np.arange(len(s)), STEPS, x))
    record("positions", "from 2", "masked", [under(STEPS, x)], [at])
    alone = each_alone(lambda s: turned(s, [1, 0.25], 1), STEPS, x)
    record("rotate_by_position", "1, 0.25, from 1", "masked", [under(STEPS, x)],
           [put_back(STEPS, alone, 4)])
    alone = each_alone(lambda s: sines(s, [1, 0.25], 1), STEPS, x)
    record("sine_positions", "1, 0.25, from 1", "masked", [under(STEPS, x)],
           [put_back(STEPS, alone, 4)])


def gru_before(x, kernel, recurrent, bias, h):
    """Keras's GRU with reset_after=False: gates z, r, h."""
    outputs, n = [], len(h)
    for step in x:
        a = step @ kernel + bias
        z = 1 / (1 + np.exp(-a[:n] - h @ recurrent[:, :n]))
        r = 1 / (1 + np.exp(-a[n:2 * n] - h @ recurrent[:, n:2 * n]))
        h = z * h + (1 - z) * np.tanh(a[2 * n:] + (r * h) @ recurrent[:, 2 * n:])
        outputs.append(h)
    return outputs, h


# PyTorch's order of Keras's gates: GRU r, z, n of z, r, h; LSTM i, f, g, o of i, f, c, o.
MODULES = {"simple": (torch.nn.RNN, [0]), "GRU, reset after": (torch.nn.GRU, [1, 0, 2]),
           "LSTM": (torch.nn.LSTM, [0, 1, 2, 3])}


def by_module(variant, x, kernel, recurrent, bias, *state):
    if len(x) == 0:
        return [], *state
    module, order = MODULES[variant.removesuffix(", backwards")]
    units = recurrent.shape[0]
    m = module(x.shape[1], units, batch_first=True).double()
    for name, w in [("weight_ih_l0", kernel), ("weight_hh_l0", recurrent),
                    ("bias_ih_l0", bias.reshape(-1, bias.shape[-1])[0]),
                    ("bias_hh_l0", bias[1] if bias.ndim == 2 else 0 * bias)]:
        gates = np.split(w, len(order), -1)
        getattr(m, name).data = t(np.concatenate([gates[i] for i in order], -1).T.copy())
    states = tuple(t(s.copy())[None, None] for s in state)
    with torch.no_grad():
        y, last = m(t(x.copy())[None], states if len(states) > 1 else states[0])
    last = last if isinstance(last, tuple) else (last,)
    return y[0].numpy(), *(s[0, 0].numpy() for s in last)


def recurrent():
    gates = {"simple": 1, "GRU": 3, "GRU, reset after": 3, "LSTM": 4}
    for variant in ["simple", "GRU", "GRU, reset after", "LSTM", "LSTM, backwards"]:
        cell = variant.removesuffix(", backwards")
        for case, (b, steps, features, units) in {
                "ordinary": (2, 3, 2, 2), "other sizes": (1, 2, 3, 1), "empty": (0, 3, 2, 2),
                "no steps": (2, 0, 2, 2), "masked": (4, 4, 2, 2)}.items():
            if case == "no steps" and variant != "LSTM":
                continue
            draw, n = Draw("recurrent", variant, case), gates[cell] * units
            x = draw.reals(b, steps, features)
            weights = [draw.between(-1, 1, features, n), draw.between(-1, 1, units, n),
                       draw.between(-1, 1, *([2, n] if "after" in cell else [n]))]
            state = [draw.between(-1, 1, b, units) for _ in range(1 + (cell == "LSTM"))]
            valid = STEPS if case == "masked" else np.ones([b, steps], bool)
            run = gru_before if cell == "GRU" else lambda *a: by_module(variant, *a)
            turn = slice(None, None, -1 if "backwards" in variant else 1)
            parts = [run(x[i, valid[i]][turn], *weights, *(s[i] for s in state)) for i in range(b)]
            outputs = np.zeros([b, steps, units])
            for i, part in enumerate(parts):
                if len(part[0]):
                    outputs[i, valid[i]] = np.array(part[0])[turn]
            states = [np.array([p[1 + k] for p in parts]).reshape(b, units)
                      for k in range(len(state))]
            masked = case == "masked"
            record("recurrent", variant, case,
                   [under(STEPS, x) if masked else x, *weights, *state],
                   [Masked(outputs, STEPS) if masked else outputs, *states])


def linear_steps(a, b, h):
    """All h = a h + b of one sequence, and the last."""
    outputs = []
    for factor, term in zip(a, b):
        h = factor * h + term
        outputs.append(h)
    return outputs, h


def linear_recurrences():
    for case, shape in {"ordinary": [2, 3, 2], "two axes": [1, 4, 2, 3], "empty": [0, 3, 2],
                        "no steps": [2, 0, 2], "masked": [4, 4, 2]}.items():
        draw, inner = Draw("linear_recurrence", case), shape[2:]
        a, b = draw.between(-1, 1, *shape), draw.reals(*shape)
        state = draw.reals(shape[0], *inner)
        masked = case == "masked"
        valid = STEPS if masked else np.ones(shape[:2], bool)
        given = [under(STEPS, a), under(STEPS, b)] if masked else [a, b]
        for variant, turn in [("", 1), ("backwards", -1)]:
            for op, first in [("linear_recurrence", 0 * state),
                              ("linear_recurrence_with_state", state)]:
                y, last = np.zeros(shape), np.zeros(state.shape)
                for i in range(shape[0]):
                    outputs, last[i] = linear_steps(a[i, valid[i]][::turn], b[i, valid[i]][::turn],
                                                    first[i])
                    if len(outputs):
                        y[i, valid[i]] = np.array(outputs)[::turn]
                y = Masked(y, STEPS) if masked else y
                if op == "linear_recurrence":
                    record(op, variant, case, given, [y])
                else:
                    record(op, variant, case, [*given, state], [y, last])


def scan_steps(x, delta, a, b, c, h):
    """The outputs of a selective scan of one sequence, and the last state."""
    outputs = []
    for t in range(len(x)):
        h = np.exp(delta[t] * a) * h + np.outer(b[t], delta[t] * x[t])
        outputs.append(c[t] @ h)
    return outputs, h


def convolved_steps(x, kernel, before):
    """Of one sequence: each step with those before it, and the last ones."""
    width, all_steps = len(kernel), np.concatenate([before, x])
    outputs = [(all_steps[t:t + width] * kernel).sum(0) for t in range(len(x))]
    return outputs, all_steps[len(all_steps) - width + 1:]


def run_each(op, variant, case, run, inputs, shared, state, width):
    """Records an operation whose `inputs` have steps, and which goes on from a state."""
    masked, turn = case == "masked", -1 if variant == "backwards" else 1
    shape = inputs[0].shape
    valid = STEPS if masked else np.ones(shape[:2], bool)
    y, last = np.zeros([*shape[:2], width]), np.array(state)
    for i in range(shape[0]):
        outputs, last[i] = run(*(x[i, valid[i]][::turn] for x in inputs), state[i])
        if len(outputs):
            y[i, valid[i]] = np.array(outputs)[::turn]
    given = [under(STEPS, x) for x in inputs] if masked else list(inputs)
    given[shared[0]:shared[0]] = shared[1:]
    record(op, variant, case, [*given, state], [Masked(y, STEPS) if masked else y, last])


def state_spaces():
    for case, (b, steps, inner, n) in {"ordinary": (2, 3, 2, 2), "other sizes": (1, 5, 3, 1),
                                       "empty": (0, 3, 2, 2), "no steps": (2, 0, 2, 2),
                                       "masked": (4, 4, 2, 3)}.items():
        draw = Draw("selective_scan", case)
        x, delta = draw.reals(b, steps, inner), draw.between(0.1, 1, b, steps, inner)
        a = draw.between(-2, -0.2, n, inner)
        inputs, state = [draw.reals(b, steps, n) for _ in "bc"], draw.reals(b, n, inner)
        kernel, before = draw.reals(n + 1, inner), draw.reals(b, n, inner)
        for variant in ["", "backwards"]:
            run_each("selective_scan", variant, case,
                     lambda x, d, b, c, h: scan_steps(x, d, a, b, c, h), [x, delta, *inputs],
                     [2, a], state, inner)
            run_each("causal_convolution", variant, case,
                     lambda x, h: convolved_steps(x, kernel, h), [x], [1, kernel], before, inner)


def windowed(x, width, stride, padding, dilation):
    """[windows, width, features] of one sequence."""
    reach = (width - 1) * dilation
    before, after = 0, 0
    if padding == "causal":
        before = reach
    elif padding == "same" and len(x):
        whole = max(0, (-(-len(x) // stride) - 1) * stride + reach + 1 - len(x))
        before, after = whole // 2, whole - whole // 2
    padded = np.pad(x, [(before, after), (0, 0)])
    if len(x) == 0 or len(padded) < reach + 1:
        return np.zeros([0, width, x.shape[1]])
    every = np.lib.stride_tricks.sliding_window_view(padded, reach + 1, 0)[::stride, :, ::dilation]
    return np.swapaxes(every, 1, 2)


def windows():
    for variant, options in {"3, same": (3, 1, "same", 1),
                             "2, causal, dilated": (2, 1, "causal", 2),
                             "2, strided": (2, 2, "valid", 1),
                             "3, same, strided": (3, 2, "same", 1)}.items():
        width, stride, padding, _ = options
        for case, shape in {"ordinary": [2, 5, 2], "other sizes": [1, 2, 1],
                            "empty": [0, 4, 2]}.items():
            x = Draw("windows", case).reals(*shape)
            time = len(windowed(np.zeros(shape[1:]), *options))
            y = np.array([windowed(s, *options) for s in x])
            record("windows", variant, case, [x], [y.reshape(shape[0], time, width, shape[2])])
        x = Draw("windows", "masked").reals(*STEPS.shape, 2)
        parts = each_alone(lambda s: windowed(s, *options), STEPS, x)
        there = STEPS
        if stride > 1 or padding == "valid":  # window k at step k
            time = len(windowed(np.zeros([4, 2]), *options))
            there = np.array([np.arange(time) < len(p) for p in parts])
        record("windows", variant, "masked", [under(STEPS, x)],
               [put_back(there, parts, width, 2)])


def segments():
    functions = {"segment_sum": np.sum, "segment_mean": np.mean, "segment_max": np.max,
                 "segment_min": np.min}
    for op, f in functions.items():
        for case, shape in {"ordinary": [2, 4, 2], "one value a step": [3, 5], "empty": [0, 4, 2],
                            "no steps": [2, 0, 2], "masked": [4, 4, 2]}.items():
            draw = Draw("segments", case)
            x, ids = draw.distinct(*shape), draw.ids(2, *shape[:2])
            valid = STEPS if case == "masked" else np.ones(shape[:2], bool)
            y, there = np.zeros([shape[0], 3, *shape[2:]]), np.zeros([shape[0], 3], bool)
            for b, s in np.ndindex(there.shape):
                steps = x[b, valid[b] & (ids[b] == s)]
                there[b, s] = len(steps) > 0
                if len(steps):
                    y[b, s] = f(steps, axis=0)
            given = [under(STEPS, x), under(STEPS, ids)] if case == "masked" else [x, ids]
            record(op, "3", case, given, [y if op == "segment_sum" else where_true(y, there)])


def crf_scores(x, transitions):
    """Of every way to tag the steps of a sequence, in order, its score."""
    ways = list(itertools.product(range(x.shape[1]), repeat=len(x)))
    return ways, np.array([sum(x[k, w] for k, w in enumerate(way)) +
                           sum(transitions[a, b] for a, b in zip(way, way[1:])) for way in ways])


def crf():
    for case, shape in {"ordinary": [2, 3, 3], "other sizes": [1, 5, 2], "empty": [0, 3, 3],
                        "masked": [4, 4, 2]}.items():
        draw = Draw("crf", case)
        x, transitions = draw.reals(*shape), draw.reals(shape[2], shape[2])
        tags = draw.ids(shape[2], *shape[:2])
        valid = STEPS if case == "masked" else np.ones(shape[:2], bool)
        losses, best = np.zeros(shape[0]), np.zeros(shape[:2], np.int64)
        for b in range(shape[0]):
            ways, scores = crf_scores(x[b, valid[b]], transitions)
            own = ways.index(tuple(tags[b, valid[b]]))
            losses[b] = torch.logsumexp(t(scores.astype(float)), 0) - scores[own]
            best[b, valid[b]] = ways[scores.argmax()]
        masked = case == "masked"
        given = under(STEPS, x) if masked else x
        record("crf_negative_log_likelihood", "", case,
               [under(STEPS, tags) if masked else tags, given, transitions],
               [where_true(losses, valid.any(1))])
        record("crf_decode", "", case, [given, transitions],
               [Masked(best, STEPS) if masked else best])


def ctc():
    labels_there = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 1, 0]], bool)
    for case, shape in {"ordinary": [2, 5, 4], "other sizes": [1, 7, 3], "empty": [0, 5, 4],
                        "masked": [4, 4, 4]}.items():
        draw = Draw("ctc", case)
        x, labels = draw.reals(*shape), 1 + draw.ids(shape[2] - 1, shape[0], 3)
        if case == "ordinary":
            labels[0] = [2, 2, 1]  # a blank must stand between equal ones
        masked = case == "masked"
        valid = STEPS if masked else np.ones(shape[:2], bool)
        named = labels_there if masked else np.ones(labels.shape, bool)
        losses = np.zeros(shape[0])
        for b in np.flatnonzero(valid.any(1)):
            own, steps = labels[b, named[b]], x[b, valid[b]]
            losses[b] = F.ctc_loss(F.log_softmax(t(steps), -1)[:, None], t(own)[None], [len(steps)],
                                   [len(own)], reduction="sum")
        record("ctc_negative_log_likelihood", "blank 0", case,
               [under(named, labels) if masked else labels, under(STEPS, x) if masked else x],
               [where_true(losses, valid.any(1)) if shape[0] else losses])


def cross_entropies():
    for case, shape in {"ordinary": [3, 4], "three axes": [2, 3, 5], "empty": [0, 4],
                        "masked": [4, 4, 3]}.items():
        draw = Draw("cross_entropy", case)
        x, ids, targets = draw.reals(*shape), draw.ids(shape[-1], *shape[:-1]), draw.between(
            0, 1, *shape)
        losses = F.cross_entropy(t(x.reshape(-1, shape[-1])), t(ids.reshape(-1)), reduction="none")
        losses = losses.numpy().reshape(shape[:-1])
        binary = F.binary_cross_entropy_with_logits(t(x), t(targets), reduction="none").numpy()
        if case == "masked":
            x, ids, targets = (under(STEPS, a) for a in (x, ids, targets))
            losses, binary = Masked(losses, STEPS), Masked(binary, STEPS)
        record("sparse_cross_entropy", "", case, [ids, x], [losses])
        record("binary_cross_entropy", "", case, [targets, x], [binary])


def all_of_them():
    for family in [products, positions, recurrent, linear_recurrences, state_spaces, windows,
                   segments, crf, ctc, cross_entropies]:
        family()
