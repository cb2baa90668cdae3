"""The layers that `compare` measures in PyTorch, by the names of ours: each gives, for so many
features and a padding mask (or none), a module and a function of x. What PyTorch has no module for
is written in its operations."""

import torch


def with_second(merge):
    """A layer of two inputs, both of which want a gradient."""
    return torch.nn.Module(), lambda x: merge(x, x.detach().requires_grad_())


def attention(features, padding):
    layer = torch.nn.MultiheadAttention(features, 4, batch_first=True)

    def call(x):
        value = x.detach().requires_grad_()  # ours has two inputs
        return layer(x, value, value, key_padding_mask=padding, need_weights=False)[0]
    return layer, call


def dot_attention(_, padding):
    def attend(query, value):
        scores = query @ value.transpose(1, 2)
        if padding is not None:
            scores = scores.masked_fill(padding[:, None], -torch.inf)
        return scores.softmax(-1) @ value
    return with_second(attend)


def encoder(features, padding):
    layer = torch.nn.TransformerEncoderLayer(features, 4, 512, 0.0, batch_first=True)
    return layer, lambda x: layer(x, src_key_padding_mask=padding)


def decoder(features, padding):
    layer = torch.nn.TransformerDecoderLayer(features, 4, 512, 0.0, batch_first=True)

    def call(x):
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return layer(x, x.detach().requires_grad_(), tgt_mask=later, tgt_key_padding_mask=padding,
                     memory_key_padding_mask=padding)
    return layer, call


def over_features(layer):
    """A layer that wants the features before the steps."""
    return layer, lambda x: layer(x.transpose(1, 2)).transpose(1, 2)


def same(layer):
    return layer, layer


def function(f):
    return torch.nn.Module(), f


def recurrent(layer):
    return layer, lambda x: layer(x)[0]


def rms_norm(features, _):
    layer = torch.nn.Module()
    layer.scale = torch.nn.Parameter(torch.ones(features))
    return layer, lambda x: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-7) * layer.scale


def einsum_dense(features, _):
    layer = torch.nn.Linear(features, 256)
    return layer, lambda x: torch.einsum("...x,yx->...y", x, layer.weight) + layer.bias


LAYERS = {
    "Embedding": lambda f, p: same(torch.nn.Embedding(10000, 256)),
    "Dense": lambda f, p: same(torch.nn.Linear(f, 256)),
    "EinsumDense": einsum_dense,
    "TimeDistributed": lambda f, p: same(torch.nn.Linear(f, 256)),
    "Activation": lambda f, p: same(torch.nn.GELU()),
    "ReLU": lambda f, p: same(torch.nn.ReLU()),
    "LeakyReLU": lambda f, p: same(torch.nn.LeakyReLU(0.2)),
    "PReLU": lambda f, p: over_features(torch.nn.PReLU(f)),
    "ELU": lambda f, p: same(torch.nn.ELU()),
    "Softmax": lambda f, p: same(torch.nn.Softmax(-1)),
    "Dropout": lambda f, p: same(torch.nn.Dropout(0.5)),
    "SpatialDropout1D": lambda f, p: over_features(torch.nn.Dropout1d(0.5)),
    "AlphaDropout": lambda f, p: same(torch.nn.AlphaDropout(0.5)),
    "GaussianDropout": lambda f, p: function(lambda x: x * (1 + torch.randn_like(x))),
    "GaussianNoise": lambda f, p: function(lambda x: x + 0.5 * torch.randn_like(x)),
    "SimpleRNN": lambda f, p: recurrent(torch.nn.RNN(f, 128, batch_first=True)),
    "GRU": lambda f, p: recurrent(torch.nn.GRU(f, 128, batch_first=True)),
    "LSTM": lambda f, p: recurrent(torch.nn.LSTM(f, 128, batch_first=True)),
    "Bidirectional": lambda f, p: recurrent(
        torch.nn.GRU(f, 128, batch_first=True, bidirectional=True)),
    "LayerNormalization": lambda f, p: same(torch.nn.LayerNorm(f)),
    "RMSNormalization": rms_norm,
    "UnitNormalization": lambda f, p: function(lambda x: torch.nn.functional.normalize(x, dim=-1)),
    "BatchNormalization": lambda f, p: over_features(torch.nn.BatchNorm1d(f)),
    "GroupNormalization": lambda f, p: over_features(torch.nn.GroupNorm(32, f)),
    "GlobalAveragePooling1D": lambda f, p: function(lambda x: x.mean(1)),
    "GlobalMaxPooling1D": lambda f, p: function(lambda x: x.max(1)[0]),
    "GlobalSumPooling1D": lambda f, p: function(lambda x: x.sum(1)),
    "Add": lambda f, p: with_second(torch.add),
    "Subtract": lambda f, p: with_second(torch.sub),
    "Multiply": lambda f, p: with_second(torch.mul),
    "Average": lambda f, p: with_second(lambda a, b: (a + b) / 2),
    "Maximum": lambda f, p: with_second(torch.maximum),
    "Minimum": lambda f, p: with_second(torch.minimum),
    "Concatenate": lambda f, p: with_second(lambda a, b: torch.cat([a, b], -1)),
    "RepeatVector": lambda f, p: function(lambda x: x.reshape(-1, 1, f).repeat(1, 4, 1)),
    "Permute": lambda f, p: function(
        lambda x: x.unflatten(-1, (-1, 16)).transpose(2, 3).contiguous()),
    "Reverse": lambda f, p: function(lambda x: x.flip(1)),
    "MaskedConv1D": lambda f, p: over_features(torch.nn.Conv1d(f, 256, 3, padding=1)),
    "MaskedMaxPooling1D": lambda f, p: over_features(torch.nn.MaxPool1d(2)),
    "MaskedAveragePooling1D": lambda f, p: over_features(torch.nn.AvgPool1d(2)),
    "Attention": dot_attention,
    "MultiHeadAttention": attention,
    "TransformerEncoder": encoder,
    "TransformerDecoder": decoder,
}
