// A log in a real folder, for tests that let the disk fail.
#pragma once

#include <string>

#include "gateway/audit/log_testing.h"
#include "gateway/base/file_system.h"

namespace sluice::chaos {

// Enough that a run goes over the end of a segment.
inline constexpr int kRecordsOfARun = 4;

inline audit::LogOptions OptionsIn(const std::string& folder) {
  audit::LogOptions options;
  options.directory = JoinPath(folder, "audit");
  options.kept_head = JoinPath(folder, "head");
  options.origin = audit::TestLogOptions().origin;
  options.segment_bytes = 32 << 10;
  options.head_interval = kMillisecond;
  return options;
}

inline audit::SealedRecord BigRecord(const std::string& name) {
  return audit::MakeRecord(v1::RECORD_KIND_RELEASED, name, 9000);
}

}  // namespace sluice::chaos
