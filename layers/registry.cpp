#include <maskgrad/layers/registry.hpp>

#include <maskgrad/layers/activations/elu.hpp>
#include <maskgrad/layers/activations/leaky_relu.hpp>
#include <maskgrad/layers/activations/prelu.hpp>
#include <maskgrad/layers/activations/relu.hpp>
#include <maskgrad/layers/attention/additive_attention.hpp>
#include <maskgrad/layers/attention/attention.hpp>
#include <maskgrad/layers/attention/attention_pooling.hpp>
#include <maskgrad/layers/attention/grouped_query_attention.hpp>
#include <maskgrad/layers/attention/multi_head_attention.hpp>
#include <maskgrad/layers/attention/positions.hpp>
#include <maskgrad/layers/attention/transformer_decoder.hpp>
#include <maskgrad/layers/attention/transformer_encoder.hpp>
#include <maskgrad/layers/basic/activation.hpp>
#include <maskgrad/layers/basic/dense.hpp>
#include <maskgrad/layers/basic/einsum_dense.hpp>
#include <maskgrad/layers/basic/embedding.hpp>
#include <maskgrad/layers/basic/lambda.hpp>
#include <maskgrad/layers/basic/masking.hpp>
#include <maskgrad/layers/basic/softmax.hpp>
#include <maskgrad/layers/basic/time_distributed.hpp>
#include <maskgrad/layers/convolution/conv1d.hpp>
#include <maskgrad/layers/convolution/conv1d_transpose.hpp>
#include <maskgrad/layers/convolution/depthwise_conv1d.hpp>
#include <maskgrad/layers/convolution/resize.hpp>
#include <maskgrad/layers/convolution/separable_conv1d.hpp>
#include <maskgrad/layers/losses/crf.hpp>
#include <maskgrad/layers/merging/concatenate.hpp>
#include <maskgrad/layers/merging/dot.hpp>
#include <maskgrad/layers/merging/merge.hpp>
#include <maskgrad/layers/normalization/batch_normalization.hpp>
#include <maskgrad/layers/normalization/group_normalization.hpp>
#include <maskgrad/layers/normalization/layer_normalization.hpp>
#include <maskgrad/layers/normalization/rms_normalization.hpp>
#include <maskgrad/layers/normalization/unit_normalization.hpp>
#include <maskgrad/layers/pooling/edge_step.hpp>
#include <maskgrad/layers/pooling/global_pooling.hpp>
#include <maskgrad/layers/pooling/window_pooling.hpp>
#include <maskgrad/layers/recurrent/bidirectional.hpp>
#include <maskgrad/layers/recurrent/gru.hpp>
#include <maskgrad/layers/recurrent/lstm.hpp>
#include <maskgrad/layers/recurrent/rnn.hpp>
#include <maskgrad/layers/recurrent/simple_rnn.hpp>
#include <maskgrad/layers/regularization/alpha_dropout.hpp>
#include <maskgrad/layers/regularization/dropout.hpp>
#include <maskgrad/layers/regularization/gaussian_dropout.hpp>
#include <maskgrad/layers/regularization/gaussian_noise.hpp>
#include <maskgrad/layers/regularization/spatial_dropout.hpp>
#include <maskgrad/layers/reshaping/flatten.hpp>
#include <maskgrad/layers/reshaping/permute.hpp>
#include <maskgrad/layers/reshaping/repeat_vector.hpp>
#include <maskgrad/layers/reshaping/reshape.hpp>
#include <maskgrad/layers/reshaping/reverse.hpp>

namespace maskgrad {

std::vector<RegisteredLayer> builtin_layers() {
  return {
      registered<Masking>(),
      registered<Embedding>(),
      registered<Dense>(),
      registered<EinsumDense>(),
      registered<Activation>(),
      registered<ReLU>(),
      registered<LeakyReLU>(),
      registered<PReLU>(),
      registered<ELU>(),
      registered<Softmax>(),
      registered<Lambda>(),
      registered<TimeDistributed>(),
      registered<Dropout>(),
      registered<SpatialDropout1D>(),
      registered<GaussianDropout>(),
      registered<AlphaDropout>(),
      registered<GaussianNoise>(),
      registered<SimpleRNN>(),
      registered<GRU>(),
      registered<LSTM>(),
      registered<Bidirectional>(),
      registered<MultiHeadAttention>(),
      registered<GroupedQueryAttention>(),
      registered<Attention>(),
      registered<AdditiveAttention>(),
      registered<TransformerEncoder>(),
      registered<TransformerDecoder>(),
      registered<SinePositionEncoding>(),
      registered<PositionEmbedding>(),
      registered<RotaryEmbedding>(),
      registered<RNN>(),
      registered<SimpleRNNCell>(),
      registered<GRUCell>(),
      registered<LSTMCell>(),
      registered<StackedRNNCells>(),
      registered<LayerNormalization>(),
      registered<RMSNormalization>(),
      registered<UnitNormalization>(),
      registered<BatchNormalization>(),
      registered<GroupNormalization>(),
      registered<GlobalAveragePooling1D>(),
      registered<GlobalMaxPooling1D>(),
      registered<GlobalSumPooling1D>(),
      registered<FirstStep>(),
      registered<LastStep>(),
      registered<AttentionPooling1D>(),
      registered<Add>(),
      registered<Subtract>(),
      registered<Multiply>(),
      registered<Average>(),
      registered<Maximum>(),
      registered<Minimum>(),
      registered<Concatenate>(),
      registered<Dot>(),
      registered<RepeatVector>(),
      registered<Permute>(),
      registered<Reshape>(),
      registered<Flatten>(),
      registered<Reverse>(),
      registered<MaskedConv1D>(),
      registered<MaskedMaxPooling1D>(),
      registered<MaskedAveragePooling1D>(),
      registered<Conv1D>(),
      registered<DepthwiseConv1D>(),
      registered<SeparableConv1D>(),
      registered<Conv1DTranspose>(),
      registered<MaxPooling1D>(),
      registered<AveragePooling1D>(),
      registered<UpSampling1D>(),
      registered<ZeroPadding1D>(),
      registered<Cropping1D>(),
      registered<CRF>(),
  };
}

}  // namespace maskgrad
