// What is known of the files of a source: of each the digest of what it holds now, and the indexes
// over that. Kept as long as the file's stamp is the same, and over a change of the stamp that left
// the bytes as they were.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/files/budgets.h"
#include "adapters/files/compression.h"
#include "adapters/files/folder.h"
#include "adapters/files/job.h"
#include "adapters/files/key_index.h"
#include "gateway/base/crypto.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::files {

// SHA-256 of the whole file; where it has a companion, of the two files' digests, a line each; of
// several that are one table, of what sha256sum prints for them.
class DigestJob : public Job {
 public:
  explicit DigestJob(std::shared_ptr<const SourceFile> file) : file_(std::move(file)) {}
  // Once done: 64 hexadecimal digits, as sha256sum writes them.
  const std::string& digest() const { return digest_; }

 protected:
  absl::Status Work(const Watch& watch) override;
  void Restart() override;

 private:
  absl::StatusOr<std::string> DigestOf(const SourceFile& file, const Watch& watch);
  absl::StatusOr<std::string> Hash(const SourceFile& file, const Watch& watch);

  std::shared_ptr<const SourceFile> file_;  // until done
  size_t part_ = 0;
  int64_t offset_ = 0;
  Sha256Stream hash_;
  std::string own_;    // of a part, until its companion is read
  std::string lines_;  // of the parts that are done
  std::string digest_;
};

// One file, as it was at one stamp. Any thread.
class FileVersion {
 public:
  FileVersion(std::shared_ptr<const SourceFile> file, std::shared_ptr<FileVersion> before)
      : stamp_(file->stamp()), digest_(std::move(file)), before_(std::move(before)) {}

  const Stamp& stamp() const { return stamp_; }
  // The digest, computed where nobody did yet.
  absl::StatusOr<std::string> Digest(const Watch& watch);
  // Empty where nobody did yet.
  std::string KnownDigest() const { return digest_.done() ? digest_.digest() : std::string(); }
  // How many rows a part has: nothing where nobody counted yet.
  std::optional<int64_t> Rows(const std::string& part) const;
  void SetRows(const std::string& part, int64_t rows);
  // What the format reads: the file, or what is unpacked of it, where nobody did yet. After Digest.
  absl::StatusOr<std::shared_ptr<const Content>> Unpacked(
      const Format& format, const std::shared_ptr<const SourceFile>& file, const TableName& table,
      const UnpackSettings& settings, const Watch& watch);
  // The index for the table's key, built where nobody did yet. After Digest.
  absl::StatusOr<std::shared_ptr<const KeyIndex>> Index(
      const IndexedTable& table, const std::shared_ptr<const SourceFile>& file,
      const Budgets& budgets, const Watch& watch);

 private:
  using Indexes = std::vector<std::pair<std::string, std::shared_ptr<IndexBuild>>>;
  using Unpackings = std::vector<std::pair<std::string, std::shared_ptr<Unpacking>>>;

  std::shared_ptr<Unpacking> UnpackingOf(const std::string& what,
                                         const std::function<std::shared_ptr<Unpacking>()>& make);

  const Stamp stamp_;
  DigestJob digest_;
  mutable Mutex mutex_;
  std::shared_ptr<FileVersion> before_ SLUICE_GUARDED_BY(mutex_);  // until digested
  std::map<std::string, int64_t> rows_ SLUICE_GUARDED_BY(mutex_);  // by part
  Indexes indexes_ SLUICE_GUARDED_BY(mutex_);  // by their keys; the last used comes last
  // Of the file, if it is compressed, and of its parts; as indexes_.
  Unpackings unpackings_ SLUICE_GUARDED_BY(mutex_);
};

class Versions {
 public:
  std::shared_ptr<FileVersion> Of(const std::string& name,
                                  const std::shared_ptr<const SourceFile>& file);

 private:
  Mutex mutex_;
  // The last used comes last.
  std::vector<std::pair<std::string, std::shared_ptr<FileVersion>>> known_
      SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::files
