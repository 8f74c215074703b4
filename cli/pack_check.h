// An evidence pack, checked without a gateway: every byte of it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/pack.h"
#include "gateway/audit/log_verifier.h"
#include "gateway/base/file_system.h"

namespace sluice::cli {

struct PackReport {
  std::vector<audit::VerifyLine> lines;
  PackSummary summary;
};

// INVALID_ARGUMENT saying what does not hold; other statuses are about reading the file. Memory for
// one record and the page; progress gets members done and of all.
absl::StatusOr<PackReport> CheckPack(FileSystem& files, const std::string& path,
                                     const audit::VerifierKey& key,
                                     const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace sluice::cli
