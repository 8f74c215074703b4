#include "absl/strings/str_cat.h"
#include "gateway/audit/log_testing.h"

namespace sluice::audit {

std::string WhatIsBroken(FileSystem& files, const LogOptions& options, LogBroken* broken) {
  LogBroken found;
  const auto report = VerifyLog(options.directory, TestLogVerifier(), files, &found, nullptr);
  if (broken != nullptr) *broken = found;
  if (report.ok()) return "";
  return absl::StrCat(found.what, " (", found.where, ")");
}

}  // namespace sluice::audit
