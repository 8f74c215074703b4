#include "adapters/files/files_adapter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/files/joined.h"
#include "adapters/files/local_folder.h"
#include "adapters/files/reader.h"
#include "adapters/files/remote_folder.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

class FilesAdapter : public Adapter {
 public:
  FilesAdapter(std::shared_ptr<const Format> format, FileSettings settings, const Budgets& budgets)
      : source_(std::make_shared<Source>()) {
    const PlaceSettings& place = settings.place;
    source_->format = place.drops.all
                          ? MakeJoinedFormat(std::move(format), place.drops.file_name_column)
                          : std::move(format);
    source_->drops = std::make_unique<Drops>(
        place.folder.empty() ? MakeRemoteFolder(place.remote) : MakeLocalFolder(place.folder),
        place.drops, place.unpack, source_->format,
        place.folder.empty() ? place.remote.url : place.folder);
    source_->settings = std::move(settings);
    source_->budgets = budgets;
  }

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext& context) override {
    const Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    std::vector<TableDescription> descriptions;
    if (!table.empty()) {
      SLUICE_RETURN_IF_ERROR(DescribeFile(TableName::Of(table), true, watch, descriptions));
      return descriptions;
    }
    SLUICE_ASSIGN_OR_RETURN(const auto names, source_->drops->Tables(watch));
    absl::Status failed;
    for (const std::string& name : names) {
      const absl::Status status = DescribeFile({name, ""}, false, watch, descriptions);
      if (EndedByWatch(status)) return status;
      if (!status.ok() && failed.ok() && !absl::IsNotFound(status)) failed = status;
    }
    // Among many, a file that cannot be read hides no other; where none can, it is said why.
    if (descriptions.empty() && !failed.ok()) return failed;
    return descriptions;
  }

  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext& context) override {
    if (request.after && request.after->size() != request.key.size())
      return absl::InvalidArgumentError("a position has a value for each column of the key");
    return std::make_unique<FileReader>(source_, std::move(request), context);
  }

  absl::Status Probe(const CallContext& context) override {
    const Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    return source_->drops->Probe(watch);
  }

  std::vector<std::string> Notes() override { return source_->drops->Notes(); }

 private:
  // Quick: what stands at the file's start is read, and the version is said where it is known.
  absl::Status DescribeFile(const TableName& table, bool only, const Watch& watch,
                            std::vector<TableDescription>& descriptions) {
    Drops& drops = *source_->drops;
    SLUICE_ASSIGN_OR_RETURN(const Drops::Served served, drops.Open(table.file, false, watch));
    const std::shared_ptr<const Content> start =
        StartOf(served.file, table.file, source_->settings.place.unpack);
    std::vector<TableName> tables = {table};
    if (!only) {
      SLUICE_ASSIGN_OR_RETURN(const auto parts, source_->format->Parts(*start, table, watch));
      if (!parts.empty()) tables.clear();
      for (const std::string& part : parts) tables.push_back({table.file, part});
    }
    std::vector<TableDescription> found;
    for (const TableName& one : tables) {
      auto described = DescribeOne(served, start, one, watch);
      if (watch.proposes() && (only || !described.ok())) Propose(*start, described);
      SLUICE_RETURN_IF_ERROR(described.status());
      found.push_back(*std::move(described));
    }
    SLUICE_RETURN_IF_ERROR(drops.Recheck(table.file, *served.file, watch));
    for (TableDescription& one : found) descriptions.push_back(std::move(one));
    return absl::OkStatus();
  }

  void Propose(const Content& start, absl::StatusOr<TableDescription>& described) const {
    std::vector<std::string> proposals = source_->format->Proposals(start);
    if (described.ok()) {
      described->proposals = std::move(proposals);
    } else if (!proposals.empty()) {
      absl::Status status = described.status();
      AddOperatorNote(
          status,
          absl::StrCat("(a look at the file proposes: ", absl::StrJoin(proposals, "; "), ")"));
      described = std::move(status);
    }
  }

  absl::StatusOr<TableDescription> DescribeOne(const Drops::Served& served,
                                               const std::shared_ptr<const Content>& start,
                                               const TableName& table, const Watch& watch) {
    SLUICE_ASSIGN_OR_RETURN(const auto layout, source_->format->ReadLayout(start, table, watch));
    TableDescription description;
    description.table = table.Full();
    description.columns = layout->columns;
    const std::vector<std::string> key = source_->settings.KeyOf(description.table);
    for (const std::string& column : key)
      SLUICE_RETURN_IF_ERROR(layout->Find(table, column).status());
    if (!key.empty()) description.unique_keys.push_back(key);
    description.snapshot = true;
    description.version.version = layout->VersionOf(served.version->KnownDigest());
    description.version.as_of = served.file->stamp().modified_ns / 1'000;
    description.rows = served.version->Rows(table.part);
    description.note = source_->drops->NoteOf(table.file);
    return description;
  }

  const std::shared_ptr<Source> source_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Adapter>> OpenFiles(std::shared_ptr<const Format> format,
                                                   FileSettings settings, const Budgets& budgets) {
  auto adapter = std::make_unique<FilesAdapter>(std::move(format), std::move(settings), budgets);
  SLUICE_RETURN_IF_ERROR(adapter->Probe(CallContext{}));
  return adapter;
}

}  // namespace sluice::adapters::files
