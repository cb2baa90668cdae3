"""Arithmetic, comparisons, unary mathematics, activations, logic and casts."""

import numpy as np
import torch
import torch.nn.functional as F

from .store import STEPS, Draw, Masked, record, under

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan])

ARITHMETIC = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply,
              "divide": np.divide, "power": np.power, "maximum": np.maximum,
              "minimum": np.minimum, "floor_divide": np.floor_divide,
              "remainder": np.remainder, "atan2": np.arctan2, "logaddexp": np.logaddexp,
              "prelu": lambda x, y: np.where(x > 0, x, y * x)}
COMPARISONS = {"equal": np.equal, "not_equal": np.not_equal, "less": np.less,
               "less_equal": np.less_equal, "greater": np.greater,
               "greater_equal": np.greater_equal}
LOGIC = {"logical_and": np.logical_and, "logical_or": np.logical_or,
         "logical_xor": np.logical_xor}
PAIRS = {"ordinary": ([2, 3], [2, 3]), "broadcast": ([2, 1, 3], [4, 1]), "row": ([2, 3, 2], [2]),
         "scalar first": ([], [2, 3]), "empty": ([0, 3], [1, 3])}

NUMBERS = {("add", "x + 2"): lambda x: x + 2, ("add", "2 + x"): lambda x: 2 + x,
           ("subtract", "x - 2"): lambda x: x - 2, ("subtract", "2 - x"): lambda x: 2 - x,
           ("multiply", "x * 3"): lambda x: x * 3, ("multiply", "3 * x"): lambda x: 3 * x,
           ("multiply", "-x"): lambda x: -x, ("divide", "x / 3"): lambda x: x / 3,
           ("divide", "3 / x"): lambda x: 3 / x,
           ("power", "x to the 3"): lambda x: x**3, ("power", "x to the 2"): lambda x: x**2,
           ("maximum", "with 0.5"): lambda x: np.maximum(x, 0.5),
           ("minimum", "with 0.5"): lambda x: np.minimum(x, 0.5),
           ("floor_divide", "by 0.75"): lambda x: x // 0.75,
           ("remainder", "by -0.75"): lambda x: x % -0.75,
           ("greater", "than 1"): lambda x: x > 1, ("greater_equal", "1"): lambda x: x >= 1,
           ("less", "than 1"): lambda x: x < 1, ("less_equal", "1"): lambda x: x <= 1,
           ("equal", "1"): lambda x: x == 1, ("not_equal", "1"): lambda x: x != 1}


def by_torch(f):
    return lambda x: f(torch.from_numpy(np.array(x))).numpy()


def special_relu(x):
    """Keras's relu(x, negative_slope=0.25, max_value=2, threshold=-0.5)."""
    return np.where(x >= 2, 2, np.where(x >= -0.5, x, 0.25 * (x + 0.5)))


def squareplus(b):
    """(x + sqrt(x^2 + b)) / 2, without the loss of digits below 0."""
    def f(x):
        root = np.sqrt(x * x + b)
        return np.where(x < 0, b / (2 * (root - x)), (x + root) / 2)
    return f


def hard_silu(x):
    return np.where(x <= -3, 0, np.where(x >= 3, x, x * (x + 3) / 6))


def soft_shrink(threshold):
    """PyTorch's makes 0 of NaN."""
    return lambda x: np.where(np.abs(x) <= threshold, 0, x - np.sign(x) * threshold)


def sparse_plus(x):
    return np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4))


ANY, POSITIVE, UNIT = (-2.5, 3.75), (1 / 64, 9), (-63 / 64, 63 / 64)
UNARY = {
    "abs": (np.abs, ANY), "sign": (np.sign, ANY), "square": (np.square, ANY),
    "sqrt": (np.sqrt, POSITIVE), "rsqrt": (by_torch(torch.rsqrt), POSITIVE),
    "reciprocal": (lambda x: 1 / x, POSITIVE), "exp": (np.exp, ANY), "exp2": (np.exp2, ANY),
    "expm1": (np.expm1, ANY),
    "log": (np.log, POSITIVE), "log1p": (np.log1p, POSITIVE), "log2": (np.log2, POSITIVE),
    "log10": (np.log10, POSITIVE), "sin": (np.sin, ANY), "cos": (np.cos, ANY),
    "tan": (np.tan, UNIT), "asin": (np.arcsin, UNIT), "acos": (np.arccos, UNIT),
    "atan": (np.arctan, ANY), "sinh": (np.sinh, ANY), "cosh": (np.cosh, ANY),
    "asinh": (np.arcsinh, ANY), "acosh": (np.arccosh, (1, 9)), "atanh": (np.arctanh, UNIT),
    "tanh": (np.tanh, ANY), "erf": (by_torch(torch.erf), ANY), "floor": (np.floor, ANY),
    "ceil": (np.ceil, ANY), "round": (np.round, ANY), "trunc": (np.trunc, ANY),
    "relu": (by_torch(F.relu), ANY), "relu6": (by_torch(F.relu6), (-3, 9)),
    "leaky_relu": (by_torch(lambda x: F.leaky_relu(x, 0.2)), ANY), "elu": (by_torch(F.elu), ANY),
    "selu": (by_torch(F.selu), ANY), "gelu": (by_torch(F.gelu), ANY),
    "silu": (by_torch(F.silu), ANY), "mish": (by_torch(F.mish), ANY),
    "sigmoid": (by_torch(torch.sigmoid), ANY), "log_sigmoid": (by_torch(F.logsigmoid), ANY),
    "hard_sigmoid": (by_torch(F.hardsigmoid), (-5, 5)),
    "celu": (by_torch(F.celu), ANY), "hard_silu": (hard_silu, (-5, 5)),
    "hard_tanh": (by_torch(F.hardtanh), ANY), "hard_shrink": (by_torch(F.hardshrink), ANY),
    "soft_shrink": (soft_shrink(0.5), ANY), "tanh_shrink": (lambda x: x - np.tanh(x), ANY),
    "squareplus": (squareplus(4), ANY), "sparse_plus": (sparse_plus, ANY),
    "softplus": (by_torch(lambda x: F.softplus(x, threshold=1e3)), ANY),
    "softsign": (by_torch(F.softsign), ANY), "exponential": (np.exp, ANY),
    "linear": (np.array, ANY), "stop_gradient": (np.array, ANY),
    ("clip", "-1 to 2"): (lambda x: np.clip(x, -1, 2), ANY),
    ("relu", "all options"): (special_relu, ANY),
    ("leaky_relu", "0.3"): (by_torch(lambda x: F.leaky_relu(x, 0.3)), ANY),
    ("elu", "1.3"): (by_torch(lambda x: F.elu(x, 1.3)), ANY),
    ("celu", "2"): (by_torch(lambda x: F.celu(x, 2)), ANY),
    ("hard_shrink", "1"): (by_torch(lambda x: F.hardshrink(x, 1)), ANY),
    ("soft_shrink", "0.75"): (soft_shrink(0.75), ANY),
    ("squareplus", "0.3"): (squareplus(0.3), ANY),
    ("gelu", "approximate"): (by_torch(lambda x: F.gelu(x, approximate="tanh")), ANY),
}


def binary():
    for op, f in (ARITHMETIC | COMPARISONS).items():
        real_only = op in ["divide", "power", "atan2", "logaddexp", "prelu"]
        for case, (a, b) in PAIRS.items():
            draw = Draw(op, case)
            x = draw.between(1 / 64, 3, *a) if op == "power" else draw.reals(*a)
            y = draw.between(1 / 64, 2, *b) if op == "divide" else draw.reals(*b)
            if op in COMPARISONS:
                x, y = np.round(x), np.round(y)  # with some equal ones
            record(op, "", case, [x, y], [f(x, y)])
        draw = Draw(op, "masked")
        x, y = draw.between(1, 3, 4, 4, 2), draw.between(1, 3, 4, 1, 2)
        samples = np.array([True, True, True, False])
        record(op, "", "masked", [under(STEPS, x), under(samples, y)],
               [Masked(f(x, y), STEPS & samples[:, None])])
        a, b = SPECIAL[:, None], SPECIAL[None]
        record(op, "", "special", [a, b], [f(a, b)])
        if not real_only:
            x, y = draw.ids(5, 2, 3) - 2, draw.ids(5, 3) - 2
            record(op, "", "whole numbers", [x, y], [f(x, y)])
    for (op, variant), f in NUMBERS.items():
        x = Draw(op, variant, "ordinary").between(0.25, 3, 2, 3)
        record(op, variant, "ordinary", [x], [f(x)])


def unary():
    for op, (f, (low, high)) in UNARY.items():
        op, variant = op if isinstance(op, tuple) else (op, "")
        for case, shape in {"ordinary": [2, 3], "empty": [0, 3]}.items():
            x = Draw(op, variant, case).between(low, high, *shape)
            record(op, variant, case, [x], [f(x)])
        x = Draw(op, variant, "masked").between(low, high, *STEPS.shape)
        record(op, variant, "masked", [under(STEPS, x)], [Masked(f(x), STEPS)])
        record(op, variant, "special", [SPECIAL], [f(SPECIAL)])
    for op, variant, f in [("abs", "", np.abs), ("sign", "", np.sign), ("square", "", np.square),
                           ("clip", "-1 to 2", lambda x: np.clip(x, -1, 2))]:
        x = np.array([-3, 0, 4])
        record(op, variant, "whole numbers", [x], [f(x)])


def truth():
    for op, f in {"isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite}.items():
        for case, x in {"ordinary": SPECIAL, "two axes": SPECIAL[None, 2:],
                        "empty": SPECIAL[None, :0]}.items():
            record(op, "", case, [x], [f(x)])
    for case, shape in {"ordinary": [4], "two axes": [2, 3], "empty": [0, 3]}.items():
        x = Draw("logical_not", case).truth(*shape)
        record("logical_not", "", case, [x], [~x])
    for op, f in LOGIC.items():
        for case, (a, b) in PAIRS.items():
            draw = Draw(op, case)
            x, y = draw.truth(*a), draw.truth(*b)
            record(op, "", case, [x, y], [f(x, y)])


def casts():
    for case, shape in {"ordinary": [2, 3], "scalar": [], "empty": [0, 2]}.items():
        x = Draw("cast", case).reals(*shape)
        record("cast", "to f32", case, [x], [x.astype(np.float32)])
        record("cast", "to i64", case, [x], [x.astype(np.int64)])
        record("cast", "to bool", case, [np.round(x)], [np.round(x).astype(bool)])
        record("cast", "to f64", case, [x.astype(np.int64)], [x.astype(np.int64).astype(float)])


def all_of_them():
    with np.errstate(all="ignore"):
        binary()
        unary()
        truth()
        casts()
