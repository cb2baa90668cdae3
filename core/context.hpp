#pragma once

#include <string>
#include <string_view>

namespace maskgrad::extend {

/// Names the layer that is running, for error messages and for where a mask was made. Lives on the
/// stack of the call; costs two pointers. Errors thrown and masks made below it carry its path.
class LayerScope {
 public:
  /// `kind` as `GRU`, `path` as `encoder/gru_1`; both must outlive the scope.
  LayerScope(std::string_view kind, std::string_view path);
  ~LayerScope();
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;

  /// The innermost running layer; null outside of any.
  static const LayerScope* current();
  /// `GRU 'encoder/gru_1'`.
  std::string title() const;
  std::string_view kind() const { return kind_; }
  std::string_view path() const { return path_; }

 private:
  std::string_view kind_, path_;
  const LayerScope* outer_;
};

}  // namespace maskgrad::extend
