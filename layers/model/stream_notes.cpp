#include <maskgrad/layers/model/stream_notes.hpp>

#include <maskgrad/layers/model/versioned_notes.hpp>

namespace maskgrad::detail {
namespace {

constexpr const char* stream_key = "maskgrad_stream";
constexpr std::int64_t stream_version = 1;
constexpr std::string_view in_load_state = "Stream, load_state";

struct StreamNotesOptions {
  std::int64_t version = stream_version;
  StreamNotes notes;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    auto& n = o.notes;
    f(extend::required("version"), o.version);
    f(extend::required("sequences"), n.sequences);
    f(extend::required("batch_invariant"), n.batch_invariant);
    f(extend::required("layers"), n.layers);
    f(extend::required("weights"), n.weights);
    f(extend::required("steps"), n.steps);
    f(extend::required("context_of"), n.context_of);
    f(extend::required("contexts"), n.contexts);
    f(extend::required("slots"), n.slots);
    f(extend::required("rooms"), n.rooms);
    f(extend::required("made"), n.made);
    f(extend::required("single"), n.single);
  }
};

}  // namespace

Metadata metadata_of(const StreamNotes& notes) {
  extend::OptionWriter writer;
  const StreamNotesOptions options{stream_version, notes};
  StreamNotesOptions::each_option(options, writer);
  return {{stream_key, writer.json()}};
}

StreamNotes stream_notes_from(const std::filesystem::path& path, const Metadata& metadata) {
  const auto text = metadata.find(stream_key);
  if (text == metadata.end()) {
    fail<FileError>(in_load_state,
                    "{} is no state of a stream: its metadata have no '{}'; write one by "
                    "save_state",
                    path.string(), stream_key);
  }
  return read_notes<StreamNotesOptions>(in_load_state, path, text->second, "what stream it is of",
                                        [](StreamNotesOptions&& o) { return std::move(o.notes); });
}

}  // namespace maskgrad::detail
