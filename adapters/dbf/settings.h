// The settings of a source of kind `dbf`.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "adapters/dbf/code_pages.h"
#include "adapters/files/settings.h"

namespace sluice::adapters::dbf {

// How tables are read, wherever they are.
struct DbfSettings {
  const CodePage* page = nullptr;       // null: what the header says
  bool refuses_deleted = false;         // else they are left out
  bool blank_is_null = false;           // a text of blanks; else it is empty
  bool missing_memos_are_null = false;  // else asking for them is an error
  bool reads_short = false;             // a file of fewer records than its header says
  bool reads_rest = false;  // whole records behind the last that the header says are left out
  int64_t most_memo_bytes = 8 << 20;
  files::ColumnRules rules;  // of texts
};

struct SourceSettings {
  DbfSettings format;
  files::FileSettings files;
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::dbf
