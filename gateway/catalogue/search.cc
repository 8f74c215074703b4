// Finding a dataset by words, and which stands first.
#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"

namespace sluice::catalogue {
namespace {

constexpr size_t kMostSearch = 200;

bool InLatinWord(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

// Texts of a dataset that rank alike.
using Texts = std::vector<std::string>;

// From the foremost on.
std::vector<Texts> Places(const v1::Dataset& dataset) {
  const auto lower = [](const std::string& text) { return absl::AsciiStrToLower(text); };
  const auto both = [&](const v1::Text& text) { return Texts{lower(text.en()), lower(text.zh())}; };
  std::vector<Texts> places = {
      {lower(dataset.name())}, both(dataset.title()), {}, both(dataset.description())};
  for (const auto& field : dataset.fields()) {
    places[2].push_back(lower(field.name()));
    for (std::string& text : both(field.title())) places[2].push_back(std::move(text));
  }
  return places;
}

// Whether it stands there, and not as a part of a longer word of Latin letters and digits.
struct Standing {
  bool at_all = false, whole = false;
};
Standing Find(const Texts& texts, const std::string& word) {
  Standing standing;
  for (const std::string& text : texts) {
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      standing.at_all = true;
      const size_t end = at + word.size();
      const bool begins = at == 0 || !InLatinWord(text[at - 1]) || !InLatinWord(word.front());
      const bool ends = end == text.size() || !InLatinWord(text[end]) || !InLatinWord(word.back());
      if (begins && ends) standing.whole = true;
      if (standing.whole) return standing;
    }
  }
  return standing;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SearchWords(std::string_view search,
                                                     std::string_view field) {
  if (search.size() > kMostSearch) return InvalidField(field, "at most 200 bytes");
  return absl::StrSplit(absl::AsciiStrToLower(std::string(search)), absl::ByAnyChar(" \t\n"),
                        absl::SkipEmpty());
}

std::optional<int> SearchRank(const v1::Dataset& dataset, const std::vector<std::string>& words) {
  if (words.empty()) return 0;
  const std::vector<Texts> places = Places(dataset);
  int rank = 0;
  for (const std::string& word : words) {
    std::optional<int> best;
    for (size_t i = 0; i < places.size() && !best; ++i) {
      const Standing standing = Find(places[i], word);
      if (standing.at_all) best = static_cast<int>(2 * i) + (standing.whole ? 0 : 1);
    }
    if (!best) return std::nullopt;
    rank += *best;
  }
  return rank;
}

bool Matches(const v1::Dataset& dataset, const std::vector<std::string>& words) {
  return SearchRank(dataset, words).has_value();
}

}  // namespace sluice::catalogue
