#include "adapters/files/encoding.h"

#include <unicode/ucnv.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::files {
namespace {

struct Known {
  std::string_view name;
  Encoding encoding;
  const char* icu;
};
constexpr std::array<Known, 7> kKnown = {{{"utf-8", Encoding::kUtf8, "UTF-8"},
                                          {"gb18030", Encoding::kGb18030, "gb18030"},
                                          {"gbk", Encoding::kGbk, "GBK"},
                                          {"big5", Encoding::kBig5, "Big5"},
                                          {"latin-1", Encoding::kLatin1, "ISO-8859-1"},
                                          {"utf-16le", Encoding::kUtf16Le, "UTF-16LE"},
                                          {"utf-16be", Encoding::kUtf16Be, "UTF-16BE"}}};

struct Mark {
  std::string_view bytes;
  Encoding encoding;
};
constexpr std::array<Mark, 4> kMarks = {{{"\xEF\xBB\xBF", Encoding::kUtf8},
                                         {"\x84\x31\x95\x33", Encoding::kGb18030},
                                         {"\xFF\xFE", Encoding::kUtf16Le},
                                         {"\xFE\xFF", Encoding::kUtf16Be}}};

}  // namespace

std::optional<Encoding> EncodingOf(std::string_view name) {
  for (const Known& known : kKnown)
    if (known.name == name) return known.encoding;
  return std::nullopt;
}

std::string EncodingNames() {
  std::string names;
  for (const Known& known : kKnown) names.append(names.empty() ? "" : ", ").append(known.name);
  return names;
}

std::optional<size_t> MarkSize(std::string_view start, Encoding encoding) {
  for (const Mark& mark : kMarks) {
    if (!start.starts_with(mark.bytes)) continue;
    if (mark.encoding == encoding) return mark.bytes.size();
    return std::nullopt;
  }
  return 0;
}

absl::StatusOr<Decoder> Decoder::Make(Encoding encoding) {
  if (encoding == Encoding::kUtf8) return Decoder(encoding, nullptr);
  const auto known = std::find_if(kKnown.begin(), kKnown.end(),
                                  [&](const Known& one) { return one.encoding == encoding; });
  return Of(encoding, known->icu);
}

absl::StatusOr<Decoder> Decoder::OfTable(const char* icu_name) {
  return Of(Encoding::kLatin1, icu_name);
}

absl::StatusOr<Decoder> Decoder::Of(Encoding encoding, const char* icu_name) {
  UErrorCode error = U_ZERO_ERROR;
  UConverter* const converter = ucnv_open(icu_name, &error);
  if (U_SUCCESS(error)) {
    ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
    if (U_SUCCESS(error)) return Decoder(encoding, converter);
    ucnv_close(converter);
  }
  return Error(v1::REASON_SOURCE_UNAVAILABLE, "the table of the source's encoding is not at hand");
}

Decoder::Decoder(Decoder&& other) noexcept
    : encoding_(other.encoding_),
      converter_(std::exchange(other.converter_, nullptr)),
      units_(std::move(other.units_)) {}

Decoder::~Decoder() {
  if (converter_ != nullptr) ucnv_close(converter_);
}

std::optional<std::string_view> Decoder::Decode(std::string_view raw, std::string& scratch) {
  if (encoding_ == Encoding::kUtf8) {
    if (!records::ValidUtf8(raw)) return std::nullopt;
    return raw;
  }
  if (UnitSize(encoding_) == 1 && records::IsAscii(raw)) return raw;
  // None of these encodings has a character that takes more units than bytes.
  units_.resize(raw.size() + 1);
  ucnv_resetToUnicode(converter_);
  const char* from = raw.data();
  char16_t* to = units_.data();
  UErrorCode error = U_ZERO_ERROR;
  ucnv_toUnicode(converter_, &to, to + units_.size(), &from, from + raw.size(), nullptr, true,
                 &error);
  if (U_FAILURE(error)) return std::nullopt;
  const auto count = static_cast<int32_t>(to - units_.data());
  scratch.resize(static_cast<size_t>(count) * 3);
  int32_t size = 0;
  u_strToUTF8(scratch.data(), static_cast<int32_t>(scratch.size()), &size, units_.data(), count,
              &error);
  if (U_FAILURE(error)) return std::nullopt;
  scratch.resize(static_cast<size_t>(size));
  return std::string_view(scratch);
}

}  // namespace sluice::adapters::files
