#include "gateway/catalogue/names.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"

namespace sluice::catalogue {
namespace {

constexpr size_t kMaxName = 63;

}  // namespace

bool IsCode(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

bool IsDatasetName(std::string_view text) {
  const size_t slash = text.find('/');
  return slash != std::string_view::npos && IsCode(text.substr(0, slash)) &&
         IsCode(text.substr(slash + 1));
}

bool IsFieldName(std::string_view text) {
  constexpr std::string_view kWords[] = {"and",  "or",    "not",        "null",
                                         "true", "false", "starts_with"};
  return !text.empty() && text.size() <= kMaxName && absl::ascii_islower(text.front()) &&
         std::all_of(
             text.begin(), text.end(),
             [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_'; }) &&
         std::find(std::begin(kWords), std::end(kWords), text) == std::end(kWords);
}

bool IsZoneName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && text.front() != '/' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || absl::ascii_isupper(c) ||
                  c == '/' || c == '_' || c == '+' || c == '-';
         });
}

}  // namespace sluice::catalogue
