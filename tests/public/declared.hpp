#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace maskgrad::tests {

void each_public_header(const std::function<void(const std::filesystem::path&)>& f);

/// The functions that the public headers declare directly in namespace maskgrad.
std::set<std::string> declared_functions();
/// The classes and structs that they define there.
std::set<std::string> declared_classes();
/// Those that no row is for, and why.
std::map<std::string, std::string> classes_without_row();
/// The names that stand in the rows.
std::set<std::string> words_of_rows();

}  // namespace maskgrad::tests
