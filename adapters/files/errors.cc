#include "adapters/files/errors.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {
namespace {

absl::Status BadAt(const Spot& spot, std::string_view column, std::string_view what) {
  std::string sentence =
      absl::StrCat("table '", View(spot.table), "', ", spot.counted, " ", spot.place.number);
  if (!column.empty()) absl::StrAppend(&sentence, ", column '", View(column), "'");
  absl::StrAppend(&sentence, ": ", View(what));
  absl::Status status = Error(v1::REASON_SOURCE_BAD_VALUE, sentence);
  AddKey(status, spot.counted, absl::StrCat(spot.place.number));
  AddKey(status, "offset", absl::StrCat(spot.place.offset));
  return status;
}

}  // namespace

absl::Status Unavailable(std::string_view sentence) {
  return Error(v1::REASON_SOURCE_UNAVAILABLE, sentence);
}

absl::Status Drift(std::string_view sentence) { return Error(v1::REASON_SCHEMA_DRIFT, sentence); }

absl::Status Changed() {
  return Error(v1::REASON_SOURCE_CHANGED, "the source's file was changed while it was read");
}

absl::Status BadRecord(const Spot& spot, std::string_view what) { return BadAt(spot, "", what); }

absl::Status BadField(const Spot& spot, std::string_view column, std::string_view what) {
  return BadAt(spot, column, what);
}

absl::Status BadFile(std::string_view table, std::string_view what) {
  return Error(v1::REASON_SOURCE_BAD_VALUE,
               absl::StrCat("table '", View(table), "': ", View(what)));
}

absl::Status RepeatedKey(std::string_view table, const char* counted, const Place& a,
                         const Place& b) {
  const int64_t first = std::min(a.number, b.number), second = std::max(a.number, b.number);
  absl::Status status =
      Drift(absl::StrCat("the dataset's key is not unique in table '", View(table), "': ", counted,
                         "s ", first, " and ", second, " have the same"));
  AddKey(status, counted, absl::StrCat(first));
  AddKey(status, absl::StrCat("other_", counted), absl::StrCat(second));
  return status;
}

}  // namespace sluice::adapters::files
