#include "adapters/files/reject_file.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/base/crypto.h"
#include "gateway/base/file_system.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {
namespace {

std::string NameOf(std::string_view table, std::string_view version) {
  std::string name = absl::StrReplaceAll(View(table), {{"/", "_"}});
  return absl::StrCat(name, ".", View(version.substr(0, 12)), ".rejects.csv");
}

}  // namespace

RejectFile::RejectFile(std::string folder, std::string_view table, std::string_view version,
                       const char* counted)
    : folder_(std::move(folder)),
      table_(table),
      name_(NameOf(table, version)),
      text_(absl::StrCat(counted, ",offset,reason,bytes_hex\n")) {}

absl::Status RejectFile::Add(const Place& place, const absl::Status& why, std::string_view raw) {
  ++count_;
  absl::StrAppend(&text_, place.number, ",", place.offset, ",\"",
                  absl::StrReplaceAll(why.message(), {{"\"", "\"\""}}), "\",",
                  HexEncode(raw.substr(0, kMostBytes)), "\n");
  if (count_ <= kMostRecords && text_.size() <= kMostSize) return absl::OkStatus();
  return BadFile(table_,
                 absl::StrCat("over ", kMostRecords, " records, or ", kMostSize >> 20,
                              " MiB of them, are no rows: are the source's settings another "
                              "file's?"));
}

absl::Status RejectFile::Write() const {
  if (count_ == 0) return absl::OkStatus();
  const absl::Status written =
      MakePosixFileSystem()->WriteAtomically(JoinPath(folder_, name_), text_, 0640);
  if (written.ok()) return written;
  return Unavailable(
      "the source's reject file cannot be written: is reject_folder there, and may "
      "the gateway's account write into it?");
}

}  // namespace sluice::adapters::files
