#include "gateway/policy/request_form.h"

#include <set>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

constexpr size_t kMostClaim = 256;  // code points
constexpr int kMostFields = 256;
constexpr size_t kMostRequestId = 64;
constexpr size_t kMostName = 130;

bool HasControl(std::string_view text) {
  for (char c : text)
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return true;
  return false;
}

std::string_view ClaimMistake(std::string_view text) {
  if (!records::ValidUtf8(text)) return "is not UTF-8";
  if (records::CodePointCount(text) > kMostClaim) return "has more than 256 characters";
  if (HasControl(text)) return "holds control characters";
  return "";
}

bool GoodRequestId(std::string_view id) {
  if (id.size() > kMostRequestId) return false;
  for (char c : id) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.')
      return false;
  }
  return true;
}

}  // namespace

absl::Status CheckForm(const v1::QueryRequest& request) {
  absl::Status status = Error(v1::REASON_REQUEST_INVALID, "the request is malformed.");
  bool bad = false;
  const auto mistake = [&](std::string_view field, std::string_view what) {
    AddFieldViolation(status, field, what);
    bad = true;
  };
  if (request.dataset().empty() || request.dataset().size() > kMostName)
    mistake("dataset", "must be agency/dataset");
  if (request.purpose().empty()) mistake("purpose", "is needed: every call names its purpose");
  for (const auto& [name, text] : {std::pair<std::string_view, const std::string*>(
                                       "case_reference", &request.case_reference()),
                                   {"end_user", &request.end_user()},
                                   {"on_behalf_of", &request.on_behalf_of()},
                                   {"traceparent", &request.traceparent()}}) {
    if (const std::string_view what = ClaimMistake(*text); !what.empty()) mistake(name, what);
  }
  if (!GoodRequestId(request.request_id()))
    mistake("request_id", "must have 1 to 64 characters of A-Z a-z 0-9 - _ .");
  if (request.page_size() < 0) mistake("page_size", "must not be negative");
  if (request.fields_size() > kMostFields) mistake("fields", "must be at most 256");
  std::set<std::string_view> seen;
  for (int i = 0; i < request.fields_size(); ++i) {
    if (!seen.insert(request.fields(i)).second)
      mistake(absl::StrCat("fields[", i, "]"), "is named twice");
  }
  return bad ? status : absl::OkStatus();
}

}  // namespace sluice::policy
