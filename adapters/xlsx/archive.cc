#include "adapters/xlsx/archive.h"

#include <minizip/unzip.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::xlsx {
namespace {

constexpr size_t kMostNameBytes = 256;
// What large sheets do not come to, even where every row is the same; deflate ends near 1,030.
constexpr int64_t kMostRatio = 400;
constexpr int64_t kRatioFrom = 64 << 20;
constexpr int kStored = 0, kDeflated = 8;
constexpr std::string_view kOleMagic = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

std::string Folded(std::string_view name) { return absl::AsciiStrToLower(View(name)); }

bool LeadsElsewhere(std::string_view name) {
  return name.empty() || name[0] == '/' || name.find('\\') != name.npos ||
         name.find('\0') != name.npos || name.find(':') != name.npos || name == ".." ||
         name.starts_with("../") || name.find("/../") != name.npos || name.ends_with("/..");
}

}  // namespace

// What minizip reads through. It asks byte by byte for the directory.
struct Archive::Input {
  static constexpr size_t kWindow = 32 << 10;

  std::shared_ptr<const files::Content> content;
  absl::Status status;  // of the first read that failed
  int64_t at = 0;
  std::string window;
  int64_t window_at = 0;

  size_t Read(char* to, size_t count) {
    size_t done = 0;
    while (done < count && status.ok()) {
      const int64_t end = window_at + static_cast<int64_t>(window.size());
      if (at < window_at || at >= end) {
        window.resize(kWindow);
        window_at = at;
        size_t read = 0;
        status = content->Read(at, kWindow, window.data(), &read);
        window.resize(status.ok() ? read : 0);
        if (window.empty()) break;
      }
      const size_t n = window.copy(to + done, count - done, static_cast<size_t>(at - window_at));
      done += n;
      at += static_cast<int64_t>(n);
    }
    return done;
  }

  static Input& Of(void* input) { return *static_cast<Input*>(input); }
  static void* OpenFile(void* input, const void*, int) { return input; }
  static uLong ReadFile(void* input, void*, void* to, uLong count) {
    return Of(input).Read(static_cast<char*>(to), count);
  }
  static uLong WriteFile(void*, void*, const void*, uLong) { return 0; }
  static ZPOS64_T Tell(void* input, void*) { return static_cast<ZPOS64_T>(Of(input).at); }
  static long Seek(void* input, void*, ZPOS64_T offset, int origin) {
    Input& self = Of(input);
    const int64_t from = origin == ZLIB_FILEFUNC_SEEK_CUR   ? self.at
                         : origin == ZLIB_FILEFUNC_SEEK_END ? self.content->size()
                                                            : 0;
    if (offset > static_cast<ZPOS64_T>(self.content->size() - from)) return -1;
    self.at = from + static_cast<int64_t>(offset);
    return 0;
  }
  static int Close(void*, void*) { return 0; }
  static int Error(void* input, void*) { return Of(input).status.ok() ? 0 : 1; }
};

Archive::Archive(std::string table, int64_t most_bytes)
    : table_(std::move(table)), most_bytes_(most_bytes), input_(std::make_unique<Input>()) {}

Archive::~Archive() {
  if (open_) unzCloseCurrentFile(zip_);
  if (zip_ != nullptr) unzClose(zip_);
}

absl::Status Archive::Bad(std::string_view what) const {
  if (!input_->status.ok()) return input_->status;
  return files::BadFile(table_, what);
}

absl::StatusOr<std::unique_ptr<Archive>> Archive::Open(
    std::shared_ptr<const files::Content> content, std::string table, int64_t most_bytes) {
  std::unique_ptr<Archive> archive(new Archive(std::move(table), most_bytes));
  archive->input_->content = std::move(content);
  std::string start(kOleMagic.size(), '\0');
  start.resize(archive->input_->Read(start.data(), start.size()));
  if (start == kOleMagic)
    return archive->Bad(
        "the file is an .xls workbook of old, or one with a password: save it as .xlsx, without");
  zlib_filefunc64_def functions{};
  functions.zopen64_file = &Input::OpenFile;
  functions.zread_file = &Input::ReadFile;
  functions.zwrite_file = &Input::WriteFile;
  functions.ztell64_file = &Input::Tell;
  functions.zseek64_file = &Input::Seek;
  functions.zclose_file = &Input::Close;
  functions.zerror_file = &Input::Error;
  functions.opaque = archive->input_.get();
  archive->zip_ = unzOpen2_64("workbook", &functions);
  if (archive->zip_ == nullptr)
    return archive->Bad("the file is no workbook (.xlsx), or was cut short: it is no zip archive");
  SLUICE_RETURN_IF_ERROR(archive->List());
  return archive;
}

absl::Status Archive::List() {
  size_t count = 0;
  for (int result = unzGoToFirstFile(zip_); result != UNZ_END_OF_LIST_OF_FILE;
       result = unzGoToNextFile(zip_)) {
    char name[kMostNameBytes + 1] = {};
    unz_file_info64 info;
    unz64_file_pos where;
    if (result != UNZ_OK ||
        unzGetCurrentFileInfo64(zip_, &info, name, kMostNameBytes, nullptr, 0, nullptr, 0) !=
            UNZ_OK ||
        unzGetFilePos64(zip_, &where) != UNZ_OK)
      return Bad("the archive's directory is damaged");
    if (++count > kMostParts) return Bad("the archive has over 4096 parts, which is the most");
    if (info.size_filename > kMostNameBytes)
      return Bad("a part of the archive has a name of over 256 bytes");
    const std::string_view part(name, info.size_filename);
    if (LeadsElsewhere(part)) return Bad("a part of the archive has a name that leads out of it");
    if ((info.flag & 1) != 0) return Bad("a part of the archive is encrypted");
    const auto packed = static_cast<int64_t>(info.compressed_size);
    if (packed < 0 || packed > input_->content->size())
      return Bad("a part of the archive is longer than the file");
    const bool added =
        parts_.insert({Folded(part), {where.pos_in_zip_directory, where.num_of_file, packed}})
            .second;
    if (!added) return Bad("two parts of the archive have the same name");
  }
  return absl::OkStatus();
}

bool Archive::Has(std::string_view part) const { return parts_.contains(Folded(part)); }

absl::Status Archive::OpenPart(std::string_view part) {
  if (open_) unzCloseCurrentFile(zip_);
  open_ = false;
  const auto found = parts_.find(Folded(part));
  if (found == parts_.end()) return Bad("a part that the workbook names is not in the archive");
  const unz64_file_pos where{found->second.directory_offset, found->second.number};
  int method = 0;
  if (unzGoToFilePos64(zip_, &where) != UNZ_OK ||
      unzOpenCurrentFile2(zip_, &method, nullptr, 0) != UNZ_OK)
    return Bad("a part of the archive is damaged, or packed in a way that is not supported");
  open_ = true;
  if (method != kStored && method != kDeflated)
    return Bad("a part of the archive is packed in a way that is not supported");
  packed_bytes_ = found->second.packed_bytes;
  part_bytes_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<size_t> Archive::Read(char* to, size_t count) {
  const int read = unzReadCurrentFile(zip_, to, static_cast<unsigned>(count));
  if (read < 0) return Bad("a part of the archive is damaged");
  if (read == 0) {
    open_ = false;
    // The checksum is looked at here.
    if (unzCloseCurrentFile(zip_) != UNZ_OK)
      return Bad("a part of the archive is damaged: its checksum is another");
    return 0;
  }
  part_bytes_ += read;
  all_bytes_ += read;
  if (all_bytes_ > most_bytes_)
    return Bad(absl::StrCat("the workbook has over ", most_bytes_,
                            " bytes unpacked (most_unpacked_bytes)"));
  if (part_bytes_ > kRatioFrom && part_bytes_ / kMostRatio > packed_bytes_)
    return Bad("a part of the archive is packed tighter than any sheet: it is made to burst");
  return static_cast<size_t>(read);
}

}  // namespace sluice::adapters::xlsx
