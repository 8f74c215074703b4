#include "gateway/policy/request_form.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/names.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

constexpr size_t kMaxClaim = 256;  // code points
constexpr size_t kMaxRequestId = 64;
constexpr size_t kMaxGrantId = 64;
constexpr size_t kMaxPageToken = 8192;
constexpr int kMaxFields = 256;
constexpr int kMaxParameters = 256;

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestId &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsGrantId(std::string_view text) {
  return text.size() <= kMaxGrantId && std::all_of(text.begin(), text.end(), [](char c) {
           return IsAlphanumeric(c) || c == '-';
         });
}

// https://www.w3.org/TR/trace-context-1/: version, trace, parent, flags; neither id is all zeros.
bool IsTraceparent(std::string_view text) {
  if (text.size() != 55) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 2 || i == 35 || i == 52;
    if (dash ? text[i] != '-' : !IsLowerHex(text[i])) return false;
  }
  return !text.starts_with("ff") && text.substr(3, 32).find_first_not_of('0') != text.npos &&
         text.substr(36, 16).find_first_not_of('0') != text.npos;
}

// C0, DEL and C1.
bool HasControlCharacters(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return true;
    }
  }
  return false;
}

bool IsClaim(std::string_view text) {
  return text.size() <= 4 * kMaxClaim && records::ValidUtf8(text) &&
         records::CodePointCount(text) <= kMaxClaim && !HasControlCharacters(text);
}

class FormChecker {
 public:
  explicit FormChecker(const v1::QueryRequest& request) : request_(request) {}

  absl::Status Run() {
    Expect(catalogue::IsDatasetName(request_.dataset()), "dataset", "expected agency/dataset");
    Expect(catalogue::IsCode(request_.purpose()), "purpose",
           "expected a code of the authority's list");
    constexpr std::string_view kClaim =
        "expected at most 256 characters, none of them a control character";
    Expect(IsClaim(request_.case_reference()), "case_reference", kClaim);
    Expect(IsClaim(request_.end_user()), "end_user", kClaim);
    Expect(IsClaim(request_.on_behalf_of()), "on_behalf_of", kClaim);
    Expect(IsGrantId(request_.grant()), "grant", "expected the id of a grant");
    Expect(request_.request_id().empty() || IsRequestId(request_.request_id()), "request_id",
           "expected 1 to 64 of A-Z a-z 0-9 - _ .");
    Expect(request_.traceparent().empty() || IsTraceparent(request_.traceparent()), "traceparent",
           "expected the form of W3C Trace Context: 00-32 hex digits-16 hex digits-2 hex digits");
    Expect(request_.page_size() >= 0, "page_size", "expected 0 or more");
    Expect(request_.page_token().size() <= kMaxPageToken, "page_token",
           "is longer than any that this gateway gives");
    Expect(request_.parameters_size() <= kMaxParameters, "parameters", "expected at most 256");
    Fields();
    return std::move(status_);
  }

 private:
  void Expect(bool held, std::string_view path, std::string_view expected) {
    if (held) return;
    if (status_.ok()) status_ = Error(v1::REASON_REQUEST_INVALID, "the request has mistakes.");
    AddFieldViolation(status_, path, expected);
  }

  void Fields() {
    const auto& fields = request_.fields();
    Expect(fields.size() <= kMaxFields, "fields", "expected at most 256");
    if (fields.size() > kMaxFields) return;
    std::vector<std::pair<std::string_view, int>> names;
    names.reserve(fields.size());
    for (int i = 0; i < fields.size(); ++i) names.emplace_back(fields[i], i);
    std::sort(names.begin(), names.end());
    for (size_t i = 1; i < names.size(); ++i) {
      if (names[i].first == names[i - 1].first) {
        Expect(false, absl::StrCat("fields[", names[i].second, "]"), "was asked for before");
      }
    }
  }

  const v1::QueryRequest& request_;
  absl::Status status_;
};

}  // namespace

absl::Status CheckForm(const v1::QueryRequest& request) { return FormChecker(request).Run(); }

}  // namespace sluice::policy
