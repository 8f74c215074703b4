#include "gateway/catalogue/names.h"

#include <algorithm>
#include <iterator>

namespace sluice::catalogue {
namespace {

constexpr size_t kMaxName = 63;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool IsCode(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
}

bool IsDatasetName(std::string_view text) {
  const size_t slash = text.find('/');
  return slash != std::string_view::npos && IsCode(text.substr(0, slash)) &&
         IsCode(text.substr(slash + 1));
}

bool IsFieldName(std::string_view text) {
  constexpr std::string_view kWords[] = {"and",  "or",    "not",        "null",
                                         "true", "false", "starts_with"};
  return !text.empty() && text.size() <= kMaxName && IsLower(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '_'; }) &&
         std::find(std::begin(kWords), std::end(kWords), text) == std::end(kWords);
}

bool IsZoneName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && text.front() != '/' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z') || c == '/' || c == '_' ||
                  c == '+' || c == '-';
         });
}

}  // namespace sluice::catalogue
