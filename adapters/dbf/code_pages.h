// Code pages of tables: what a header's language driver byte means, and what the setting `encoding`
// can say. The tables are ICU's (docs/decisions/0020).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/files/encoding.h"

namespace sluice::adapters::dbf {

struct CodePage {
  std::string_view name;  // as in settings
  const char* icu;
};

// Null for 0, which says nothing, and for drivers whose page ICU has not.
const CodePage* CodePageOfDriver(uint8_t language_driver);
const CodePage* CodePageNamed(std::string_view name);
std::string CodePageNames();

// Text of a table: in its code page, or, where that is not known, ASCII. One thread at a time.
class TextDecoder {
 public:
  // `page` may be null. SOURCE_UNAVAILABLE where ICU has no such table.
  static absl::StatusOr<TextDecoder> Make(const CodePage* page);
  // UTF-8: a view of `raw` or of `scratch`; nothing where a byte has no meaning.
  std::optional<std::string_view> Decode(std::string_view raw, std::string& scratch);
  // Of bytes that have none, a sentence's end.
  const char* why() const;

 private:
  explicit TextDecoder(std::optional<files::Decoder> decoder) : decoder_(std::move(decoder)) {}
  std::optional<files::Decoder> decoder_;
};

}  // namespace sluice::adapters::dbf
