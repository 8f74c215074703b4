#include "adapters/delimited/detect_encoding.h"

#include <unicode/ucsdet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/view.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::delimited {
namespace {

using files::Encoding;

constexpr int32_t kLeastConfidence = 10;  // of 100

struct Named {
  Encoding encoding;
  const char* setting;
  const char* icu;  // what the detector calls it, and what it takes for the same
};
// The detector knows GB18030 only, of which GBK is a part.
constexpr std::array<Named, 6> kEncodings = {{{Encoding::kUtf8, "utf-8", "UTF-8"},
                                              {Encoding::kUtf16Le, "utf-16le", "UTF-16LE"},
                                              {Encoding::kUtf16Be, "utf-16be", "UTF-16BE"},
                                              {Encoding::kGb18030, "gb18030", "GB18030"},
                                              {Encoding::kBig5, "big5", "Big5"},
                                              {Encoding::kLatin1, "latin-1", "ISO-8859-1"}}};

// The text without what a cut at the sample's end may have left of a character.
std::optional<std::string> Decoded(std::string_view bytes, Encoding encoding, bool whole) {
  auto decoder = files::Decoder::Make(encoding);
  if (!decoder.ok()) return std::nullopt;
  std::string scratch;
  for (size_t cut = 0; cut < 4 && cut <= bytes.size(); ++cut) {
    if (const auto text = decoder->Decode(bytes.substr(0, bytes.size() - cut), scratch))
      return std::string(*text);
    if (whole) break;
  }
  return std::nullopt;
}

std::optional<EncodingGuess> ByMark(std::string_view sample, bool whole) {
  for (const Named& named : kEncodings) {
    const auto mark = files::MarkSize(sample.substr(0, 4), named.encoding);
    if (!mark || *mark == 0) continue;
    auto text = Decoded(sample.substr(*mark), named.encoding, whole);
    if (!text) continue;
    return EncodingGuess{named.encoding, named.setting, "it begins with that byte order mark",
                         *std::move(text)};
  }
  return std::nullopt;
}

// UTF-16 of mostly Latin text has a NUL in every other byte.
std::optional<EncodingGuess> ByNuls(std::string_view sample, bool whole) {
  size_t even = 0, odd = 0;
  for (size_t i = 0; i < sample.size(); ++i)
    if (sample[i] == '\0') ++(i % 2 == 0 ? even : odd);
  if (even + odd < sample.size() / 8 + 1) return std::nullopt;
  const Encoding encoding = odd > even ? Encoding::kUtf16Le : Encoding::kUtf16Be;
  auto text = Decoded(sample.substr(0, sample.size() / 2 * 2), encoding, whole);
  if (!text) return std::nullopt;
  return EncodingGuess{encoding, odd > even ? "utf-16le" : "utf-16be",
                       absl::StrCat(even + odd, " of ", sample.size(),
                                    " bytes are zero, nearly all on the same side of each pair"),
                       *std::move(text)};
}

struct Match {
  std::string name;
  int32_t confidence = 0;
};

// What ICU's detector thinks of it, the likeliest first.
std::vector<Match> Matches(std::string_view sample) {
  std::vector<Match> matches;
  UErrorCode error = U_ZERO_ERROR;
  UCharsetDetector* const detector = ucsdet_open(&error);
  ucsdet_setText(detector, sample.data(), static_cast<int32_t>(sample.size()), &error);
  int32_t count = 0;
  const UCharsetMatch** const found = ucsdet_detectAll(detector, &count, &error);
  for (int32_t i = 0; U_SUCCESS(error) && i < count; ++i) {
    const char* const name = ucsdet_getName(found[i], &error);
    const int32_t confidence = ucsdet_getConfidence(found[i], &error);
    if (U_SUCCESS(error) && confidence >= kLeastConfidence) matches.push_back({name, confidence});
  }
  if (detector != nullptr) ucsdet_close(detector);
  return matches;
}

}  // namespace

EncodingGuess GuessEncoding(std::string_view sample, bool whole) {
  if (auto guess = ByMark(sample, whole)) return *std::move(guess);
  if (auto guess = ByNuls(sample, whole)) return *std::move(guess);
  const auto others = static_cast<size_t>(
      std::count_if(sample.begin(), sample.end(), [](char c) { return (c & 0x80) != 0; }));
  if (auto text = Decoded(sample, Encoding::kUtf8, whole)) {
    const std::string because =
        others == 0 ? "all bytes are ASCII" : absl::StrCat(others, " bytes are not ASCII, and fit");
    return {Encoding::kUtf8, "utf-8", because, *std::move(text)};
  }
  const std::string not_utf8 = absl::StrCat(others, " bytes are not ASCII and no UTF-8; ");
  const std::vector<Match> matches = Matches(sample);
  std::string said;
  for (const Match& match : matches)
    absl::StrAppend(&said, said.empty() ? "" : ", ", match.name, " ", match.confidence);
  for (const Match& match : matches) {
    const auto known = std::find_if(kEncodings.begin(), kEncodings.end(),
                                    [&](const Named& named) { return match.name == named.icu; });
    if (known == kEncodings.end()) continue;
    auto text = Decoded(sample, known->encoding, whole);
    if (!text) continue;
    return {known->encoding, known->setting, absl::StrCat(not_utf8, "likeliest of 100: ", said),
            *std::move(text)};
  }
  if (matches.empty()) return {std::nullopt, "", not_utf8 + "they are no text that is known", ""};
  return {std::nullopt, matches[0].name, absl::StrCat(not_utf8, "likeliest of 100: ", said), ""};
}

}  // namespace sluice::adapters::delimited
