#include "adapters/delimited/errors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::delimited {
absl::Status Unavailable(std::string_view sentence) {
  return Error(v1::REASON_SOURCE_UNAVAILABLE, sentence);
}

absl::Status Drift(std::string_view sentence) { return Error(v1::REASON_SCHEMA_DRIFT, sentence); }

absl::Status Changed() {
  return Error(v1::REASON_SOURCE_CHANGED, "the source's file was changed while it was read");
}

absl::Status BadRecord(std::string_view table, int64_t line, std::string_view what) {
  absl::Status status =
      Error(v1::REASON_SOURCE_BAD_VALUE,
            absl::StrCat("table '", View(table), "', line ", line, ": ", View(what)));
  AddKey(status, "line", absl::StrCat(line));
  return status;
}

absl::Status BadField(std::string_view table, int64_t line, std::string_view column,
                      std::string_view what) {
  absl::Status status = Error(v1::REASON_SOURCE_BAD_VALUE,
                              absl::StrCat("table '", View(table), "', line ", line, ", column '",
                                           View(column), "': ", View(what)));
  AddKey(status, "line", absl::StrCat(line));
  return status;
}

}  // namespace sluice::adapters::delimited
