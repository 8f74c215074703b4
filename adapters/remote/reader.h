// A scan by an adapter process. While somebody reads, one call is open; a scan with a key that
// nobody goes on with for some time has none, and begins another behind its last row.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/remote/channel.h"
#include "adapters/remote/checker.h"
#include "adapters/remote/held_call.h"

namespace sluice::adapters::remote {

// What the readers of one source share.
struct SourceParts {
  RemoteSettings settings;
  std::unique_ptr<FileSystem> files;
  std::unique_ptr<Clock> clock;
  std::unique_ptr<Channel> channel;
  std::unique_ptr<IdleWatch> idle;
};

// What a failed call means: what we gave up ourselves, whom we refused, what the process said. A
// process that did not answer in time is called over a new connection from then on.
absl::Status StatusOf(const Ending& ending, SourceParts& source, const Patience& patience,
                      const ScanRequest* request, int64_t rows_before);

class RemoteReader : public RecordReader {
 public:
  RemoteReader(std::shared_ptr<SourceParts> source, ScanRequest request, CallContext context);
  ~RemoteReader() override;

  absl::StatusOr<std::optional<records::RecordBatch>> Next() override;
  void Cancel() override;
  SourceVersion version() const override { return version_; }
  bool snapshot() const override { return snapshot_; }
  int64_t bad_values() const override { return bad_values_; }
  const std::vector<BadCell>& bad_cells() const override { return bad_cells_; }

 private:
  absl::StatusOr<std::optional<records::RecordBatch>> NextBatch();
  // The call that is open, or another one behind the last row.
  std::shared_ptr<ScanCall> Begin();
  absl::Status TakeVersion(const v1::ScanResponse& first);

  const std::shared_ptr<SourceParts> source_;
  ScanRequest request_;
  const CallContext context_;
  Checker checker_;
  const std::shared_ptr<HeldCall> held_ = std::make_shared<HeldCall>();
  std::atomic<bool> cancelled_{false};
  bool watched_ = false;
  bool begun_ = false;       // some call told the version
  bool first_ = true;        // the next message is a call's first
  int64_t rows_before_ = 0;  // of earlier calls
  bool at_end_ = false;
  absl::Status failed_;
  SourceVersion version_;
  bool snapshot_ = false;
  int64_t bad_values_ = 0;
  std::vector<BadCell> bad_cells_;
};

}  // namespace sluice::adapters::remote
