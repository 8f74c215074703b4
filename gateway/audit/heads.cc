#include "gateway/audit/heads.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/audit/segment.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr uint64_t kMaxKeptHead = 64 << 10;

// Five lines are a head. npos where there are fewer.
size_t EndOfHead(std::string_view bytes) {
  size_t at = 0;
  for (int line = 0; line < 5; ++line) {
    at = bytes.find('\n', at);
    if (at == std::string_view::npos) return at;
    ++at;
  }
  return at;
}

// Our own signature line; the signature is taken as it is, but its base64 has one form only.
std::string Rewritten(const Checkpoint& checkpoint, const Note& note) {
  std::string out = absl::StrCat(FormatCheckpointBody(checkpoint), "\n");
  for (const NoteSignature& signature : note.signatures) {
    std::string blob;
    for (int shift : {24, 16, 8, 0}) blob += static_cast<char>(signature.id >> shift);
    absl::StrAppend(&out, "\u2014 ", signature.name, " ", Base64Encode(blob + signature.blob),
                    "\n");
  }
  return out;
}

}  // namespace

absl::StatusOr<StoredHead> ParseHead(std::string_view note, const VerifierKey& key) {
  const auto checkpoint = VerifyCheckpoint(note, key);
  if (!checkpoint.ok())
    return absl::DataLossError(
        absl::StrCat("a head does not hold: ", checkpoint.status().message()));
  const auto parsed = ParseNote(note);
  if (!parsed.ok() || parsed->signatures.size() != 1 || !checkpoint->extensions.empty() ||
      Rewritten(*checkpoint, *parsed) != note)
    return absl::DataLossError("a head is not written as this log writes it");
  return StoredHead{*checkpoint, std::string(note)};
}

HeadsFile ParseHeads(std::string_view bytes, const VerifierKey& key) {
  HeadsFile file;
  while (file.sound < bytes.size()) {
    const std::string_view rest = bytes.substr(file.sound);
    const size_t end = EndOfHead(rest);
    if (end == std::string_view::npos) {
      file.rest = absl::DataLossError("a head is cut off");
      return file;
    }
    auto head = ParseHead(rest.substr(0, end), key);
    if (!head.ok()) {
      file.rest = head.status();
      return file;
    }
    file.heads.push_back(*std::move(head));
    file.sound += end;
  }
  return file;
}

bool HoldsHead(std::string_view bytes, const VerifierKey& key) {
  const std::string first_line = key.name + "\n";
  for (size_t at = bytes.find(first_line); at != std::string_view::npos;
       at = bytes.find(first_line, at + 1)) {
    const size_t end = EndOfHead(bytes.substr(at));
    if (end != std::string_view::npos && ParseHead(bytes.substr(at, end), key).ok()) return true;
  }
  return false;
}

std::string HeadsDirectory(const std::string& directory) { return JoinPath(directory, "heads"); }

std::string HeadsPath(const std::string& directory, uint64_t number) {
  return JoinPath(HeadsDirectory(directory), SegmentName(number));
}

absl::StatusOr<std::vector<uint64_t>> ListHeads(FileSystem& files, const std::string& directory) {
  SLUICE_ASSIGN_OR_RETURN(const auto names, files.List(HeadsDirectory(directory)));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    if (absl::EndsWith(name, ".tmp")) continue;
    const uint64_t number = SegmentNumber(name);
    if (number == 0)
      return absl::DataLossError(absl::StrCat("heads/", name, ": does not belong to a log"));
    numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] != i + 1)
      return absl::DataLossError(absl::StrCat("heads/", SegmentName(i + 1), " is missing"));
  return numbers;
}

absl::StatusOr<NewestHeads> ReadNewestHeads(FileSystem& files, const std::string& directory,
                                            const std::string& kept_path, const VerifierKey& key) {
  NewestHeads out;
  SLUICE_ASSIGN_OR_RETURN(const auto numbers, ListHeads(files, directory));
  out.last_file = numbers.empty() ? 0 : numbers.back();
  const bool has_kept = !kept_path.empty() && files.Stat(kept_path).ok();
  const bool misses_kept = !kept_path.empty() && !has_kept;
  size_t read = 0;
  for (uint64_t number = out.last_file; number > 0 && (!out.newest || (misses_kept && read < 2));
       --number) {
    SLUICE_ASSIGN_OR_RETURN(auto file,
                            files.OpenForRead(HeadsPath(directory, number), ReadFrom::kStorage));
    SLUICE_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, file->ReadAt(0, size));
    HeadsFile parsed = ParseHeads(bytes, key);
    if (!parsed.rest.ok()) {
      const std::string where =
          absl::StrCat("heads/", SegmentName(number), ", byte ", parsed.sound, ": ");
      // Only the end of the last file can have been cut short by a crash.
      if (number != out.last_file || HoldsHead(std::string_view(bytes).substr(parsed.sound), key))
        return Annotate(parsed.rest, where);
      out.in_doubt = true;
    }
    if (number == out.last_file) {
      out.last_sound = bytes.substr(0, parsed.sound);
      out.in_doubt |= parsed.heads.empty();
    }
    read += parsed.heads.size();
    if (!parsed.heads.empty() && !out.newest) out.newest = parsed.heads.back();
  }
  if (has_kept) {
    SLUICE_ASSIGN_OR_RETURN(const std::string note, files.ReadAll(kept_path, kMaxKeptHead));
    auto kept = ParseHead(note, key);
    if (!kept.ok()) return Annotate(kept.status(), kept_path);
    out.kept = *std::move(kept);
    // A head is kept after it is durable in heads/.
    if (!out.newest || out.newest->checkpoint.size < out.kept->checkpoint.size)
      return absl::DataLossError(absl::StrCat(
          "heads/ ends before the head of size ", out.kept->checkpoint.size, " that is kept in ",
          kept_path, ": this is an older copy of the log, or heads were removed"));
  } else if (misses_kept && read > 1) {  // a crash may come between the first head and keeping it
    return absl::DataLossError(absl::StrCat(kept_path,
                                            ": missing, though the log has signed heads: put the "
                                            "newest head that you hold there"));
  }
  // A head is kept after heads/ is synced; one that is not kept may be in the page cache alone.
  if (out.last_file != 0 &&
      (!out.kept || !out.newest || out.kept->checkpoint.size != out.newest->checkpoint.size))
    out.in_doubt = true;
  return out;
}

absl::Status HeadsWriter::Append(std::string_view note) {
  if (file_ == nullptr || size_ + note.size() > kMaxHeadsFile) {
    if (file_ != nullptr) SLUICE_RETURN_IF_ERROR(file_->Close());
    ++number_;
    size_ = 0;
    SLUICE_ASSIGN_OR_RETURN(file_, files_.CreateNew(HeadsPath(directory_, number_)));
    SLUICE_RETURN_IF_ERROR(files_.SyncDirectory(HeadsDirectory(directory_)));
  }
  SLUICE_RETURN_IF_ERROR(file_->WriteAt(size_, note));
  SLUICE_RETURN_IF_ERROR(file_->Sync());
  size_ += note.size();
  return absl::OkStatus();
}

}  // namespace sluice::audit
