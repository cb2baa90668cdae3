#include <cmath>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/layers/keras/lint.hpp>

namespace maskgrad {
namespace {

using detail::Json;

Json lint_number(const std::optional<double>& value) {
  if (!value) return nullptr;
  return std::isfinite(*value) ? Json(*value) : Json("inf");
}

Json lint_refusals(const std::vector<LintRefusal>& refusals) {
  Json all = Json::array();
  for (const auto& r : refusals)
    all.push_back({{"layer", r.layer}, {"class", r.class_name}, {"why", r.why}});
  return all;
}

Json lint_calls(const std::vector<LintCall>& calls) {
  Json all = Json::array();
  for (const auto& call : calls) {
    Json one{{"layer", call.layer},
             {"class", call.class_name},
             {"mask_in", call.mask_in},
             {"does", call.does}};
    if (!call.why.empty()) one["why"] = call.why;
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

std::string Lint::json() const {
  Json j{{"file_name", file},
         {"container", container},
         {"keras_version", keras_version},
         {"outputs", outputs}};
  j["inputs"] = Json::object();
  for (const auto& [name, shape] : inputs) {
    Json sizes = Json::array();
    for (const auto size : shape) sizes.push_back(size == any ? Json(nullptr) : Json(size));
    j["inputs"][name] = std::move(sizes);
  }
  j["mask_made_by"] = mask_made_by;
  j["mask_read_by"] = mask_read_by;
  j["mask_ends_in"] = mask_ends_in;
  j["mask_dropped_by"] = mask_dropped_by;
  j["mask_ignored_by"] = mask_ignored_by;
  j["padding_read_as_data_by"] = padding_read_as_data_by;
  j["mask_unknown_in"] = mask_unknown_in;
  j["output_carries_mask"] = Json::object();
  for (const auto& [name, carries] : output_carries_mask) j["output_carries_mask"][name] = carries;
  j["padding_reaches_result"] =
      padding_reaches_result ? Json(*padding_reaches_result) : Json(nullptr);
  j["padding_reaches_result_is"] = padding_reaches_result_is;
  j["proof"] = Json::array();
  for (const auto& p : proof) {
    j["proof"].push_back({{"output", p.output},
                          {"alone", lint_number(p.alone)},
                          {"padding_1e30", lint_number(p.large)},
                          {"padding_nan", lint_number(p.nan)}});
  }
  j["keras_3_15"] = lint_calls(calls);
  j["maskgrad_refuses"] = {
      {"as the file is", lint_refusals(refuses_now)},
      {"with a mask at every input that has steps", lint_refusals(refuses_masked)}};
  j["file"] = notes;
  j["what_to_do"] = what_to_do;
  j["says"] = says;
  j["status"] = status();
  return detail::json_text(j, 1) + "\n";
}

}  // namespace maskgrad
