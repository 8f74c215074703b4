#include "cli/stream_file.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/failure.h"
#include "cli/words.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// Before the first message: the request's digest, then its id.
constexpr std::string_view kJournalMagic = "sluice-stream-journal/v1\n";
constexpr size_t kCopyBytes = 1 << 20;
constexpr uint32_t kMostHead = 4 << 20;
constexpr uint64_t kMostJournal = uint64_t{1} << 32;

std::string DigestOf(v1::ReadRequest request) {
  request.clear_request_id();
  request.clear_traceparent();
  request.clear_resume_token();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return std::string(AsBytes(Sha256(bytes)));
}

// A frame is the head's length and the payload's, 4 bytes each, little-endian, and the head.
std::string FrameOf(const v1::ReadResponse& message) {
  v1::ReadResponse head = message;
  head.clear_payload();
  const std::string bytes = head.SerializeAsString();
  const uint32_t lengths[2] = {static_cast<uint32_t>(bytes.size()),
                               static_cast<uint32_t>(message.payload().size())};
  std::string frame(reinterpret_cast<const char*>(lengths), sizeof lengths);
  frame += bytes;
  return frame;
}

absl::Status NothingToResume(const std::string& what) {
  return LocalError("NOTHING_TO_RESUME", what, {}, "the same command without --resume",
                    kWrongUsage);
}

// The file's bytes, in order.
class JournalReader {
 public:
  explicit JournalReader(ReadableFile& file) : file_(file) {}
  uint64_t position() const { return position_; }
  // Nothing where so many do not follow.
  absl::StatusOr<std::optional<std::string>> Take(size_t count) {
    SLUICE_ASSIGN_OR_RETURN(std::string bytes, file_.ReadAt(position_, count));
    if (bytes.size() < count) return std::nullopt;
    position_ += count;
    return bytes;
  }
  // The next frame's head and the length of its payload.
  absl::StatusOr<std::optional<std::pair<v1::ReadResponse, size_t>>> TakeFrame() {
    uint32_t lengths[2] = {};
    SLUICE_ASSIGN_OR_RETURN(const auto prefix, Take(sizeof lengths));
    if (!prefix) return std::nullopt;
    std::memcpy(lengths, prefix->data(), sizeof lengths);
    if (lengths[0] > kMostHead || lengths[1] > kMostHead) return std::nullopt;
    SLUICE_ASSIGN_OR_RETURN(const auto bytes, Take(lengths[0]));
    std::pair<v1::ReadResponse, size_t> frame;
    if (!bytes || !frame.first.ParseFromString(*bytes)) return std::nullopt;
    frame.second = lengths[1];
    return frame;
  }

 private:
  ReadableFile& file_;
  uint64_t position_ = 0;
};

}  // namespace

absl::Status StreamFile::CheckPlace() const {
  if (!is_file()) return absl::OkStatus();
  const std::string folder = DirectoryOf(name_);
  const auto info = environment_.files.Stat(folder);
  if (info.ok() && info->is_directory) return absl::OkStatus();
  return LocalError("FILE_NOT_WRITTEN", absl::StrCat(name_, ": there is no folder ", folder, "."),
                    {}, absl::StrCat("mkdir -p ", ShellQuoted(folder)), kWrongUsage);
}

bool StreamFile::HasJournal() const {
  return is_file() && environment_.files.Stat(journal()).ok() &&
         environment_.files.Stat(part()).ok();
}

absl::Status StreamFile::RemoveIfThere(const std::string& path) {
  return environment_.files.Stat(path).ok() ? environment_.files.Remove(path) : absl::OkStatus();
}

absl::Status StreamFile::Open(const v1::ReadRequest& request) {
  if (!is_file()) return absl::OkStatus();
  // What an earlier try left.
  for (const std::string& path : {journal(), part(), part() + ".receipt.json"})
    SLUICE_RETURN_IF_ERROR(RemoveIfThere(path));
  SLUICE_ASSIGN_OR_RETURN(file_, environment_.files.CreateNew(part(), 0600));
  SLUICE_ASSIGN_OR_RETURN(journal_, environment_.files.CreateNew(journal(), 0600));
  return AppendJournal(absl::StrCat(absl::string_view(kJournalMagic.data(), kJournalMagic.size()),
                                    DigestOf(request), request.request_id(), "\n"));
}

absl::StatusOr<std::string> StreamFile::TakeUp(
    const v1::ReadRequest& request,
    const std::function<absl::Status(const v1::ReadResponse&)>& take) {
  if (!HasJournal()) return NothingToResume(absl::StrCat("no run left ", journal(), "."));
  SLUICE_ASSIGN_OR_RETURN(const auto journal_file, environment_.files.OpenForRead(journal()));
  SLUICE_ASSIGN_OR_RETURN(const auto part_file, environment_.files.OpenForRead(part()));
  JournalReader reader(*journal_file);
  SLUICE_ASSIGN_OR_RETURN(const auto magic, reader.Take(kJournalMagic.size()));
  SLUICE_ASSIGN_OR_RETURN(const auto digest, reader.Take(kHashSize));
  std::string id;
  for (bool ended = false; !ended && digest;) {
    SLUICE_ASSIGN_OR_RETURN(const auto letter, reader.Take(1));
    if (!letter || id.size() > 64) return NothingToResume(journal() + " is no journal.");
    ended = *letter == "\n";
    if (!ended) id += *letter;
  }
  if (!magic || *magic != kJournalMagic || !digest)
    return NothingToResume(journal() + " is no journal.");
  if (*digest != DigestOf(request))
    return LocalError("ANOTHER_REQUEST", absl::StrCat(part(), " is of another request."),
                      {{"kept", absl::StrCat(part(), " and its journal stay as they are")}},
                      "the same command as then with --resume, or another -o", kWrongUsage);
  for (;;) {
    const uint64_t before = reader.position();
    SLUICE_ASSIGN_OR_RETURN(auto frame, reader.TakeFrame());
    if (frame) {
      SLUICE_ASSIGN_OR_RETURN(std::string payload, part_file->ReadAt(size_, frame->second));
      const size_t there = payload.size();
      frame->first.set_payload(std::move(payload));
      if (there == frame->second && take(frame->first).ok()) {
        size_ += there;
        journal_size_ = reader.position();
        continue;
      }
    }
    journal_size_ = before;
    break;
  }
  SLUICE_RETURN_IF_ERROR(Shorten(journal(), journal_size_));
  SLUICE_RETURN_IF_ERROR(Shorten(part(), size_));
  SLUICE_ASSIGN_OR_RETURN(file_, environment_.files.OpenForWrite(part(), 0600));
  SLUICE_ASSIGN_OR_RETURN(journal_, environment_.files.OpenForWrite(journal(), 0600));
  return id;
}

absl::Status StreamFile::Shorten(const std::string& path, uint64_t size) {
  SLUICE_ASSIGN_OR_RETURN(const FileInfo info, environment_.files.Stat(path));
  if (info.size <= size) return absl::OkStatus();
  const std::string shorter = path + ".shorter";
  SLUICE_RETURN_IF_ERROR(RemoveIfThere(shorter));
  SLUICE_ASSIGN_OR_RETURN(const auto from, environment_.files.OpenForRead(path));
  SLUICE_ASSIGN_OR_RETURN(const auto to, environment_.files.CreateNew(shorter, 0600));
  for (uint64_t copied = 0; copied < size;) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(kCopyBytes, size - copied));
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, from->ReadAt(copied, count));
    SLUICE_RETURN_IF_ERROR(to->WriteAt(copied, bytes));
    copied += bytes.size();
  }
  SLUICE_RETURN_IF_ERROR(to->Sync());
  SLUICE_RETURN_IF_ERROR(to->Close());
  return environment_.files.Rename(shorter, path);
}

absl::Status StreamFile::AppendJournal(std::string_view bytes) {
  if (journal_size_ + bytes.size() > kMostJournal)
    return LocalError("FILE_NOT_WRITTEN", absl::StrCat(journal(), " has become too large."));
  SLUICE_RETURN_IF_ERROR(journal_->WriteAt(journal_size_, bytes));
  journal_size_ += bytes.size();
  return absl::OkStatus();
}

absl::Status StreamFile::Add(const v1::ReadResponse& message) {
  if (!is_file()) {
    environment_.out << message.payload();
    return environment_.out ? absl::OkStatus()
                            : LocalError("OUTPUT_LOST", "the output could not be written.");
  }
  SLUICE_RETURN_IF_ERROR(file_->WriteAt(size_, message.payload()));
  size_ += message.payload().size();
  return AppendJournal(FrameOf(message));
}

absl::Status StreamFile::Close() {
  if (file_ == nullptr) {
    environment_.out.flush();
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(file_->Sync());
  SLUICE_RETURN_IF_ERROR(file_->Close());
  file_.reset();
  SLUICE_RETURN_IF_ERROR(journal_->Sync());
  SLUICE_RETURN_IF_ERROR(journal_->Close());
  journal_.reset();
  return absl::OkStatus();
}

absl::Status StreamFile::Name() {
  if (!is_file()) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(environment_.files.Rename(part(), name_));
  for (const std::string& path : {journal(), part() + ".receipt.json"})
    SLUICE_RETURN_IF_ERROR(RemoveIfThere(path));
  return environment_.files.SyncDirectory(DirectoryOf(name_));
}

}  // namespace sluice::cli
