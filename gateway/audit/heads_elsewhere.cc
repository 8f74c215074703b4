#include "gateway/audit/heads_elsewhere.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/http_client.h"

namespace sluice::audit {
namespace {

constexpr Micros kTimeout = 5 * kSecond;
constexpr size_t kMostBytes = 1 << 20;

absl::StatusOr<std::string> Fetch(const std::string& place, FileSystem& files, const HttpTls& tls) {
  if (place.find("://") != std::string::npos) return HttpGet(place, kTimeout, kMostBytes, tls);
  return files.ReadAll(place, kMostBytes);
}

// The root of the first `size` records.
absl::StatusOr<Hash> RootAt(Log& log, uint64_t size) {
  CompactRange range;
  SLUICE_RETURN_IF_ERROR(log.Read(0, [&](const Log::Entry& entry) {
    if (entry.index >= size) return false;
    range.Append(LeafHash(entry.record.envelope));
    return range.size() < size;
  }));
  return range.Root();
}

}  // namespace

absl::StatusOr<HeadsElsewhere> CheckHeadsElsewhere(const std::vector<std::string>& places,
                                                   const VerifierKey& key, Log& log,
                                                   FileSystem& files, const HttpTls& tls) {
  HeadsElsewhere result;
  for (const std::string& place : places) {
    const auto note = Fetch(place, files, tls);
    const auto head =
        note.ok() ? VerifyCheckpoint(*note, key) : absl::StatusOr<Checkpoint>(note.status());
    if (!head.ok()) {
      result.silent.push_back(absl::StrCat(place, ": ", std::string(head.status().message())));
      continue;
    }
    if (head->size > log.size()) {
      return absl::DataLossError(absl::StrCat(
          "the log holds ", log.size(), " records, but ", place, " holds a head over ", head->size,
          ": this is an older state of the log. next  restore the newest copy, or seal the log"));
    }
    if (head->size == 0) continue;
    SLUICE_ASSIGN_OR_RETURN(const Hash root, RootAt(log, head->size));
    if (root != head->root) {
      return absl::DataLossError(
          absl::StrCat("the first ", head->size, " records are not those of the head at ", place,
                       ": this is another history. next  keep this copy; compare it with another"));
    }
  }
  return result;
}

}  // namespace sluice::audit
