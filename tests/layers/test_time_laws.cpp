#include <doctest/doctest.h>

#include <set>

#include <maskgrad/maskgrad.hpp>

#include "layers/layer_cases.hpp"

// Law 8 over every registered layer: what it declares to read along time is what it is seen to
// read, and in pieces it gives what the whole gives.

namespace maskgrad::tests::test_time_laws {

TEST_SUITE("laws") {
  TEST_CASE("in pieces or whole: every layer") {
    std::set<std::string> streamed;
    for (auto& row : layer_rows()) {
      const auto time = row.layer.time();
      INFO(row.title << ": " << time.str());
      if (!time.streamable()) {
        CHECK_FALSE(time.why.empty());
        CHECK_THROWS_AS(Stream{row.layer}, OptionError);
        continue;
      }
      if (!row.of_sequences) continue;
      if (row.layer.is<PositionEmbedding>()) {
        row.specs[0] = Spec::f64({any, 5, 3});  // as many positions as it has
      }
      if (row.title == "Dot (steps by steps)" || row.title == "Dot (an axis of each)") {
        continue;  // these pair steps, and refuse the mask
      }
      LawReport report;
      CHECK_NOTHROW(report = check_time_laws(row.layer, row.specs));
      CHECK_MESSAGE(report, report.str());
      streamed.insert(std::string(row.layer.kind()));
    }
    // Each layer that can, under some options.
    for (const char* kind : {"Masking",
                             "Embedding",
                             "Dense",
                             "EinsumDense",
                             "Activation",
                             "Dropout",
                             "SimpleRNN",
                             "GRU",
                             "LSTM",
                             "RNN",
                             "MinGRU",
                             "MinLSTM",
                             "RGLRU",
                             "S6",
                             "LinearAttention",
                             "MultiHeadAttention",
                             "GroupedQueryAttention",
                             "Attention",
                             "AdditiveAttention",
                             "TransformerEncoder",
                             "TransformerDecoder",
                             "SinePositionEncoding",
                             "PositionEmbedding",
                             "RotaryEmbedding",
                             "LayerNormalization",
                             "BatchNormalization",
                             "GlobalAveragePooling1D",
                             "GlobalMaxPooling1D",
                             "GlobalSumPooling1D",
                             "FirstStep",
                             "LastStep",
                             "AttentionPooling1D",
                             "Add",
                             "Concatenate",
                             "MaskedConv1D",
                             "MaskedMaxPooling1D",
                             "MaskedAveragePooling1D",
                             "CRF"}) {
      CHECK_MESSAGE(streamed.count(kind) == 1, std::string(kind));
    }
  }
}

}  // namespace maskgrad::tests::test_time_laws
