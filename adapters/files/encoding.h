// Code pages of files, and text of theirs as UTF-8. The tables are ICU's (docs/decisions/0020);
// UTF-8 itself is only checked.
//
// Records are cut on the file's own bytes, so that a byte offset names a record; what a byte can be
// there (the second half of a character, or a comma) is decided by the encoding's class.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

struct UConverter;

namespace sluice::adapters::files {

enum class Encoding { kUtf8, kGb18030, kGbk, kBig5, kLatin1, kUtf16Le, kUtf16Be };

// "utf-8", "gb18030", …: as in settings. Nothing for other names.
std::optional<Encoding> EncodingOf(std::string_view name);
std::string EncodingNames();

// Bytes of one unit: two for UTF-16, else one.
inline size_t UnitSize(Encoding encoding) {
  return encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf16Be ? 2 : 1;
}

// How many bytes of UTF-8 a byte of the file becomes at most.
inline size_t Expansion(Encoding encoding) { return encoding == Encoding::kUtf8 ? 1 : 2; }

// The size of the byte order mark that `start`, the file's first four bytes, begins with; 0 where
// there is none. Nothing where it begins with the mark of another encoding: then the encoding is
// certainly another than was said.
std::optional<size_t> MarkSize(std::string_view start, Encoding encoding);

// One thread at a time.
class Decoder {
 public:
  // UNAVAILABLE where ICU has no such table: an installation without its data.
  static absl::StatusOr<Decoder> Make(Encoding encoding);
  // By ICU's name, of an encoding whose bytes below 0x80 are ASCII.
  static absl::StatusOr<Decoder> OfTable(const char* icu_name);
  Decoder(Decoder&& other) noexcept;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder();

  // The text as UTF-8: a view of `raw` or of `scratch`. Nothing where a byte has no meaning: no
  // character is replaced or left out.
  std::optional<std::string_view> Decode(std::string_view raw, std::string& scratch);

 private:
  static absl::StatusOr<Decoder> Of(Encoding encoding, const char* icu_name);
  Decoder(Encoding encoding, UConverter* converter) : encoding_(encoding), converter_(converter) {}

  const Encoding encoding_;
  UConverter* converter_;  // null for UTF-8
  std::vector<char16_t> units_;
};

}  // namespace sluice::adapters::files
