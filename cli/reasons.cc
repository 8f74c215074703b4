#include "cli/reasons.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/failure.h"
#include "gateway/base/error.h"

namespace sluice::cli {

std::vector<v1::Reason> AllReasons() {
  std::vector<v1::Reason> reasons;
  const auto* type = v1::Reason_descriptor();
  for (int i = 0; i < type->value_count(); ++i)
    if (type->value(i)->number() != 0)
      reasons.push_back(static_cast<v1::Reason>(type->value(i)->number()));
  return reasons;
}

std::string RetryWords(v1::Retry retry) {
  switch (retry) {
    case v1::RETRY_SAFE:
      return "safe, with the same request id";
    case v1::RETRY_AFTER_MENDING:
      return "after mending";
    default:
      return "no: the same call gets the same answer";
  }
}

std::string StatusCodeName(int code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

std::string ReasonsMarkdown() {
  std::string out =
      "# Reasons\n\n"
      "Why a call was refused or failed: the same words in errors (`ErrorInfo.reason`), audit\n"
      "records, JSON and `sluice explain`. Generated from proto/sluice/v1/reason.proto by\n"
      "`sluice explain --all --format markdown`; do not edit. Exit is that of `sluice`.\n\n"
      "| reason | code | try again | who mends it | exit | meaning | next |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const v1::Reason reason : AllReasons()) {
    const v1::ReasonInfo& info = InfoOf(reason);
    absl::StrAppend(&out, "| `", ReasonName(reason), "` | ", StatusCodeName(info.code()), " | ",
                    info.retry() == v1::RETRY_SAFE            ? "safe"
                    : info.retry() == v1::RETRY_AFTER_MENDING ? "after mending"
                                                              : "no",
                    " | ", info.mend(), " | ", DescribeFailure(Error(reason, "")).exit_code, " | ",
                    info.meaning(), " | ", info.next(), " |\n");
  }
  return out;
}

}  // namespace sluice::cli
