// What of a folder is served: which file of several is a table, whether it has arrived whole, and
// whether it may be what its owner meant. A file that is not served yet is held back, and said to
// be.
//
// Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/compression.h"
#include "adapters/files/drop_pattern.h"
#include "adapters/files/folder.h"
#include "adapters/files/format.h"
#include "adapters/files/row_count.h"
#include "adapters/files/served_before.h"
#include "adapters/files/versions.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::files {

struct DropSettings {
  // One of three: a file; all files that end so; all files of a pattern.
  std::string file;
  std::string suffix;
  std::optional<DropPattern> pattern;

  bool all = false;              // files of a table, one behind the other; else the newest
  std::string file_name_column;  // where all are
  int64_t settle_ns = 0;         // not touched for so long; 0 for no matter
  std::string marker, checksum;  // names of files beside it: "{name}.done"; empty for none
  // Percent of the rows served before, or of the bytes where rows are not known; 0 for no bound.
  int64_t least_share = 0, most_share = 0;
  std::vector<std::string> accept;  // SHA-256, whatever their share
  std::string state_folder;         // empty: nothing outlasts the process
};

class Drops {
 public:
  struct Served {
    std::shared_ptr<const SourceFile> file;
    std::shared_ptr<FileVersion> version;
  };

  // `place` tells this source from others that share its state_folder.
  Drops(std::shared_ptr<Folder> folder, DropSettings settings, UnpackSettings unpack,
        std::shared_ptr<const Format> format, std::string place)
      : folder_(std::move(folder)),
        settings_(std::move(settings)),
        unpack_(std::move(unpack)),
        format_(std::move(format)),
        served_before_(settings_.state_folder, std::move(place)) {}

  // Names of tables, sorted. SOURCE_UNAVAILABLE.
  absl::StatusOr<std::vector<std::string>> Tables(const Watch& watch);
  // NOT_FOUND where there is no such table. SOURCE_UNAVAILABLE, with the key `held_back`, where its
  // files are all held back. `whole`: what needs the whole file read is looked at too; else what
  // was found of it earlier.
  absl::StatusOr<Served> Open(const std::string& table, bool whole, const Watch& watch);
  // Whether who reads the file may go on: SOURCE_CHANGED, or SOURCE_UNAVAILABLE where it was taken
  // away and nothing came in its place.
  absl::Status Recheck(const std::string& table, const SourceFile& file, const Watch& watch);
  absl::Status Probe(const Watch& watch);

  // A sentence on what was held back of the table when it was last opened; empty for nothing.
  std::string NoteOf(const std::string& table) const;
  // Of all tables.
  std::vector<std::string> Notes() const;

 private:
  // Why a file is held back.
  struct Hold {
    std::string by;   // the setting
    std::string why;  // behind "the drop"
  };
  using MayBeHeld = absl::StatusOr<std::optional<Hold>>;

  std::string_view WithoutPacking(std::string_view name) const;
  std::optional<DropPattern::Found> Dated(const std::string& name) const;
  std::string TableOfFile(std::string_view name) const;
  absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& table, const Watch& watch);
  bool TooYoung(const Stamp& stamp) const;
  static Hold TooYoungHold();
  MayBeHeld StillComing(const std::string& name, const Watch& watch);
  MayBeHeld CheckDigest(const Served& served, const Watch& watch);
  MayBeHeld CheckShare(const std::string& table, const Served& served, const Watch& watch);
  absl::StatusOr<int64_t> CountRows(const std::string& table, const Served& served,
                                    const std::string& digest, const Watch& watch);
  absl::StatusOr<std::variant<Served, Hold>> OpenOne(const std::string& table,
                                                     const std::string& name, bool whole,
                                                     const Watch& watch);
  absl::StatusOr<Served> OpenNewest(const std::string& table, bool whole, const Watch& watch);
  absl::StatusOr<Served> OpenAll(const std::string& table, bool whole, const Watch& watch);
  std::optional<Served> LastServed(const std::string& table, const Watch& watch);
  static absl::Status HeldBack(const std::string& table, const Hold& hold, const std::string& name);
  void SetNote(const std::string& table, std::string note);

  const std::shared_ptr<Folder> folder_;
  const DropSettings settings_;
  const UnpackSettings unpack_;
  const std::shared_ptr<const Format> format_;
  Versions versions_;
  ServedBefore served_before_;

  mutable Mutex mutex_;
  std::map<std::string, std::string> notes_ SLUICE_GUARDED_BY(mutex_);  // by table
  // What was found of files, the last found last: by digest; by name.
  std::vector<std::pair<std::string, std::shared_ptr<RowCount>>> counts_ SLUICE_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, std::pair<Stamp, Hold>>> held_ SLUICE_GUARDED_BY(mutex_);
  // By table, where drops are compared: kept open.
  std::map<std::string, Served> last_served_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::files
