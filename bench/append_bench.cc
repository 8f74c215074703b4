// Appends of the audit log against a bare loop of the same writes and syncs, in turns. Prints one
// JSON object a turn: appends, bytes, batches, log_per_second, bare_per_second.
//
// The log runs first, with so many appends in flight, and every write and sync of its segments is
// noted; then one thread does the same with pwrite and fdatasync, in the same order, offsets and
// sizes, into files that were filled with zeros as the log's were.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/writes_recorded.h"
#include "gateway/audit/log.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::bench {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench_append: " << what << "\n";
  std::exit(1);
}

double SecondsSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// Keeps so many appends in flight until the time is over: each acknowledgement sends the next.
class Appends {
 public:
  Appends(audit::Log& log, size_t record_bytes, double seconds)
      : log_(log),
        // As an exchange's record: the sealed detail is the smaller part.
        record_{std::string(record_bytes * 5 / 8, 'e'),
                std::string(record_bytes - record_bytes * 5 / 8, 'd')},
        end_(SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(
                                      std::chrono::duration<double>(seconds))) {}

  // Acknowledged appends.
  uint64_t Run(int in_flight) {
    {
      MutexLock lock(mutex_);
      running_ = in_flight;
    }
    for (int i = 0; i < in_flight; ++i) AppendOne();
    MutexLock lock(mutex_);
    while (running_ > 0) changed_.Wait(mutex_);
    return done_;
  }

 private:
  void AppendOne() {
    log_.Append(record_, [this](absl::StatusOr<v1::Receipt> receipt) {
      if (!receipt.ok()) Fail(receipt.status().ToString());
      {
        MutexLock lock(mutex_);
        ++done_;
        if (SteadyClock::now() >= end_) {
          if (--running_ == 0) changed_.NotifyAll();
          return;
        }
      }
      AppendOne();
    });
  }

  audit::Log& log_;
  const audit::SealedRecord record_;
  const SteadyClock::time_point end_;
  Mutex mutex_;
  Condition changed_;
  int running_ SLUICE_GUARDED_BY(mutex_) = 0;
  uint64_t done_ SLUICE_GUARDED_BY(mutex_) = 0;
};

// An open file by its descriptor.
class Descriptor {
 public:
  explicit Descriptor(const fs::path& path)
      : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ < 0) Fail("cannot open " + path.string());
  }
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void Write(const std::string& bytes, size_t size, uint64_t offset) const {
    if (pwrite(fd_, bytes.data(), size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
      Fail("pwrite failed");
  }
  void Sync() const {
    if (fdatasync(fd_) != 0) Fail("fdatasync failed");
  }

 private:
  const int fd_;
};

// The files below a folder with their sizes.
std::map<std::string, uint64_t> SizesBelow(const fs::path& folder) {
  std::map<std::string, uint64_t> sizes;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) sizes[entry.path().filename()] = entry.file_size();
  return sizes;
}

void FillWithZeros(const fs::path& path, uint64_t size) {
  const std::string zeros(1 << 20, '\0');
  const Descriptor file(path);
  for (uint64_t at = 0; at < size; at += zeros.size())
    file.Write(zeros, std::min<uint64_t>(zeros.size(), size - at), at);
  file.Sync();
}

// Seconds that one thread takes for the writes and syncs, files opened and filled beforehand.
double Replay(const std::vector<Write>& writes, const std::map<std::string, uint64_t>& filled,
              const fs::path& folder) {
  fs::create_directories(folder);
  for (const auto& [name, size] : filled) FillWithZeros(folder / name, size);
  std::map<std::string, Descriptor> open;
  std::vector<const Descriptor*> files;
  size_t largest = 0;
  for (const Write& write : writes) {
    const std::string name = fs::path(write.path).filename();
    files.push_back(&open.try_emplace(name, folder / name).first->second);
    largest = std::max(largest, write.bytes);
  }
  const std::string bytes(largest, 'b');
  const auto begin = SteadyClock::now();
  for (size_t i = 0; i < writes.size(); ++i) {
    if (writes[i].sync) {
      files[i]->Sync();
    } else {
      files[i]->Write(bytes, writes[i].bytes, writes[i].offset);
    }
  }
  return SecondsSince(begin);
}

struct Options {
  fs::path folder;
  int in_flight = 64;
  size_t record_bytes = 512;
  double seconds = 3;
  int turns = 5;
};

nlohmann::json Turn(const Options& options) {
  fs::remove_all(options.folder);
  fs::create_directories(options.folder / "log");
  const fs::path segments = options.folder / "log" / "segments";
  const auto posix = MakePosixFileSystem();
  const auto clock = MakeSystemClock();
  WritesRecorded files(*posix, segments.string());
  auto key = SigningKey::FromSeed(std::string(32, 'k'));
  audit::RecoveryReport report;
  auto log = audit::OpenLog({.directory = (options.folder / "log").string(),
                             .kept_head = (options.folder / "kept-head").string(),
                             .origin = "bench.example/log"},
                            files, *clock, *key, &report);
  if (!log.ok()) Fail(log.status().ToString());
  const auto filled = SizesBelow(segments);
  files.Take();

  const auto begin = SteadyClock::now();
  const uint64_t appends =
      Appends(**log, options.record_bytes, options.seconds).Run(options.in_flight);
  const double log_seconds = SecondsSince(begin);
  const std::vector<Write> writes = files.Take();
  if (const absl::Status closed = (*log)->Close(); !closed.ok()) Fail(closed.ToString());

  const double bare_seconds = Replay(writes, filled, options.folder / "bare");
  uint64_t syncs = 0, bytes = 0;
  for (const Write& write : writes) {
    syncs += write.sync ? 1 : 0;
    bytes += write.bytes;
  }
  fs::remove_all(options.folder);
  return {{"in_flight", options.in_flight},
          {"record_bytes", options.record_bytes},
          {"appends", appends},
          {"syncs", syncs},
          {"bytes", bytes},
          {"log_per_second", static_cast<double>(appends) / log_seconds},
          {"bare_per_second", static_cast<double>(appends) / bare_seconds}};
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  CLI::App app("Audit appends against a bare loop of the same writes and syncs.");
  Options options;
  app.add_option("--folder", options.folder, "is made, and removed after each turn")->required();
  app.add_option("--in-flight", options.in_flight)->check(CLI::Range(1, 4096));
  app.add_option("--record-bytes", options.record_bytes)->check(CLI::Range(16, 65535));
  app.add_option("--seconds", options.seconds);
  app.add_option("--turns", options.turns);
  CLI11_PARSE(app, argc, argv);
  for (int i = 0; i < options.turns; ++i) std::cout << Turn(options).dump() << std::endl;
  return 0;
}
