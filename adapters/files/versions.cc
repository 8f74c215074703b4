#include "adapters/files/versions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "adapters/files/joined.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kReadBytes = 64 << 10;
// An index takes up to half a MiB of memory, and perhaps a file descriptor.
constexpr size_t kMostIndexes = 4;
// Of the tables of one file, and of the file itself: each takes a file descriptor.
constexpr size_t kMostUnpackings = 5;
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
  part_ = 0;
  offset_ = 0;
  own_.clear();
  lines_.clear();
  hash_.Finish();
}

absl::StatusOr<std::string> DigestJob::Hash(const SourceFile& file, const Watch& watch) {
  std::string bytes(kReadBytes, '\0');
  while (offset_ < file.size()) {
    SLUICE_RETURN_IF_ERROR(watch.Check());
    size_t read = 0;
    SLUICE_RETURN_IF_ERROR(file.Read(offset_, bytes.size(), bytes.data(), &read));
    hash_.Update(std::string_view(bytes).substr(0, read));
    offset_ += static_cast<int64_t>(read);
  }
  offset_ = 0;
  return HexEncode(AsBytes(hash_.Finish()));
}

absl::StatusOr<std::string> DigestJob::DigestOf(const SourceFile& file, const Watch& watch) {
  if (own_.empty()) {
    SLUICE_ASSIGN_OR_RETURN(own_, Hash(file, watch));
  }
  std::string digest = own_;
  if (const SourceFile* const companion = file.companion(); companion != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(const std::string other, Hash(*companion, watch));
    digest = HexEncode(AsBytes(Sha256(own_ + "\n" + other + "\n")));
  }
  own_.clear();
  return digest;
}

absl::Status DigestJob::Work(const Watch& watch) {
  const auto parts = file_->parts();
  std::string digest;
  if (parts.empty()) {
    SLUICE_ASSIGN_OR_RETURN(digest, DigestOf(*file_, watch));
  } else {
    for (; part_ < parts.size(); ++part_) {
      SLUICE_ASSIGN_OR_RETURN(const std::string one, DigestOf(*parts[part_], watch));
      absl::StrAppend(&lines_, one, "  ", parts[part_]->name(), "\n");
    }
    digest = HexEncode(AsBytes(Sha256(lines_)));
  }
  SLUICE_ASSIGN_OR_RETURN(const bool unchanged, file_->Unchanged());
  if (!unchanged) return Changed();
  digest_ = std::move(digest);
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
  std::map<std::string, int64_t> rows;
  {
    MutexLock lock(before->mutex_);
    rows = before->rows_;
    indexes = before->indexes_;
    unpackings = before->unpackings_;
  }
  std::erase_if(indexes, [](const auto& entry) { return !entry.second->done(); });
  std::erase_if(unpackings, [](const auto& entry) { return !entry.second->done(); });
  MutexLock lock(mutex_);
  rows_.merge(rows);
  if (indexes_.empty()) indexes_ = std::move(indexes);
  if (unpackings_.empty()) unpackings_ = std::move(unpackings);
  return digest_.digest();
}

std::shared_ptr<Unpacking> FileVersion::UnpackingOf(
    const std::string& what, const std::function<std::shared_ptr<Unpacking>()>& make) {
  MutexLock lock(mutex_);
  if (Use(unpackings_, what) == unpackings_.end()) {
    auto made = make();
    if (made == nullptr) return nullptr;
    if (unpackings_.size() >= kMostUnpackings) unpackings_.erase(unpackings_.begin());
    unpackings_.emplace_back(what, std::move(made));
  }
  return unpackings_.back().second;
}

absl::StatusOr<std::shared_ptr<const Content>> FileVersion::Unpacked(
    const Format& format, const std::shared_ptr<const SourceFile>& file, const TableName& table,
    const UnpackSettings& settings, const Watch& watch) {
  std::shared_ptr<const Content> content = AsParts(file);
  const auto decompressing =
      UnpackingOf("file", [&] { return MakeDecompressing(file, table.file, settings); });
  if (decompressing != nullptr) {
    SLUICE_RETURN_IF_ERROR(decompressing->Finish(watch));
    content = decompressing->content();
  }
  const auto unpacking = UnpackingOf(absl::StrCat("part ", table.part), [&] {
    return format.Unpack(content, table, settings.work_folder);
  });
  if (unpacking == nullptr) return content;
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
  SetRows(table.name.part, build->index()->rows);
  return build->index();
}

std::optional<int64_t> FileVersion::Rows(const std::string& part) const {
  MutexLock lock(mutex_);
  const auto known = rows_.find(part);
  return known == rows_.end() ? std::nullopt : std::optional(known->second);
}

void FileVersion::SetRows(const std::string& part, int64_t rows) {
  MutexLock lock(mutex_);
  rows_[part] = rows;
}

std::shared_ptr<FileVersion> Versions::Of(const std::string& name,
                                          const std::shared_ptr<const SourceFile>& file) {
  MutexLock lock(mutex_);
  const auto found = Use(known_, name);
  if (found == known_.end()) {
    if (known_.size() >= kMostVersions) known_.erase(known_.begin());
    known_.emplace_back(name, std::make_shared<FileVersion>(file, nullptr));
  } else if (found->second->stamp() != file->stamp()) {
    // One that nobody digested has nothing to pass on.
    auto before = found->second->KnownDigest().empty() ? nullptr : found->second;
    found->second = std::make_shared<FileVersion>(file, std::move(before));
  }
  return known_.back().second;
}

}  // namespace sluice::adapters::files
