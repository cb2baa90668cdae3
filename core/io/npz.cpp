#include <maskgrad/core/io/npz.hpp>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/checksum.hpp>
#include <maskgrad/core/io/crc_watch.hpp>
#include <maskgrad/core/io/name_index.hpp>
#include <maskgrad/core/io/npy_format.hpp>
#include <maskgrad/core/io/zip_entry.hpp>
#include <maskgrad/core/io/zip_write.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view suffix = ".npy";

// What is wrong with an array's name, empty where nothing is. Names are never paths here, but
// others unpack the file.
std::string_view fault(std::string_view name) {
  constexpr std::size_t most = 65535 - suffix.size();
  if (name.empty()) return "is empty";
  if (name.size() > most) return "is too long for a zip file";
  if (name.find('\0') != name.npos) return "holds a NUL";
  if (!detail::is_utf8(name)) return "is not UTF-8";
  if (name.front() == '/' || name.find('\\') != name.npos) return "is like an absolute path";
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return "leads out of its folder";
    begin = end + 1;
  }
  return {};
}

std::string array_name(const detail::ZipEntry& entry, const detail::Place& place) {
  std::string_view name = entry.name;
  if (!name.ends_with(suffix)) {
    place.refuse(entry.header,
                 "the entry {} is no .npy; an .npz file holds nothing else; write it "
                 "again with numpy.savez",
                 detail::in_quotes(name));
  }
  name.remove_suffix(suffix.size());
  if (const auto wrong = fault(name); !wrong.empty()) {
    place.refuse(entry.header,
                 "the name of the entry {} {}; expected a plain name; write the file again",
                 detail::in_quotes(entry.name), wrong);
  }
  return std::string(name);
}

}  // namespace

struct NpzReader::Parts {
  template <class... Args>
  explicit Parts(Args&&... args)
      : source(std::make_shared<detail::ByteSource>(std::forward<Args>(args)...)),
        entries(detail::read_zip_directory(*source)) {
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (const auto& entry : entries) names.push_back(array_name(entry, source->place()));
    index = detail::NameIndex(std::move(names));
    if (const auto twice = index.repeated()) {
      source->place().refuse(entries[*twice].header,
                             "the entry {} comes a second time; expected "
                             "every name once; write the file again",
                             detail::in_quotes(entries[*twice].name));
    }
  }

  const detail::ZipEntry& require(std::string_view name) const {
    return entries[index.require(name, source->place())];
  }

  Array read(const detail::ZipEntry& entry) const {
    detail::ZipEntryStream in(*source, entry);
    return detail::read_npy(in);
  }

  std::shared_ptr<const detail::ByteSource> source;
  std::vector<detail::ZipEntry> entries;
  detail::NameIndex index;
};

NpzReader::NpzReader(const std::filesystem::path& path)
    : parts_(std::make_unique<Parts>(path, "read_npz")) {}
NpzReader::NpzReader(std::span<const std::byte> bytes, std::string_view name)
    : parts_(std::make_unique<Parts>(bytes, name, "parse_npz")) {}
NpzReader::NpzReader(NpzReader&&) noexcept = default;
NpzReader& NpzReader::operator=(NpzReader&&) noexcept = default;
NpzReader::~NpzReader() = default;

const std::vector<std::string>& NpzReader::names() const {
  return parts_->index.names();
}

bool NpzReader::contains(std::string_view name) const {
  return parts_->index.find(name).has_value();
}

Array NpzReader::read(std::string_view name) const {
  return parts_->read(parts_->require(name));
}

detail::ArrayRows NpzReader::rows(std::string_view name) const {
  const auto& entry = parts_->require(name);
  detail::ZipEntryStream in(*parts_->source, entry);
  const auto layout = detail::read_npy_layout(in);
  detail::check_npy_size(layout, in);
  if (entry.method != detail::ZipMethod::stored || layout.fortran) return {in, layout};
  std::vector<std::byte> header(in.position());
  parts_->source->read_at(entry.data, header);
  const auto elements = in.left();
  // The entry's checksum without its header.
  const auto expected =
      entry.checksum ^ detail::crc32_joined(detail::crc32(0, header), 0, elements);
  return {parts_->source, entry.data + header.size(), layout, in.place().file,
          std::make_shared<detail::CrcWatch>(elements, expected)};
}

std::vector<std::string> NpzReader::texts(std::string_view name) const {
  detail::ZipEntryStream in(*parts_->source, parts_->require(name));
  return detail::read_npy_texts(in);
}

void NpzReader::verify(std::string_view name) const {
  detail::ZipEntryStream in(*parts_->source, parts_->require(name));
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::min<std::uint64_t>(in.left(), 65536)));
  while (in.left() > 0) {
    in.read(std::span(buffer).first(std::min<std::size_t>(buffer.size(), in.left())));
  }
  in.finish();
}

NamedArrays NpzReader::read_all() const {
  NamedArrays arrays;
  arrays.reserve(names().size());
  for (std::size_t i = 0; i < names().size(); ++i) {
    arrays.push_back({names()[i], parts_->read(parts_->entries[i])});
  }
  return arrays;
}

NamedArrays read_npz(const std::filesystem::path& path) {
  return NpzReader(path).read_all();
}

NamedArrays parse_npz(std::span<const std::byte> bytes, std::string_view name) {
  return NpzReader(bytes, name).read_all();
}

namespace {

void check_names(std::string_view where, const NamedArrays& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) {
    detail::check_array(where, name, array);
    if (const auto wrong = fault(name); !wrong.empty()) {
      fail<FileError>(where, "the name {} {}; give a plain name, as 'encoder/kernel'",
                      detail::in_quotes(name), wrong);
    }
    names.push_back(name);
  }
  const detail::NameIndex index(std::move(names));
  if (const auto twice = index.repeated()) {
    fail<FileError>(where, "the name {} comes twice; give every array a name of its own",
                    detail::in_quotes(arrays[*twice].name));
  }
}

void write_parts(std::string_view where, const NamedArrays& arrays, Compression compression,
                 const std::function<void(std::span<const std::byte>)>& sink) {
  std::vector<std::string> headers;
  headers.reserve(arrays.size());
  std::vector<detail::ZipPart> parts;
  for (const auto& [name, array] : arrays) {
    headers.push_back(detail::npy_header(array));
    parts.push_back({name + std::string(suffix), detail::as_bytes(headers.back()), array.bytes});
  }
  detail::write_zip(where, parts, compression == Compression::deflated, sink);
}

}  // namespace

void write_npz(const std::filesystem::path& path, const NamedArrays& arrays,
               Compression compression) {
  check_names("write_npz", arrays);
  AtomicFile file(path, "write_npz");
  write_parts("write_npz", arrays, compression, [&](auto bytes) { file.write(bytes); });
  file.commit();
}

std::vector<std::byte> npz_bytes(const NamedArrays& arrays, Compression compression) {
  check_names("npz_bytes", arrays);
  std::vector<std::byte> made;
  write_parts("npz_bytes", arrays, compression,
              [&](auto bytes) { made.insert(made.end(), bytes.begin(), bytes.end()); });
  return made;
}

}  // namespace maskgrad
