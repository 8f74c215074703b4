// Makes a gateway's audit log long: appends the log's last RELEASED record again and again, sealed
// anew each time, until the log has so many records. Their times go back a year. Nothing is synced
// before the end, which is why the log is good for measuring alone. The gateway must not run.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include "bench/forwarding_files.h"
#include "gateway/audit/log.h"
#include "gateway/audit/record.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::bench {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench_grow_log: " << what << "\n";
  std::_Exit(1);
}

template <class T>
T OrFail(absl::StatusOr<T> result) {
  if (!result.ok()) Fail(result.status().ToString());
  return *std::move(result);
}

// Writes that are not waited for.
class UnsyncedFile : public WritableFile {
 public:
  explicit UnsyncedFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    return file_->WriteAt(offset, bytes);
  }
  absl::Status Sync() override { return absl::OkStatus(); }
  absl::Status Close() override { return file_->Close(); }

 private:
  const std::unique_ptr<WritableFile> file_;
};

class UnsyncedFiles : public ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                             uint32_t mode) override {
    return Unsynced(ForwardingFiles::OpenForWrite(path, mode));
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                          uint32_t mode) override {
    return Unsynced(ForwardingFiles::CreateNew(path, mode));
  }
  absl::Status SyncDirectory(const std::string&) override { return absl::OkStatus(); }

 private:
  static absl::StatusOr<std::unique_ptr<WritableFile>> Unsynced(
      absl::StatusOr<std::unique_ptr<WritableFile>> file) {
    if (!file.ok()) return file;
    return std::make_unique<UnsyncedFile>(*std::move(file));
  }
};

// A year long, in as many steps as there are records.
class PastClock : public Clock {
 public:
  PastClock(const Clock& clock, uint64_t records)
      : clock_(clock), step_(365 * kDay / static_cast<Micros>(records + 1)) {
    now_ = clock.Now() - 365 * kDay;
  }
  Micros Now() const override { return now_; }
  Micros Monotonic() const override { return clock_.Monotonic(); }
  ClockState State() const override { return ClockState::kSynchronised; }
  void Step() { now_ += step_; }

 private:
  const Clock& clock_;
  const Micros step_;
  Micros now_;
};

// A bar on a terminal, a line each tenth elsewhere.
class Progress {
 public:
  explicit Progress(uint64_t all) : all_(all), terminal_(isatty(STDERR_FILENO) != 0) {}

  void Show(uint64_t done) {
    const uint64_t steps = terminal_ ? 50 : 10;
    const uint64_t step = done * steps / all_;
    if (step == shown_) return;
    shown_ = step;
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    const double left = seconds * static_cast<double>(all_ - done) / static_cast<double>(done);
    std::ostringstream line;
    if (terminal_)
      line << "\r[" << std::string(step, '#') << std::string(steps - step, ' ') << "] ";
    line << done * 100 / all_ << " % of " << all_ << " records, " << std::fixed
         << std::setprecision(0) << left << " s left  ";
    if (!terminal_ || done == all_) line << "\n";
    std::cerr << line.str() << std::flush;
  }

 private:
  const uint64_t all_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  uint64_t shown_ = 0;
};

// Appends that were not acknowledged yet, so many at most.
class InFlight {
 public:
  void Begin() {
    MutexLock lock(mutex_);
    while (count_ >= kMost) changed_.Wait(mutex_);
    ++count_;
  }
  void End(const absl::Status& status) {
    if (!status.ok()) Fail(status.ToString());
    MutexLock lock(mutex_);
    if (--count_ == 0 || count_ == kMost / 2) changed_.NotifyAll();
  }
  void AwaitAll() {
    MutexLock lock(mutex_);
    while (count_ > 0) changed_.Wait(mutex_);
  }

 private:
  static constexpr int kMost = 16'384;
  Mutex mutex_;
  Condition changed_;
  int count_ SLUICE_GUARDED_BY(mutex_) = 0;
};

struct Options {
  std::string deployment;
  uint64_t records = 0;
};

audit::Draft LastReleased(audit::Log& log, const audit::DetailKeys& keys) {
  std::optional<audit::SealedRecord> last;
  const absl::Status read = log.Read(0, [&](const audit::Log::Entry& entry) {
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(entry.record.envelope)) Fail("an audit record does not parse");
    if (envelope.kind() == v1::RECORD_KIND_RELEASED) last = entry.record;
    return true;
  });
  if (!read.ok()) Fail(read.ToString());
  if (!last) Fail("the log has no RELEASED record to repeat");
  audit::Draft draft;
  draft.envelope.ParseFromString(last->envelope);
  draft.detail = OrFail(audit::OpenDetail(*last, keys));
  return draft;
}

void Grow(const Options& options) {
  const auto posix = MakePosixFileSystem();
  const auto clock = MakeSystemClock();
  const auto random = MakeSystemRandom();
  UnsyncedFiles files(*posix);
  std::ifstream key_file(options.deployment + "/log.key");
  std::string key_text;
  std::getline(key_file, key_text);
  const audit::NamedSigningKey key = OrFail(audit::ParseSigningKey(key_text));
  const auto detail_keys =
      OrFail(audit::DetailKeys::Open(options.deployment + "/keys/details", files, *random));
  audit::RecoveryReport report;
  const auto log = OrFail(audit::OpenLog({.directory = options.deployment + "/audit",
                                          .kept_head = options.deployment + "/state/kept-head",
                                          .origin = key.name},
                                         files, *clock, key.key, &report));
  const audit::Draft draft = LastReleased(*log, *detail_keys);

  PastClock past(*clock, options.records);
  audit::RecordSealer sealer(*detail_keys, past, *random);
  Progress progress(options.records);
  InFlight in_flight;
  for (uint64_t count = log->size(); count < options.records;) {
    past.Step();
    in_flight.Begin();
    log->Append(OrFail(sealer.Seal(draft)), [&in_flight](absl::StatusOr<v1::Receipt> receipt) {
      in_flight.End(receipt.status());
    });
    progress.Show(++count);
  }
  in_flight.AwaitAll();
  if (const absl::Status closed = log->Close(); !closed.ok()) Fail(closed.ToString());
  sync();
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  CLI::App app("Makes the audit log of a deployment long, for measuring.");
  sluice::bench::Options options;
  app.add_option("--deployment", options.deployment, "a folder that sluice init made")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--records", options.records, "that the log shall have")->required();
  CLI11_PARSE(app, argc, argv);
  sluice::bench::Grow(options);
  return 0;
}
