#include "adapters/files/code_page.h"

#include <unicode/ucnv.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "gateway/base/error.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::files {
namespace {

constexpr char kShiftOut = '\x0E', kShiftIn = '\x0F';

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
           c == ':' || c == ',' || c == '=';
  });
}

UConverter* OpenConverter(const std::string& name) {
  UErrorCode error = U_ZERO_ERROR;
  UConverter* const converter = ucnv_open(name.c_str(), &error);
  if (U_FAILURE(error)) return nullptr;
  ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  if (U_SUCCESS(error)) return converter;
  ucnv_close(converter);
  return nullptr;
}

// What the byte is by itself, or -1.
int32_t CharacterAlone(UConverter* converter, char byte) {
  ucnv_resetToUnicode(converter);
  const char* from = &byte;
  char16_t units[4];
  char16_t* to = units;
  UErrorCode error = U_ZERO_ERROR;
  ucnv_toUnicode(converter, &to, units + 4, &from, &byte + 1, nullptr, true, &error);
  if (U_FAILURE(error) || to != units + 1 || U16_IS_SURROGATE(units[0])) return -1;
  return units[0];
}

// Of the basic plane.
uint32_t EntryFor(int32_t character) {
  unsigned char bytes[3] = {};
  uint32_t size = 1;
  if (character < 0) return 0;
  const auto code = static_cast<uint32_t>(character);
  if (code < 0x80) {
    bytes[0] = static_cast<unsigned char>(code);
  } else if (code < 0x800) {
    size = 2;
    bytes[0] = static_cast<unsigned char>(0xC0 | (code >> 6));
    bytes[1] = static_cast<unsigned char>(0x80 | (code & 0x3F));
  } else {
    size = 3;
    bytes[0] = static_cast<unsigned char>(0xE0 | (code >> 12));
    bytes[1] = static_cast<unsigned char>(0x80 | ((code >> 6) & 0x3F));
    bytes[2] = static_cast<unsigned char>(0x80 | (code & 0x3F));
  }
  return size << 24 | static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[1]) << 8 |
         bytes[0];
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CodePage>> CodePage::Of(std::string_view name) {
  const absl::Status unknown =
      absl::InvalidArgumentError("be a code page that ICU knows, such as cp037, ibm-1388 or utf-8");
  if (!IsPlainName(name)) return unknown;
  std::shared_ptr<CodePage> page(new CodePage);
  page->name_ = std::string(name);
  UConverter* const converter = OpenConverter(page->name_);
  if (converter == nullptr) return unknown;
  const UConverterType type = ucnv_getType(converter);
  page->single_byte_ = type == UCNV_SBCS || type == UCNV_LATIN_1 || type == UCNV_US_ASCII;
  page->utf8_ = type == UCNV_UTF8;
  page->shifts_ = type == UCNV_EBCDIC_STATEFUL || type == UCNV_ISO_2022 || type == UCNV_HZ;
  bool ascii = true;
  for (int byte = 0; byte < 256; ++byte) {
    const int32_t character = CharacterAlone(converter, static_cast<char>(byte));
    page->characters_[byte] = character;
    page->entries_[byte] = EntryFor(character);
    if (byte < 0x80) ascii = ascii && character == byte;
    if (page->single_byte_)
      page->expansion_ = std::max<int64_t>(page->expansion_, page->entries_[byte] >> 24);
  }
  ucnv_close(converter);
  page->ebcdic_ = page->characters_[0xF0] == '0';
  page->ascii_as_is_ = ascii && page->single_byte_;
  if (!page->single_byte_ && !page->utf8_) page->expansion_ = 2;
  if (!page->ebcdic_ && page->characters_['0'] != '0')
    return absl::InvalidArgumentError("be a code page whose digits are single bytes");
  return page;
}

absl::StatusOr<PageDecoder> PageDecoder::Make(std::shared_ptr<const CodePage> page) {
  PageDecoder decoder(std::move(page));
  if (decoder.page_->single_byte() || decoder.page_->utf8()) return decoder;
  decoder.converter_ = OpenConverter(decoder.page_->name());
  if (decoder.converter_ != nullptr) return decoder;
  return Error(v1::REASON_SOURCE_UNAVAILABLE, "the table of the source's encoding is not at hand");
}

PageDecoder::PageDecoder(PageDecoder&& other) noexcept
    : page_(std::move(other.page_)),
      converter_(std::exchange(other.converter_, nullptr)),
      bytes_(std::move(other.bytes_)),
      shifted_(std::move(other.shifted_)),
      units_(std::move(other.units_)) {}

PageDecoder::~PageDecoder() {
  if (converter_ != nullptr) ucnv_close(converter_);
}

std::optional<std::string_view> PageDecoder::Decode(std::string_view raw) {
  if (page_->utf8()) {
    if (!records::ValidUtf8(raw)) return std::nullopt;
    return raw;
  }
  if (!page_->single_byte()) return DecodeByIcu(raw);
  if (page_->ascii_as_is() && records::IsAscii(raw)) return raw;
  return DecodeSingle(raw);
}

void PageDecoder::Characters(std::string_view raw, std::vector<size_t>& begins) {
  if (converter_ == nullptr) {
    for (size_t at = 0; at < raw.size(); ++at)
      // All bytes of UTF-8 but those that go on with a character.
      if (!page_->utf8() || (raw[at] & 0xC0) != 0x80) begins.push_back(at);
    return;
  }
  ucnv_resetToUnicode(converter_);
  const char* const end = raw.data() + raw.size();
  for (const char* at = raw.data(); at < end;) {
    const char* const begin = at;
    begins.push_back(static_cast<size_t>(begin - raw.data()));
    UErrorCode error = U_ZERO_ERROR;
    ucnv_getNextUChar(converter_, &at, end, &error);
    if (U_SUCCESS(error) && at > begin) continue;
    at = begin + 1;
    ucnv_resetToUnicode(converter_);
  }
}

std::optional<std::string_view> PageDecoder::DecodeSingle(std::string_view raw) {
  // Each character is written as four bytes, of which the next overwrites what is not its own.
  const size_t room = raw.size() * 3 + 4;
  if (bytes_.size() < room) bytes_.resize(room);
  char* to = bytes_.data();
  bool bad = false;
  for (const char byte : raw) {
    const uint32_t entry = page_->EntryOf(static_cast<uint8_t>(byte));
    std::memcpy(to, &entry, sizeof(entry));
    to += entry >> 24;
    bad |= entry == 0;
  }
  if (bad) return std::nullopt;
  return std::string_view(bytes_.data(), static_cast<size_t>(to - bytes_.data()));
}

std::optional<std::string_view> PageDecoder::DecodeByIcu(std::string_view raw) {
  // No character takes more units than bytes.
  if (units_.size() < raw.size() + 1) units_.resize(raw.size() + 1);
  ucnv_resetToUnicode(converter_);
  const char* from = raw.data();
  char16_t* to = units_.data();
  UErrorCode error = U_ZERO_ERROR;
  ucnv_toUnicode(converter_, &to, to + units_.size(), &from, from + raw.size(), nullptr, true,
                 &error);
  if (U_FAILURE(error)) return std::nullopt;
  const auto count = static_cast<int32_t>(to - units_.data());
  if (bytes_.size() < static_cast<size_t>(count) * 3 + 1)
    bytes_.resize(static_cast<size_t>(count) * 3 + 1);
  int32_t size = 0;
  u_strToUTF8(bytes_.data(), static_cast<int32_t>(bytes_.size()), &size, units_.data(), count,
              &error);
  if (U_FAILURE(error)) return std::nullopt;
  return std::string_view(bytes_.data(), static_cast<size_t>(size));
}

std::optional<std::string_view> PageDecoder::DecodeDouble(std::string_view raw) {
  if (!page_->ebcdic()) return Decode(raw);
  if (page_->single_byte()) return std::nullopt;
  shifted_.assign(1, kShiftOut);
  shifted_.append(raw);
  shifted_.push_back(kShiftIn);
  return DecodeByIcu(shifted_);
}

}  // namespace sluice::adapters::files
