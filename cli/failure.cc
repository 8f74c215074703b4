#include "cli/failure.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/display.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {
namespace {

constexpr absl::string_view kPayload = "sluice.cli/failure";
// Decisions end here in reason.proto; what follows is about running and control.
constexpr int kFirstRunningReason = 70;

using Json = nlohmann::ordered_json;

int ExitCodeOf(v1::Reason reason) {
  const v1::ReasonInfo& info = InfoOf(reason);
  if (info.retry() == v1::RETRY_SAFE) return kTryLater;
  if (info.code() == static_cast<int>(absl::StatusCode::kInvalidArgument)) return kWrongUsage;
  const bool permission = info.code() == static_cast<int>(absl::StatusCode::kPermissionDenied);
  return permission || reason < kFirstRunningReason ? kDenied : kFailed;
}

// "#18343, call 01JD8W3K7Q (…)", of what is known.
std::string AuditLine(const google::rpc::ErrorInfo& info) {
  const auto& keys = info.metadata();
  const auto index = keys.find("index");
  const auto call = keys.find("call");
  if (index == keys.end() && call == keys.end()) return "";
  if (index == keys.end())
    return absl::StrCat("call ", call->second, " (the operator finds it by that)");
  if (call == keys.end()) return absl::StrCat("#", index->second);
  return absl::StrCat("#", index->second, ", call ", call->second,
                      " (the owner and the operator find it by either)");
}

void AddDetails(const absl::Status& status, const google::rpc::ErrorInfo& info, Failure& failure) {
  if (const auto request = BadRequestOf(status)) {
    for (const auto& violation : request->field_violations())
      failure.lines.emplace_back(violation.field(), violation.description());
  }
  if (const auto quota = QuotaFailureOf(status)) {
    for (const auto& violation : quota->violations())
      failure.lines.emplace_back("quota",
                                 absl::StrCat(violation.subject(), " ", violation.description()));
  }
  std::vector<std::pair<std::string, std::string>> others;
  for (const auto& [key, value] : info.metadata())
    if (key != "index" && key != "call" && key != "request_id") others.emplace_back(key, value);
  std::sort(others.begin(), others.end());  // the map's order is not the same twice
  failure.lines.insert(failure.lines.end(), others.begin(), others.end());
  if (std::string audit = AuditLine(info); !audit.empty())
    failure.lines.emplace_back("audit", std::move(audit));
}

Failure Gateways(const absl::Status& status, const google::rpc::ErrorInfo& info) {
  const v1::Reason reason = ReasonOf(status);
  Failure failure{info.reason(), std::string(status.message()), {}, kFailed};
  AddDetails(status, info, failure);
  const v1::ReasonInfo& about = InfoOf(reason);
  if (reason != v1::REASON_UNSPECIFIED) failure.exit_code = ExitCodeOf(reason);
  if (about.retry() == v1::RETRY_SAFE) {
    const auto delay = RetryInfoOf(status);
    failure.lines.emplace_back("retry",
                               delay && delay->retry_delay().seconds() > 0
                                   ? absl::StrCat("safe, in ", delay->retry_delay().seconds(), " s")
                                   : "safe");
  }
  if (reason != v1::REASON_UNSPECIFIED)
    failure.lines.emplace_back(
        "next", absl::StrCat(about.next(), "      more: sluice explain ", ReasonName(reason)));
  return failure;
}

std::string WordOf(absl::StatusCode code) { return absl::StatusCodeToString(code); }

}  // namespace

absl::Status LocalError(std::string_view reason, std::string_view sentence, FailureLines lines,
                        std::string_view next, int exit_code) {
  if (!next.empty()) lines.emplace_back("next", next);
  return FromFailure({std::string(reason), std::string(sentence), std::move(lines), exit_code});
}

absl::Status FromFailure(Failure failure) {
  const Json payload = {
      {"reason", failure.reason}, {"lines", failure.lines}, {"exit", failure.exit_code}};
  absl::Status status(absl::StatusCode::kUnknown, failure.sentence);
  status.SetPayload(kPayload,
                    absl::Cord(payload.dump(-1, ' ', false, Json::error_handler_t::replace)));
  return status;
}

bool IsLocalError(const absl::Status& status) { return status.GetPayload(kPayload).has_value(); }

Failure DescribeFailure(const absl::Status& status) {
  SLUICE_CHECK(!status.ok());
  if (const auto payload = status.GetPayload(kPayload)) {
    const Json json = Json::parse(std::string(*payload));
    return {json["reason"], std::string(status.message()), json["lines"], json["exit"]};
  }
  if (const auto info = ErrorInfoOf(status); info && !info->reason().empty())
    return Gateways(status, *info);
  return {WordOf(status.code()), std::string(status.message()), {}, kFailed};
}

std::string FormatFailure(const Failure& failure) {
  size_t width = 4;
  for (const auto& [key, value] : failure.lines) width = std::max(width, DisplayWidth(key));
  std::string out = absl::StrCat("error: ", failure.reason, ": ",
                                 Harmless(failure.sentence, /*keep_lines=*/true), "\n");
  for (const auto& [key, value] : failure.lines) {
    std::string label = PadRight(Harmless(key), width);
    // A value of several lines stands in its own column.
    for (const auto line : absl::StrSplit(value, '\n')) {
      absl::StrAppend(&out, "  ", label, "  ", Harmless({line.data(), line.size()}), "\n");
      label = std::string(width, ' ');
    }
  }
  return out;
}

}  // namespace sluice::cli
