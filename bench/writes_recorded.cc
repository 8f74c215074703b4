#include "bench/writes_recorded.h"

#include <utility>

namespace sluice::bench {
namespace {

class WatchedFile : public WritableFile {
 public:
  WatchedFile(std::string path, std::unique_ptr<WritableFile> file, WritesRecorded& recorded)
      : path_(std::move(path)), file_(std::move(file)), recorded_(recorded) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    recorded_.Note({.path = path_, .offset = offset, .bytes = bytes.size()});
    return file_->WriteAt(offset, bytes);
  }
  absl::Status Sync() override {
    recorded_.Note({.path = path_, .sync = true});
    return file_->Sync();
  }
  absl::Status Close() override { return file_->Close(); }

 private:
  const std::string path_;
  const std::unique_ptr<WritableFile> file_;
  WritesRecorded& recorded_;
};

}  // namespace

void WritesRecorded::Note(Write write) {
  MutexLock lock(mutex_);
  noted_.push_back(std::move(write));
}

std::vector<Write> WritesRecorded::Take() {
  MutexLock lock(mutex_);
  return std::exchange(noted_, {});
}

absl::StatusOr<std::unique_ptr<WritableFile>> WritesRecorded::Watched(
    const std::string& path, absl::StatusOr<std::unique_ptr<WritableFile>> file) {
  if (!file.ok() || !path.starts_with(below_)) return file;
  return std::make_unique<WatchedFile>(path, std::move(*file), *this);
}

absl::StatusOr<std::unique_ptr<WritableFile>> WritesRecorded::OpenForWrite(const std::string& path,
                                                                           uint32_t mode) {
  return Watched(path, ForwardingFiles::OpenForWrite(path, mode));
}

absl::StatusOr<std::unique_ptr<WritableFile>> WritesRecorded::CreateNew(const std::string& path,
                                                                        uint32_t mode) {
  return Watched(path, ForwardingFiles::CreateNew(path, mode));
}

}  // namespace sluice::bench
