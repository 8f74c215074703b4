// What a person is told when a command fails, and with what exit code it ends (docs/cli.md).
//
//   error: PURPOSE_NOT_GRANTED: civil-affairs/relief holds no grant for "tax".
//     audit  #18343, call 01JD8W3K7Q (the owner and the operator find it by either)
//     next   …
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace sluice::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kDenied = 3;
inline constexpr int kTryLater = 4;

using FailureLines = std::vector<std::pair<std::string, std::string>>;

struct Failure {
  std::string reason;  // as in `sluice explain`, or a word of this tool's own
  std::string sentence;
  FailureLines lines;  // an empty key continues the line before
  int exit_code = kFailed;
};

// A failure of this tool's own making, as a status, so that it goes up like any other. The reason
// is a word in capitals; `next`, where not empty, becomes the last line.
absl::Status LocalError(std::string_view reason, std::string_view sentence, FailureLines lines = {},
                        std::string_view next = "", int exit_code = kFailed);
inline absl::Status UsageError(std::string_view sentence, std::string_view next) {
  return LocalError("USAGE", sentence, {}, next, kWrongUsage);
}
// A failure that was described, and perhaps added to, as a status again.
absl::Status FromFailure(Failure failure);
bool IsLocalError(const absl::Status& status);

// Any status that is not OK: LocalError's, the gateway's with their details, or a plain one.
Failure DescribeFailure(const absl::Status& status);
std::string FormatFailure(const Failure& failure);

}  // namespace sluice::cli
