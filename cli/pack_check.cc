#include "cli/pack_check.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/pack_archive.h"
#include "gateway/audit/record.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr size_t kMostProofBytes = 2 << 20;
constexpr size_t kMostDetailBytes = audit::kCommitmentRandomBytes + audit::kMaxDetailBytes;
constexpr size_t kMostNoteBytes = 1 << 20;
// The page, the lines of records, the manifest.
constexpr size_t kMostText = 1 << 30;

absl::Status PackWrong(const std::string& why) { return absl::InvalidArgumentError(why); }

// Makes the pack anew from what is in it, and holds each member against what that gives.
class PackChecker {
 public:
  PackChecker(ArchiveReader archive, const std::function<void(uint64_t, uint64_t)>& progress)
      : archive_(std::move(archive)), progress_(progress) {}

  absl::StatusOr<PackReport> Run(const audit::VerifierKey& key) {
    SLUICE_ASSIGN_OR_RETURN(const std::string manifest, ReadNamed(kPackManifest, kMostText));
    SLUICE_ASSIGN_OR_RETURN(PackStatements statements, ParsePackManifest(manifest));
    SLUICE_ASSIGN_OR_RETURN(const std::string note, ReadNamed(kPackCheckpoint, kMostNoteBytes));
    auto contents = PackContents::Begin(note, key, std::move(statements));
    if (!contents.ok())
      return PackWrong(
          absl::StrCat(kPackCheckpoint, ": ", std::string(contents.status().message())));
    const PackContents::Emit compare = [this](std::string_view name, std::string_view bytes) {
      return Compare(name, bytes);
    };
    while (next_ < archive_.members().size() &&
           absl::StartsWith(archive_.members()[next_].name, "records/")) {
      SLUICE_ASSIGN_OR_RETURN(const v1::ProvenRecord record, NextRecord());
      SLUICE_RETURN_IF_ERROR(contents->Add(record, compare));
    }
    SLUICE_RETURN_IF_ERROR(contents->Finish(compare));
    if (next_ < archive_.members().size())
      return PackWrong(absl::StrCat(archive_.members()[next_].name, ": belongs to no pack"));
    return Report(*contents);
  }

 private:
  absl::StatusOr<std::string> ReadNamed(std::string_view name, size_t most) {
    for (const ArchiveMember& member : archive_.members())
      if (member.name == name) return archive_.Read(member, most);
    return PackWrong(absl::StrCat(std::string(name), ": is missing"));
  }

  // The record whose proof is the next member, with the detail behind it.
  absl::StatusOr<v1::ProvenRecord> NextRecord() {
    const ArchiveMember& member = archive_.members()[next_];
    SLUICE_ASSIGN_OR_RETURN(const std::string text, archive_.Read(member, kMostProofBytes));
    auto proof = audit::ParseTlogProof(text);
    if (!proof.ok() || proof->index > INT64_MAX)
      return PackWrong(absl::StrCat(member.name, ": no proof of a record"));
    v1::ProvenRecord record;
    record.set_index(static_cast<int64_t>(proof->index));
    record.set_envelope(std::move(proof->extra));
    for (const Hash& hash : proof->path) record.add_path(std::string(AsBytes(hash)));
    if (next_ + 1 < archive_.members().size()) {
      const ArchiveMember& behind = archive_.members()[next_ + 1];
      if (behind.name == PackDetailName(record.index())) {
        SLUICE_ASSIGN_OR_RETURN(*record.mutable_opened_detail(),
                                archive_.Read(behind, kMostDetailBytes));
        if (record.opened_detail().empty())
          return PackWrong(absl::StrCat(behind.name, ": is empty"));
      }
    }
    return record;
  }

  absl::Status Compare(std::string_view name, std::string_view bytes) {
    if (next_ >= archive_.members().size())
      return PackWrong(absl::StrCat(std::string(name), ": is missing"));
    const ArchiveMember& member = archive_.members()[next_];
    if (member.name != name)
      return PackWrong(
          absl::StrCat(member.name, ": stands where ", std::string(name), " should stand"));
    SLUICE_ASSIGN_OR_RETURN(const std::string there, archive_.Read(member, kMostText));
    if (there != bytes)
      return PackWrong(absl::StrCat(member.name, ": is not what the records say"));
    ++next_;
    if (progress_) progress_(next_, archive_.members().size());
    return absl::OkStatus();
  }

  PackReport Report(const PackContents& contents) const {
    PackReport report;
    report.summary = contents.summary();
    const PackSummary& summary = report.summary;
    report.lines.push_back(
        {"archive", absl::StrCat(archive_.members().size(),
                                 " members, none added, removed, moved or changed")});
    report.lines.push_back({"head", absl::StrCat(summary.origin, ", size ", summary.size,
                                                 ", signed by the key given")});
    report.lines.push_back(
        {"records",
         absl::StrCat(summary.records, " and that of the reading, each under this head")});
    report.lines.push_back({"details", absl::StrCat(summary.details, " of ", summary.records,
                                                    ", each the one that its record commits to")});
    report.lines.push_back(
        {"reading", absl::StrCat("#", summary.reading, " by ", summary.reader, ", ",
                                 summary.read_at, ": it showed as many records as are here")});
    report.lines.push_back({"page", "what it says follows from these records"});
    if (!summary.other_signers.empty())
      report.lines.push_back({"signatures",
                              absl::StrCat("others signed the head, not checked: ",
                                           absl::StrJoin(summary.other_signers, ", ")),
                              false});
    report.lines.push_back({"not shown", "that the log has no other record of the matter", false});
    return report;
  }

  ArchiveReader archive_;
  const std::function<void(uint64_t, uint64_t)>& progress_;
  size_t next_ = 0;
};

}  // namespace

absl::StatusOr<PackReport> CheckPack(FileSystem& files, const std::string& path,
                                     const audit::VerifierKey& key,
                                     const std::function<void(uint64_t, uint64_t)>& progress) {
  SLUICE_ASSIGN_OR_RETURN(ArchiveReader archive, ArchiveReader::Open(files, path));
  return PackChecker(std::move(archive), progress).Run(key);
}

}  // namespace sluice::cli
