// An access request as it is said on a command line.
#pragma once

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "cli/share_options.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

struct RequestOptions {
  std::string file, dataset, law, article, law_text, why;
  std::vector<std::string> purposes;
  ShareOptions share;
  bool dry_run = false;
  bool submit = false;
  std::string mend, etag;  // the request that takes this form, and what it was when it was read
};
void AddRequestOptions(CLI::App& command, RequestOptions& options);

// The request that the options say; without --modes, pages. UsageError where something needed is
// missing, or where a file is named as well.
absl::StatusOr<v1::AccessRequest> BuildRequest(const RequestOptions& options, Micros now,
                                               const absl::TimeZone& zone);

}  // namespace sluice::cli
