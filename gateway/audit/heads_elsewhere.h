// Heads of this log that are kept on other machines, asked at start: a log that was set back to an
// older state would otherwise sign a second history.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/audit/log.h"
#include "gateway/base/file_system.h"
#include "gateway/base/http_client.h"

namespace sluice::audit {

struct HeadsElsewhere {
  std::vector<std::string> silent;  // places that gave no answer, with why
};

// Each place is a file or an http(s) URL that holds a checkpoint of this log (others' signatures on
// it do no harm). DATA_LOSS where one is larger than the log or of another tree; places that do not
// answer, or answer with no checkpoint of this log, are listed.
absl::StatusOr<HeadsElsewhere> CheckHeadsElsewhere(const std::vector<std::string>& places,
                                                   const VerifierKey& key, Log& log,
                                                   FileSystem& files, const HttpTls& tls = {});

}  // namespace sluice::audit
