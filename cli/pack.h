// An evidence pack: records of the log with what proves them, for somebody who trusts neither the
// gateway nor this tool (docs/formats/pack.md). What stands in a pack follows from its checkpoint,
// its records and a few statements of whoever made it; so making one and checking one are the same
// work, and a pack is what this makes, byte by byte.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/pack_page.h"
#include "gateway/audit/signed_note.h"
#include "nlohmann/json.hpp"
#include "sluice/v1/audit.pb.h"

namespace sluice::cli {

// Names of members that there is one of.
inline constexpr char kPackCheckpoint[] = "checkpoint";
inline constexpr char kPackKey[] = "log.vkey";
inline constexpr char kPackRecords[] = "records.jsonl";
inline constexpr char kPackManifest[] = "manifest.json";
inline constexpr char kPackPage[] = "README.html";
inline constexpr char kPackSums[] = "SHA256SUMS";
std::string PackProofName(int64_t index);   // "records/18342.tlog-proof"
std::string PackDetailName(int64_t index);  // "details/18342.bin"

// What nothing in the pack proves by itself.
struct PackStatements {
  std::string made_by;  // "sluice 0.4.0"
  v1::RecordFilter asked;
  int64_t searched_to = 0;
  int64_t erased = 0;
  bool without_details = false;
};

// One thread.
class PackContents {
 public:
  // Takes each member, in order.
  using Emit = std::function<absl::Status(std::string_view name, std::string_view bytes)>;

  // INVALID_ARGUMENT where the checkpoint is not signed by this key.
  static absl::StatusOr<PackContents> Begin(const std::string& checkpoint,
                                            const audit::VerifierKey& key,
                                            PackStatements statements);
  // Records in ascending order; the record of the reading itself is the last one.
  // INVALID_ARGUMENT, and nothing is emitted, where the record is not proved under the checkpoint,
  // or its detail is not the one that it commits to.
  absl::Status Add(const v1::ProvenRecord& record, const Emit& emit);
  // The members beside the records. INVALID_ARGUMENT where the last record is not that of a reading
  // that showed the others.
  absl::Status Finish(const Emit& emit);

  const PackSummary& summary() const { return summary_; }
  const audit::Checkpoint& head() const { return head_; }

 private:
  struct Sum {
    std::string name;
    uint64_t bytes = 0;
    Hash digest = {};
  };

  PackContents() = default;
  absl::Status Put(std::string_view name, std::string_view bytes, const Emit& emit);
  absl::Status CheckReading() const;
  std::string Manifest() const;

  std::string checkpoint_;
  PackStatements statements_;
  audit::Checkpoint head_;
  PackSummary summary_;
  std::vector<Sum> sums_;
  std::string lines_, rows_;
  int64_t last_index_ = -1;
  v1::AuditEnvelope last_;
  v1::AuditDetail last_detail_;
  bool last_has_detail_ = false;
  int64_t records_ = 0, details_ = 0;
};

// What a manifest states. INVALID_ARGUMENT where it is none.
absl::StatusOr<PackStatements> ParsePackManifest(const std::string& text);

}  // namespace sluice::cli
