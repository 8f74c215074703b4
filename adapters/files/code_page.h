// Any code page that ICU knows (docs/decisions/0020), by its name: cp037, ibm-273, ibm-1388,
// gb18030, windows-1252. Those of single bytes are read by a table of 256 entries.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

struct UConverter;

namespace sluice::adapters::files {

// Immutable; any thread.
class CodePage {
 public:
  // INVALID_ARGUMENT, whose message goes behind "must", where ICU knows none of that name, or where
  // its digits are not single bytes (UTF-16).
  static absl::StatusOr<std::shared_ptr<const CodePage>> Of(std::string_view name);

  const std::string& name() const { return name_; }
  bool ebcdic() const { return ebcdic_; }
  bool single_byte() const { return single_byte_; }
  bool utf8() const { return utf8_; }
  // Bytes that switch between one byte a character and two.
  bool shifts() const { return shifts_; }
  // Bytes below 0x80 are ASCII, whatever stands before them.
  bool ascii_as_is() const { return ascii_as_is_; }
  // What the byte is by itself; nothing where it is none, or a part of one.
  std::optional<char32_t> CharacterOf(uint8_t byte) const {
    if (characters_[byte] < 0) return std::nullopt;
    return static_cast<char32_t>(characters_[byte]);
  }
  // The same as UTF-8: its bytes in the lower three, their count in the highest; 0 for nothing.
  uint32_t EntryOf(uint8_t byte) const { return entries_[byte]; }
  // How many bytes of UTF-8 a byte becomes at most.
  int64_t expansion() const { return expansion_; }

 private:
  CodePage() = default;

  std::string name_;
  bool ebcdic_ = false, single_byte_ = false, utf8_ = false, ascii_as_is_ = false, shifts_ = false;
  int64_t expansion_ = 1;
  std::array<int32_t, 256> characters_;
  std::array<uint32_t, 256> entries_;
};

// Text of a code page as UTF-8. One thread at a time.
class PageDecoder {
 public:
  // SOURCE_UNAVAILABLE where ICU's table is not at hand any more.
  static absl::StatusOr<PageDecoder> Make(std::shared_ptr<const CodePage> page);
  PageDecoder(PageDecoder&& other) noexcept;
  PageDecoder(const PageDecoder&) = delete;
  PageDecoder& operator=(const PageDecoder&) = delete;
  ~PageDecoder();

  const CodePage& page() const { return *page_; }
  // The text as UTF-8: a view of `raw`, or of what the decoder holds until the next call. Nothing
  // where a byte has no meaning: no character is replaced or left out.
  std::optional<std::string_view> Decode(std::string_view raw);
  // Adds the offset at which each character of `raw` begins; a byte without meaning is one of its
  // own.
  void Characters(std::string_view raw, std::vector<size_t>& begins);
  // Characters of two bytes each, without the shifts that mark them elsewhere.
  std::optional<std::string_view> DecodeDouble(std::string_view raw);

 private:
  explicit PageDecoder(std::shared_ptr<const CodePage> page) : page_(std::move(page)) {}
  std::optional<std::string_view> DecodeSingle(std::string_view raw);
  std::optional<std::string_view> DecodeByIcu(std::string_view raw);

  std::shared_ptr<const CodePage> page_;
  UConverter* converter_ = nullptr;  // null where a table does
  std::string bytes_, shifted_;
  std::vector<char16_t> units_;
};

}  // namespace sluice::adapters::files
