"""Writes data/linear_recurrence.safetensors: what NumPy gives for h = a h + b under masks with
holes, and for the gradients of a sum of results times weights, in f64. Each sequence runs by itself
and unpadded, step by step; a gradient is by complex steps, (f(x + i e) / e).imag with e so small
that no digit is lost. The test that holds it is test_linear_recurrence.cpp. Run with Debian's
python3-numpy."""

import pathlib

import numpy as np

from recorded import store
from recorded.store import STEPS, Draw

TINY = 1e-200


def run(a, b, state, turn):
    """All h and the last ones, each sequence alone."""
    h, last = np.zeros(a.shape, a.dtype), np.array(state)
    for i, valid in enumerate(STEPS):
        for t in np.flatnonzero(valid)[::turn]:
            last[i] = a[i, t] * last[i] + b[i, t]
            h[i, t] = last[i]
    return h, last


def gradient(f, x):
    """Of the real f by each value of x."""
    g = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[at] += 1j * TINY
        g[at] = f(moved).imag / TINY
    return g


for name, turn in [("forward", 1), ("backwards", -1)]:
    draw = Draw("linear_recurrence", name)
    given = {"a": draw.between(-1, 1, 4, 4, 3), "b": draw.reals(4, 4, 3),
             "initial": draw.reals(4, 3)}
    given["a"][0, 2] = 0  # a factor of 0 forgets
    up_h, up_last = draw.reals(4, 4, 3), draw.reals(4, 3)

    def total(**changed):
        x = {n: v.astype(complex) for n, v in (given | changed).items()}
        h, last = run(x["a"], x["b"], x["initial"], turn)
        return (h * up_h).sum() + (last * up_last).sum()

    h, last = run(given["a"], given["b"], given["initial"], turn)
    results = given | {"h": h, "last": last, "up_h": up_h, "up_last": up_last}
    for n, value in given.items():
        results["d" + n] = gradient(lambda x: total(**{n: x}), value)
    store.arrays.update({f"{name}/{n}": x for n, x in results.items()})
store.arrays["steps"] = STEPS
store.write(pathlib.Path(__file__).parent / "data" / "linear_recurrence.safetensors")
