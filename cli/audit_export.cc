#include "cli/audit_export.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/methods.h"
#include "cli/pack.h"
#include "cli/pack_archive.h"
#include "cli/progress.h"
#include "cli/record_filter.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr size_t kPackBuffer = 1 << 20;

struct ExportOptions {
  FilterOptions filter;
  std::string file;
  bool without_details = false;
};

// A file that is there when it is whole. Written under another name, which goes with it otherwise.
class WholeFile {
 public:
  WholeFile(FileSystem& files, std::string path)
      : files_(files), path_(std::move(path)), temporary_(path_ + ".tmp") {}
  ~WholeFile() {
    file_.reset();
    if (begun_) files_.Remove(temporary_).IgnoreError();
  }
  absl::Status Begin() {
    files_.Remove(temporary_).IgnoreError();  // of a run that was cut
    SLUICE_ASSIGN_OR_RETURN(file_, files_.CreateNew(temporary_, 0600));
    begun_ = true;
    return absl::OkStatus();
  }
  absl::Status Append(std::string_view bytes) {
    buffer_.append(bytes);
    return buffer_.size() < kPackBuffer ? absl::OkStatus() : Flush();
  }
  absl::Status Commit() {
    SLUICE_RETURN_IF_ERROR(Flush());
    SLUICE_RETURN_IF_ERROR(file_->Sync());
    SLUICE_RETURN_IF_ERROR(file_->Close());
    SLUICE_RETURN_IF_ERROR(files_.Rename(temporary_, path_));
    begun_ = false;
    return files_.SyncDirectory(DirectoryOf(path_));
  }

 private:
  absl::Status Flush() {
    SLUICE_RETURN_IF_ERROR(file_->WriteAt(written_, buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    return absl::OkStatus();
  }

  FileSystem& files_;
  const std::string path_, temporary_;
  std::unique_ptr<WritableFile> file_;
  bool begun_ = false;
  uint64_t written_ = 0;
  std::string buffer_;
};

// Words for what the gateway did not prove.
absl::Status NotProvenExport(const absl::Status& status) {
  if (!absl::IsInvalidArgument(status)) return status;
  return LocalError(
      "PROOF_BROKEN",
      absl::StrCat("the gateway did not prove what it exported: ", std::string(status.message()),
                   "."),
      {}, "nothing was written; tell the operator, and keep a copy: sluice audit pull");
}

// Writes the pack as its records come.
class PackMaker {
 public:
  PackMaker(FileSystem& files, const std::string& path, const audit::VerifierKey& key)
      : file_(files, path),
        archive_([this](std::string_view bytes) { return file_.Append(bytes); }),
        key_(key) {}

  absl::Status Begin() { return file_.Begin(); }

  absl::Status Take(const v1::ExportResponse& message, bool without_details) {
    if (message.has_start()) {
      if (contents_) return absl::InvalidArgumentError("it began twice");
      const v1::ExportStart& start = message.start();
      SLUICE_ASSIGN_OR_RETURN(contents_, PackContents::Begin(start.checkpoint(), key_,
                                                             {.made_by = "sluice " SLUICE_VERSION,
                                                              .asked = start.asked(),
                                                              .searched_to = start.searched_to(),
                                                              .erased = start.erased(),
                                                              .without_details = without_details}));
      count_ = start.count();
      reading_ = start.reading();
    }
    if (!contents_) return absl::InvalidArgumentError("it did not say under which head");
    for (const v1::ProvenRecord& record : message.records()) {
      SLUICE_RETURN_IF_ERROR(contents_->Add(record, emit_));
      ++taken_;
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    if (!contents_) return absl::InvalidArgumentError("nothing came");
    if (taken_ != count_)
      return absl::InvalidArgumentError(
          absl::StrCat(count_, " records were announced, and ", taken_, " came"));
    SLUICE_RETURN_IF_ERROR(contents_->Add(reading_, emit_));
    SLUICE_RETURN_IF_ERROR(contents_->Finish(emit_));
    SLUICE_RETURN_IF_ERROR(archive_.Finish());
    return file_.Commit();
  }

  const PackSummary& summary() const { return contents_->summary(); }
  int64_t taken() const { return taken_; }
  int64_t count() const { return count_; }

 private:
  WholeFile file_;
  ArchiveWriter archive_;
  const audit::VerifierKey& key_;
  const PackContents::Emit emit_ = [this](std::string_view name, std::string_view bytes) {
    return archive_.Add(name, bytes);
  };
  std::optional<PackContents> contents_;
  v1::ProvenRecord reading_;
  int64_t count_ = 0, taken_ = 0;
};

absl::Status Export(Session& session, const ExportOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  v1::ExportRequest request;
  SLUICE_ASSIGN_OR_RETURN(*request.mutable_filter(), MakeFilter(environment, options.filter));
  request.set_without_details(options.without_details);
  SLUICE_ASSIGN_OR_RETURN(Gateway* const gateway, session.GetGateway());
  SLUICE_ASSIGN_OR_RETURN(const Micros deadline, session.StreamDeadline());
  PackMaker maker(environment.files, options.file, profile->log_key);
  SLUICE_RETURN_IF_ERROR(maker.Begin());
  absl::Status wrong;
  {
    ProgressBar bar(environment);
    const absl::Status status =
        CallStream(*gateway, kExport, request, deadline, [&](v1::ExportResponse& message) {
          wrong = maker.Take(message, options.without_details);
          bar.Show(static_cast<uint64_t>(maker.taken()), static_cast<uint64_t>(maker.count()));
          return wrong;
        });
    if (wrong.ok() && !status.ok()) return status;
  }
  if (wrong.ok()) wrong = maker.Finish();
  if (!wrong.ok()) return NotProvenExport(wrong);
  const PackSummary& summary = maker.summary();
  environment.err << "wrote " << options.file << "  " << summary.records
                  << (summary.records == 1 ? " record, " : " records, ") << summary.details
                  << " with detail, under the head of size " << summary.size
                  << " · this reading is #" << summary.reading << "\nnext  sluice audit verify "
                  << ShellQuoted(options.file) << " --key "
                  << audit::FormatVerifierKey(profile->log_key) << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddAuditExportCommand(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = audit.add_subcommand(
      "export", "an archive of records that proves them to others; recorded itself");
  AddFilterOptions(*command, options->filter);
  command->add_option("-o,--output", options->file, "what to write: NAME.zip")
      ->type_name("FILE")
      ->required();
  command->add_flag("--without-details", options->without_details,
                    "envelopes and proofs alone: no case, end user, filter or pseudonyms");
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Export(session, *options); };
  });
}

}  // namespace sluice::cli
