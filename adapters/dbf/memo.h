// The file that holds a table's memos: .dbt of dBase III and IV, .fpt of FoxPro. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/dbf/header.h"
#include "adapters/files/content.h"

namespace sluice::adapters::dbf {

class MemoFile {
 public:
  // Reads its header, which says how long a block is. What is wrong with it is wrong with each
  // memo. `content` outlives it.
  static absl::StatusOr<MemoFile> Open(const files::Content& content, MemoForm form,
                                       int64_t most_bytes);

  // The memo that begins with that block, from 1. False where there is none that is whole: why()
  // says more. SOURCE_CHANGED, SOURCE_UNAVAILABLE.
  absl::StatusOr<bool> Read(int64_t block, bool text, std::string& memo);
  const char* why() const { return why_; }

 private:
  MemoFile(const files::Content& content, MemoForm form, int64_t block_bytes, int64_t most_bytes)
      : content_(&content), form_(form), block_bytes_(block_bytes), most_bytes_(most_bytes) {}
  absl::StatusOr<bool> ReadToMark(int64_t offset, std::string& memo);
  absl::StatusOr<bool> ReadCounted(int64_t offset, bool text, std::string& memo);
  bool Bad(const char* why) {
    why_ = why;
    return false;
  }

  const files::Content* content_;
  MemoForm form_;
  int64_t block_bytes_;
  int64_t most_bytes_;
  const char* why_ = "";
};

}  // namespace sluice::adapters::dbf
