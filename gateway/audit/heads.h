// The signed heads that a log has given out: text files in heads/, numbered like segments, each a
// row of checkpoint notes of five lines (origin, size, root, empty, signature) one behind the
// other. A run of the gateway begins a file with its first head and another when one is full.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/file_system.h"

namespace sluice::audit {

struct StoredHead {
  Checkpoint checkpoint;
  std::string note;
};

// What a file of heads holds.
struct HeadsFile {
  std::vector<StoredHead> heads;
  uint64_t sound = 0;  // bytes up to which all is well
  absl::Status rest;   // what is wrong there; OK where the file ends there
};
// Every signature is checked, and that each note is written in the one way in which we write it.
HeadsFile ParseHeads(std::string_view bytes, const VerifierKey& key);
// Whether a sound head begins anywhere in `bytes`.
bool HoldsHead(std::string_view bytes, const VerifierKey& key);

// One note by itself, as in the file of the kept head.
absl::StatusOr<StoredHead> ParseHead(std::string_view note, const VerifierKey& key);

std::string HeadsDirectory(const std::string& directory);
// The numbers of the files, ascending. DATA_LOSS for a name that does not belong there; temporary
// files of a start that did not end are not counted.
absl::StatusOr<std::vector<uint64_t>> ListHeads(FileSystem& files, const std::string& directory);
std::string HeadsPath(const std::string& directory, uint64_t number);
inline constexpr uint64_t kMaxHeadsFile = 1 << 20;

// What recovery knows about heads.
struct NewestHeads {
  std::optional<StoredHead> newest;  // in heads/
  std::optional<StoredHead> kept;
  uint64_t last_file = 0;
  std::string last_sound;  // that file's sound part
  // The last file may not be on the storage as it is read, or it ends in a head that was cut short:
  // it is to be written anew.
  bool in_doubt = false;
};
// Reads the last file with heads, and the kept one. DATA_LOSS where they cannot be what this log
// left behind, however it ended.
absl::StatusOr<NewestHeads> ReadNewestHeads(FileSystem& files, const std::string& directory,
                                            const std::string& kept_path, const VerifierKey& key);

// Appends heads. One thread.
class HeadsWriter {
 public:
  HeadsWriter(FileSystem& files, std::string directory, uint64_t last_file)
      : files_(files), directory_(std::move(directory)), number_(last_file) {}
  // Durable when it returns OK. Never called again after a failure.
  absl::Status Append(std::string_view note);

 private:
  FileSystem& files_;
  const std::string directory_;
  uint64_t number_;
  uint64_t size_ = 0;
  std::unique_ptr<WritableFile> file_;
};

}  // namespace sluice::audit
