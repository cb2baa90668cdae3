"""What moves values: reshaping, slicing, joining, repeating, gathering, selecting, sequences."""

import numpy as np
import torch

from .store import STEPS, Draw, Masked, each_alone, put_back, record, under, where_true

# Of one input: op, variant, the function, and shapes (ordinary, of another rank, empty).
MOVES = [
    ("reshape", "-1, 2", lambda x: x.reshape(-1, 2), [3, 4], [2, 3, 2], [0, 4]),
    ("reshape", "3, 2, 2", lambda x: x.reshape(3, 2, 2), [3, 4], [12], [2, 6]),
    ("flatten", "", lambda x: x.reshape(len(x), int(np.prod(x.shape[1:]))), [3, 4], [2, 3, 2],
     [0, 3, 2]),
    ("flatten", "0 to 1", lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), [3, 4],
     [2, 3, 2], [2, 0, 3]),
    ("steps_as_samples", "", lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), [3, 4],
     [2, 3, 2], [2, 0, 3]),
    ("samples_as_steps", "back", lambda x: x, [3, 4], [2, 3, 2], [2, 0, 3]),
    ("expand_dims", "1", lambda x: np.expand_dims(x, 1), [3, 4], [5], [0, 3]),
    ("expand_dims", "-1", lambda x: np.expand_dims(x, -1), [3, 4], [], [0, 3]),
    ("squeeze", "1", lambda x: np.squeeze(x, 1), [3, 1], [2, 1, 3], [0, 1]),
    ("squeeze", "-1", lambda x: np.squeeze(x, -1), [3, 1], [1], [0, 1]),
    ("permute", "2, 0, 1", lambda x: np.transpose(x, (2, 0, 1)), [2, 3, 4], [1, 4, 2], [2, 0, 3]),
    ("permute", "1, 0", lambda x: x.T, [2, 3], [4, 1], [0, 3]),
    ("transpose", "0, -1", lambda x: np.swapaxes(x, 0, -1), [2, 3], [2, 3, 4], [0, 3]),
    ("moveaxis", "0 to -1", lambda x: np.moveaxis(x, 0, -1), [2, 3], [2, 3, 4], [0, 3]),
    ("moveaxis", "-1 to 0", lambda x: np.moveaxis(x, -1, 0), [2, 3], [2, 3, 4], [0, 3]),
    ("slice", "axis 1, 1 to 3", lambda x: x[:, 1:3], [3, 4], [2, 3, 2], [0, 4]),
    ("slice", "axis 0, -2 to the end", lambda x: x[-2:], [3, 4], [5], [2, 0]),
    ("slice", "axis 1, 1 to the end by 2", lambda x: x[:, 1::2], [3, 6], [2, 3, 2], [3, 1]),
    ("select", "axis 1, -1", lambda x: x[:, -1], [3, 4], [2, 3, 2], [0, 4]),
    ("select", "axis 0, 1", lambda x: x[1], [3, 4], [3], [2, 0]),
    ("repeat", "2, axis 1", lambda x: np.repeat(x, 2, 1), [2, 3], [2, 2, 3], [2, 0]),
    ("repeat", "3, axis 0", lambda x: np.repeat(x, 3, 0), [2, 3], [4], [0, 2]),
    ("tile", "2, axis 1", lambda x: np.concatenate([x, x], 1), [2, 3], [2, 2, 3], [2, 0]),
    ("tile", "0, axis 0", lambda x: x[:0], [2, 3], [4], [0, 2]),
    ("pad", "axis 1, 1 and 2, 7",
     lambda x: np.pad(x, [(0, 0), (1, 2)] + [(0, 0)] * (x.ndim - 2), constant_values=7), [2, 3],
     [2, 2, 3], [2, 0]),
    ("roll", "2, axis 1", lambda x: np.roll(x, 2, 1), [2, 5], [2, 3, 2], [2, 0]),
    ("roll", "-7, axis 0", lambda x: np.roll(x, -7, 0), [5, 2], [3], [0, 2]),
    ("broadcast_to", "2, 4, 3", lambda x: np.broadcast_to(x, (2, 4, 3)), [4, 1], [3], [2, 4, 3]),
    ("broadcast_to", "0, 3", lambda x: np.broadcast_to(x, (0, 3)), [1, 3], [3], [0, 1]),
    ("reverse", "", lambda x: x[:, ::-1], [2, 3], [2, 3, 2], [2, 0]),
    ("reverse", "axis 0", lambda x: x[::-1], [2, 3], [4], [0, 3]),
    ("shift", "1, 0.5", lambda x: moved(x, 1, 0.5), [2, 3], [2, 3, 2], [2, 0]),
    ("shift", "-2", lambda x: moved(x, -2), [2, 3], [2, 3, 2], [2, 0]),
    ("shift", "9", lambda x: moved(x, 9), [2, 3], [2, 3, 2], [2, 0]),
    ("take_step", "1", lambda x: x[:, 1], [2, 3], [2, 3, 2], [0, 3]),
    ("take_step", "-2", lambda x: x[:, -2], [2, 3], [2, 3, 2], [0, 3]),
    ("last_valid", "", lambda x: x[:, -1], [2, 3], [2, 3, 2], [0, 3]),
    ("first_valid", "", lambda x: x[:, 0], [2, 3], [2, 3, 2], [0, 3]),
]


def moved(x, by, fill=0):
    """Step k holds what step k - by held."""
    y = np.full(x.shape, fill, x.dtype)
    for k in range(x.shape[1]):
        if 0 <= k - by < x.shape[1]:
            y[:, k] = x[:, k - by]
    return y


def moves():
    for op, variant, f, *shapes in MOVES:
        for case, shape in zip(["ordinary", "another rank", "empty"], shapes):
            x = Draw(op, variant, case).reals(*shape)
            record(op, variant, case, [x], [f(x)])


def sequences():
    """The valid steps of each sequence alone: a step is there, or its sequence has no result."""
    x = Draw("sequences").reals(*STEPS.shape, 2)
    given = under(STEPS, x)
    for op, variant, f in [("reverse", "", lambda s: s[::-1]),
                           ("shift", "1, 0.5", lambda s: moved(s[None], 1, 0.5)[0]),
                           ("shift", "-2", lambda s: moved(s[None], -2)[0])]:
        record(op, variant, "masked", [given], [put_back(STEPS, each_alone(f, STEPS, x), 2)])
    for op, variant, k in [("take_step", "1", 1), ("take_step", "-2", -2), ("last_valid", "", -1),
                           ("first_valid", "", 0)]:
        least = k + 1 if k >= 0 else -k
        there = STEPS.sum(1) >= least
        steps = each_alone(lambda s: s[k] if len(s) >= least else np.zeros(2), STEPS, x)
        record(op, variant, "masked", [given], [where_true(np.array(steps), there)])


def joins():
    parts = {"ordinary": [[2, 1], [2, 2]], "three axes": [[2, 3, 1], [2, 3, 2]],
             "empty": [[2, 0], [2, 1]], "of nothing": [[0, 2], [0, 3]]}
    for case, shapes in parts.items():
        x = [Draw("concatenate", case, str(i)).reals(*s) for i, s in enumerate(shapes)]
        record("concatenate", "axis -1", case, x, [np.concatenate(x, -1)])
        x = [np.swapaxes(p, 0, -1) for p in x]
        record("concatenate", "axis 0", case, x, [np.concatenate(x, 0)])
    x = [Draw("concatenate", "masked", str(i)).reals(4, 4, 2) for i in range(2)]
    lengths = np.arange(4) < np.array([[4], [3], [0], [2]])
    a, b = under(STEPS, x[0]), under(lengths, x[1])
    record("concatenate", "axis -1", "masked", [a, b],
           [Masked(np.concatenate(x, -1), STEPS & lengths)])
    record("concatenate", "axis 1", "masked", [a, b],
           [Masked(np.concatenate(x, 1), np.concatenate([STEPS, lengths], 1))])
    for case, shape in {"ordinary": [2, 3], "scalars": [], "empty": [0, 2]}.items():
        x = [Draw("stack", case, str(i)).reals(*shape) for i in range(3)]
        record("stack", "axis 0", case, x, [np.stack(x)])
        record("stack", "axis -1", case, x, [np.stack(x, -1)])


def added_at(table, ids, values):
    table = table.copy()
    np.add.at(table, ids, values)
    return table


def gathers():
    for case, table, ids in [("ordinary", [5, 2], [3]), ("two axes of ids", [4, 3], [2, 3]),
                             ("rows of two axes", [3, 2, 2], [4]), ("one id", [4, 3], []),
                             ("empty", [4, 2], [0, 3])]:
        draw = Draw("take", case)
        x, i = draw.reals(*table), np.asarray(draw.ids(table[0], *ids))
        values = draw.reals(*ids, *table[1:])
        record("take", "", case, [x, i], [x[i]])
        record("add_at", "", case, [x, i, values], [added_at(x, i, values)])
        record("one_hot", "5", case, [i], [np.eye(5)[i]])
    draw = Draw("take", "masked")
    x, i, values = draw.reals(5, 2), draw.ids(5, *STEPS.shape), draw.reals(*STEPS.shape, 2)
    record("take", "", "masked", [x, under(STEPS, i)], [Masked(x[i], STEPS)])
    record("add_at", "", "masked", [x, under(STEPS, i), values],
           [added_at(x, i[STEPS], values[STEPS])])
    record("one_hot", "5", "masked", [under(STEPS, i)], [Masked(np.eye(5)[i], STEPS)])


def along():
    for axis, case, shape, index in [(1, "ordinary", [2, 3], [2, 4]),
                                     (0, "ordinary", [2, 3], [1, 3]),
                                     (1, "three axes", [2, 3, 2], [2, 2, 2]),
                                     (1, "empty", [2, 3], [2, 0]), (0, "empty", [2, 0], [3, 0]),
                                     (0, "one axis", [4], [6])]:
        draw = Draw("along", str(axis), case)
        x, i = draw.reals(*shape), draw.ids(shape[axis], *index)
        updates = draw.reals(*index)
        record("take_along_axis", f"axis {axis}", case, [x, i], [np.take_along_axis(x, i, axis)])
        sums = torch.from_numpy(x).scatter_add(axis, *map(torch.from_numpy, (i, updates)))
        record("scatter_add", f"axis {axis}", case, [x, i, updates], [sums.numpy()])


def selects():
    for case, shapes in {"ordinary": [[2, 3]] * 3, "broadcast": [[2, 1], [3], [4, 1, 1]],
                         "scalar": [[2, 3], [], [3]], "empty": [[0, 3], [0, 3], [3]]}.items():
        draw = Draw("where", case)
        c, a, b = draw.truth(*shapes[0]), draw.reals(*shapes[1]), draw.reals(*shapes[2])
        record("where", "", case, [c, a, b], [np.where(c, a, b)])
    draw = Draw("where", "masked")
    c, a, b = draw.truth(4, 4), draw.reals(4, 4), draw.reals(4, 1)
    samples = np.array([True, True, True, False])
    record("where", "", "masked", [c, under(STEPS, a), under(samples, b)],
           [Masked(np.where(c, a, b), STEPS & samples[:, None])])
    for case, shape in {"ordinary": [4, 4], "three axes": [4, 4, 2]}.items():
        draw = Draw("or_else", case)
        a, b = draw.reals(*shape), draw.reals(*shape)
        chosen = np.where(STEPS.reshape([4, 4] + [1] * (len(shape) - 2)), a, b)
        record("or_else", "", case, [under(STEPS, a), b], [chosen])
    a, b = Draw("or_else", "a").reals(4, 4), Draw("or_else", "b").reals(4, 4)
    record("or_else", "", "a mask on the second", [under(STEPS, a), under(samples, b)],
           [Masked(np.where(STEPS, a, b), samples)])
    none = np.zeros([0, 4])
    record("or_else", "", "empty", [Masked(none, np.zeros([0, 4], bool)), none], [none])
    for case, shape in {"ordinary": [4, 4], "three axes": [4, 4, 2]}.items():
        x = Draw("drop_mask", case).reals(*shape)
        filled = np.where(STEPS.reshape([4, 4] + [1] * (len(shape) - 2)), x, 7)
        record("drop_mask", "7", case, [under(STEPS, x)], [filled])
        record("with_mask", "", case, [x, STEPS], [Masked(x, STEPS)])
    record("with_mask", "", "empty", [none, none == 1], [Masked(none, none == 1)])
    record("drop_mask", "7", "empty", [Masked(none, np.zeros([0, 4], bool))], [none])


def all_of_them():
    moves()
    sequences()
    joins()
    gathers()
    along()
    selects()
