"""The losses that `compare` measures in PyTorch, by the names of ours: each gives x and a function
of the loss."""

import torch
from torch.nn import functional


def ctc(size, lengths):
    batch, time, classes = size
    x = torch.randn(time, batch, classes, requires_grad=True)
    steps = torch.full((batch,), time) if lengths is None else lengths
    labels = torch.randint(1, classes, (batch, 60))
    sizes = torch.clamp(torch.as_tensor(steps) // 3, max=60)
    return x, lambda: functional.ctc_loss(x.log_softmax(-1), labels, steps, sizes)


def crossentropy(rows, classes):
    x, ids = torch.randn(rows, classes, requires_grad=True), torch.randint(0, classes, (rows,))
    return x, lambda: functional.cross_entropy(x, ids)


def of_probabilities(loss):
    """A loss of a prediction and a target that both sum to 1."""
    def make(size, _):
        x, target = torch.randn(size).softmax(-1).requires_grad_(), torch.randn(size).softmax(-1)
        return x, lambda: loss(x, target)
    return make


LOSSES = {
    "CTC": ctc,
    "SparseCategoricalCrossentropy": lambda size, _: crossentropy(size[0] * size[1], size[2]),
    "CategoricalCrossentropy": of_probabilities(
        lambda x, t: functional.cross_entropy(x.flatten(0, 1), t.flatten(0, 1))),
    "BinaryCrossentropy": of_probabilities(functional.binary_cross_entropy_with_logits),
    "MeanSquaredError": of_probabilities(functional.mse_loss),
    "MeanAbsoluteError": of_probabilities(functional.l1_loss),
    "Huber": of_probabilities(functional.huber_loss),
    "KLDivergence": of_probabilities(
        lambda x, t: functional.kl_div(x.log(), t, reduction="batchmean")),
    "Poisson": of_probabilities(
        lambda x, t: functional.poisson_nll_loss(x, t, log_input=False)),
    "CosineSimilarity": of_probabilities(
        lambda x, t: -functional.cosine_similarity(x, t, dim=-1).mean()),
}
