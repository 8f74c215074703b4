// What the log says of the past that decisions need: rows used under each grant, the request ids of
// the last day, and which streams are open. Counted from the log alone, so that a restart finds
// exactly what was recorded; a file keeps the count up to an index, and the log after it is read
// again. The file is derived: where it is missing or unreadable the whole log is counted.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "gateway/audit/log.h"
#include "gateway/base/file_system.h"
#include "gateway/exchange/quota.h"
#include "gateway/exchange/request_ids.h"
#include "gateway/policy/snapshot.h"

namespace sluice::exchange {

// One thread at a time.
class UsageHistory {
 public:
  // `file`: "state/usage.json". Outlived by files.
  UsageHistory(std::string file, FileSystem& files) : file_(std::move(file)), files_(files) {}

  // Before the gateway is ready: fills quotas and request ids from file and log.
  absl::Status Restore(audit::Log& log, const policy::Snapshot& snapshot, Micros now,
                       QuotaLedger& quotas, RequestIds& request_ids);
  // Now and then: counts what the log has since, and writes the file.
  absl::Status Save(audit::Log& log, const policy::Snapshot& snapshot);

  uint64_t counted_to() const { return next_; }
  // By the index of its OPENED record: the newest record of each stream that has not ended.
  const std::map<uint64_t, uint64_t>& open_streams() const { return open_streams_; }

 private:
  struct Hour {
    Micros time = 0;
    uint64_t index = 0;  // of the first record in it
  };
  void Load();
  absl::Status Take(audit::Log& log, const v1::AuditEnvelope& envelope, uint64_t index,
                    const policy::Snapshot& snapshot);
  void TakeStream(const v1::AuditEnvelope& envelope, uint64_t index,
                  const policy::Snapshot& snapshot);

  const std::string file_;
  FileSystem& files_;
  uint64_t next_ = 0;  // records below are counted
  QuotaLedger counted_;
  std::deque<Hour> hours_;
  std::map<uint64_t, uint64_t> open_streams_;
};

}  // namespace sluice::exchange
