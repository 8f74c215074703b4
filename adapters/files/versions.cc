#include "adapters/files/versions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kReadBytes = 64 << 10;
// An index takes up to half a MiB of memory, and perhaps a file descriptor.
constexpr size_t kMostIndexes = 4;
// Of the tables of one file: each takes a file descriptor.
constexpr size_t kMostUnpackings = 4;
constexpr size_t kMostVersions = 32;

// The entry of that name, moved to the end; the end where there is none.
template <class Entries>
typename Entries::iterator Use(Entries& entries, const std::string& name) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  if (found == entries.end()) return found;
  std::rotate(found, found + 1, entries.end());
  return entries.end() - 1;
}

// What an index depends on, beside the file and the settings.
std::string ShapeOf(const IndexedTable& table) {
  std::string shape = absl::StrCat(table.name.part, table.reject_folder.empty() ? "/" : "//",
                                   table.layout->reading, "/");
  for (const ColumnRequest& part : table.key)
    absl::StrAppend(&shape, part.column, ":", records::ToString(part.type), ";");
  return shape;
}

}  // namespace

void DigestJob::Restart() {
  offset_ = 0;
  digest_.clear();
  hash_.Finish();
}

absl::Status DigestJob::Hash(const Content& content, const Watch& watch) {
  std::string bytes(kReadBytes, '\0');
  while (offset_ < content.size()) {
    SLUICE_RETURN_IF_ERROR(watch.Check());
    size_t read = 0;
    SLUICE_RETURN_IF_ERROR(content.Read(offset_, bytes.size(), bytes.data(), &read));
    hash_.Update(std::string_view(bytes).substr(0, read));
    offset_ += static_cast<int64_t>(read);
  }
  return absl::OkStatus();
}

absl::Status DigestJob::Work(const Watch& watch) {
  const Content* const companion = file_->companion();
  if (companion == nullptr || digest_.empty()) {
    SLUICE_RETURN_IF_ERROR(Hash(*file_, watch));
  }
  if (companion != nullptr) {
    if (digest_.empty()) {
      digest_ = HexEncode(AsBytes(hash_.Finish()));
      offset_ = 0;
    }
    SLUICE_RETURN_IF_ERROR(Hash(*companion, watch));
    const std::string both = digest_ + "\n" + HexEncode(AsBytes(hash_.Finish())) + "\n";
    offset_ = 0;
    hash_.Update(both);
  }
  SLUICE_ASSIGN_OR_RETURN(const bool unchanged, file_->Unchanged());
  if (!unchanged) return Changed();
  digest_ = HexEncode(AsBytes(hash_.Finish()));
  file_.reset();
  return absl::OkStatus();
}

absl::StatusOr<std::string> FileVersion::Digest(const Watch& watch) {
  SLUICE_RETURN_IF_ERROR(digest_.Finish(watch));
  std::shared_ptr<FileVersion> before;
  {
    MutexLock lock(mutex_);
    before = std::move(before_);
    before_ = nullptr;
  }
  if (before == nullptr || before->KnownDigest() != digest_.digest()) return digest_.digest();
  // Touched, renamed or brought again, and the same bytes.
  Indexes indexes;
  Unpackings unpackings;
  {
    MutexLock lock(before->mutex_);
    indexes = before->indexes_;
    unpackings = before->unpackings_;
  }
  const auto unfinished = [](const auto& entry) { return !entry.second->done(); };
  std::erase_if(indexes, unfinished);
  std::erase_if(unpackings, unfinished);
  MutexLock lock(mutex_);
  if (unpackings_.empty()) unpackings_ = std::move(unpackings);
  if (indexes_.empty()) indexes_ = std::move(indexes);
  return digest_.digest();
}

absl::StatusOr<std::shared_ptr<const Content>> FileVersion::Unpacked(
    const Format& format, const std::shared_ptr<const SourceFile>& file, const TableName& table,
    const std::string& work_folder, const Watch& watch) {
  std::shared_ptr<Unpacking> unpacking;
  {
    MutexLock lock(mutex_);
    if (Use(unpackings_, table.part) == unpackings_.end()) {
      auto made = format.Unpack(file, table, work_folder);
      if (made == nullptr) return file;
      if (unpackings_.size() >= kMostUnpackings) unpackings_.erase(unpackings_.begin());
      unpackings_.emplace_back(table.part, std::move(made));
    }
    unpacking = unpackings_.back().second;
  }
  SLUICE_RETURN_IF_ERROR(unpacking->Finish(watch));
  return unpacking->content();
}

absl::StatusOr<std::shared_ptr<const KeyIndex>> FileVersion::Index(
    const IndexedTable& table, const std::shared_ptr<const SourceFile>& file,
    const Budgets& budgets, const Watch& watch) {
  const std::string shape = ShapeOf(table);
  std::shared_ptr<IndexBuild> build;
  {
    MutexLock lock(mutex_);
    if (Use(indexes_, shape) == indexes_.end()) {
      if (indexes_.size() >= kMostIndexes) indexes_.erase(indexes_.begin());
      indexes_.emplace_back(shape, std::make_shared<IndexBuild>(table, file, budgets));
    }
    build = indexes_.back().second;
  }
  SLUICE_RETURN_IF_ERROR(build->Finish(watch));
  return build->index();
}

std::shared_ptr<FileVersion> Versions::Of(const std::string& table,
                                          const std::shared_ptr<const SourceFile>& file) {
  MutexLock lock(mutex_);
  const auto found = Use(known_, table);
  if (found == known_.end()) {
    if (known_.size() >= kMostVersions) known_.erase(known_.begin());
    known_.emplace_back(table, std::make_shared<FileVersion>(file, nullptr));
  } else if (found->second->stamp() != file->stamp()) {
    // One that nobody digested has nothing to pass on.
    auto before = found->second->KnownDigest().empty() ? nullptr : found->second;
    found->second = std::make_shared<FileVersion>(file, std::move(before));
  }
  return known_.back().second;
}

std::string Versions::KnownDigest(const std::string& table, const Stamp& stamp) {
  MutexLock lock(mutex_);
  const auto found = Use(known_, table);
  if (found == known_.end() || found->second->stamp() != stamp) return {};
  return found->second->KnownDigest();
}

}  // namespace sluice::adapters::files
