#include "adapters/files/remote_folder.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/files/errors.h"
#include "adapters/files/job.h"
#include "adapters/files/joined.h"
#include "adapters/files/scratch_content.h"
#include "adapters/files/transfer.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kMostListBytes = 4 << 20;
constexpr size_t kMostKnownFiles = 4'096;
// As many as one table can be made of.
constexpr size_t kMostKeptFiles = kMostJoined;
constexpr size_t kMostIdle = 4;
constexpr size_t kMostSmall = 64;

// What was fetched of a file: nobody can change it.
class FetchedFile : public SourceFile {
 public:
  FetchedFile(std::string name, Stamp stamp, std::shared_ptr<const Content> content)
      : name_(std::move(name)), stamp_(std::move(stamp)), content_(std::move(content)) {}
  const Stamp& stamp() const override { return stamp_; }
  const std::string& name() const override { return name_; }
  int64_t size() const override { return content_->size(); }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    return content_->Read(offset, count, to, read);
  }
  absl::StatusOr<bool> Unchanged() const override { return true; }
  absl::StatusOr<Standing> Look() const override { return Standing::kSame; }

 private:
  const std::string name_;
  const Stamp stamp_;
  const std::shared_ptr<const Content> content_;
};

Stamp StampOf(const Remote& remote) {
  Stamp stamp;
  stamp.size = remote.size;
  stamp.modified_ns = std::max<int64_t>(remote.modified_s, 0) * 1'000'000'000;
  stamp.tag = absl::StrCat("remote ", remote.etag);
  return stamp;
}

// Connections that nobody uses now. Any thread.
class Transfers {
 public:
  explicit Transfers(RemoteSettings settings) : settings_(std::move(settings)) {}
  const RemoteSettings& settings() const { return settings_; }

  std::unique_ptr<Transfer> Take() {
    MutexLock lock(mutex_);
    if (idle_.empty()) return std::make_unique<Transfer>(settings_);
    auto transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }
  void Give(std::unique_ptr<Transfer> transfer) {
    MutexLock lock(mutex_);
    if (idle_.size() < kMostIdle) idle_.push_back(std::move(transfer));
  }

 private:
  const RemoteSettings settings_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Transfer>> idle_ SLUICE_GUARDED_BY(mutex_);
};

// Fetches a file as it was told of. What a call left undone, the next goes on with.
class FetchJob : public Job {
 public:
  FetchJob(std::shared_ptr<Transfers> transfers, std::string name, Remote remote)
      : transfers_(std::move(transfers)), name_(std::move(name)), remote_(std::move(remote)) {}
  // Once done.
  std::shared_ptr<const SourceFile> file() const { return file_; }
  const Remote& remote() const { return remote_; }

 protected:
  absl::Status Work(const Watch& watch) override {
    auto transfer = transfers_->Take();
    absl::Status status = Fetch(*transfer, watch);
    transfers_->Give(std::move(transfer));
    return status;
  }
  void Restart() override { writer_.reset(); }

 private:
  absl::Status Fetch(Transfer& transfer, const Watch& watch) {
    if (writer_ == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(writer_, ScratchBytes::Make(transfers_->settings().work_folder));
    }
    if (writer_->size() < remote_.size || remote_.size < 0) {
      const auto take = [this](std::string_view bytes) -> absl::Status {
        const int64_t size = writer_->size() + static_cast<int64_t>(bytes.size());
        if (remote_.size >= 0 && size > remote_.size) return Changed();
        if (size > transfers_->settings().most_fetched_bytes) return TooLarge();
        return writer_->Append(bytes);
      };
      SLUICE_RETURN_IF_ERROR(
          transfer.Fetch(name_, writer_->size(), remote_.etag, take, watch).status());
    }
    // It is what it was told to be only if it still is.
    SLUICE_ASSIGN_OR_RETURN(const Remote now, transfer.Look(name_, watch));
    if (now != remote_ || (remote_.size >= 0 && writer_->size() != remote_.size)) return Changed();
    SLUICE_ASSIGN_OR_RETURN(auto content, writer_->Finish());
    Stamp stamp = StampOf(remote_);
    stamp.size = content->size();
    file_ = std::make_shared<const FetchedFile>(name_, std::move(stamp), std::move(content));
    writer_.reset();
    return absl::OkStatus();
  }

  absl::Status TooLarge() const {
    return Unavailable(absl::StrCat("the source's file is larger than ",
                                    transfers_->settings().most_fetched_bytes,
                                    " bytes (most_fetched_bytes)"));
  }

  const std::shared_ptr<Transfers> transfers_;
  const std::string name_;
  const Remote remote_;
  std::unique_ptr<ScratchBytes> writer_;
  std::shared_ptr<const SourceFile> file_;
};

class RemoteFolder : public Folder {
 public:
  explicit RemoteFolder(RemoteSettings settings)
      : transfers_(std::make_shared<Transfers>(std::move(settings))) {}

  absl::StatusOr<std::vector<std::string>> Names(const Watch& watch) override;
  absl::StatusOr<Stamp> Look(const std::string& name, const Watch& watch) override {
    SLUICE_ASSIGN_OR_RETURN(const Remote remote, Told(name, watch));
    return StampOf(remote);
  }
  absl::StatusOr<std::shared_ptr<const SourceFile>> Open(const std::string& name,
                                                         const Watch& watch) override;
  absl::StatusOr<std::string> ReadSmall(const std::string& name, size_t most,
                                        const Watch& watch) override;
  absl::Status Probe(const Watch& watch) override;

 private:
  struct Known {
    std::optional<Remote> told;
    Micros told_at = 0;
    std::shared_ptr<const SourceFile> file;  // the last that was fetched whole
    Remote file_as;
    std::shared_ptr<FetchJob> fetch;  // of another, under way
    bool fetching = false;            // by a call
    uint64_t used = 0;
  };

  struct Small {
    std::string bytes;
    Micros read_at = 0;
  };

  const RemoteSettings& settings() const { return transfers_->settings(); }
  bool Fresh(Micros at, const Watch& watch) const {
    const Micros age = watch.Monotonic() - at;
    return age >= 0 && age < settings().check_every_s * kSecond;
  }
  bool Lists() const { return !settings().Is("https:") || !settings().list.empty(); }
  // As it was when it was last asked about, a short time ago at most.
  absl::StatusOr<Remote> Told(const std::string& name, const Watch& watch);
  absl::StatusOr<Remote> Ask(const std::string& name, const Watch& watch);
  absl::StatusOr<std::string> FetchSmall(const std::string& name, size_t most, const Watch& watch);
  Known& Of(const std::string& name) SLUICE_REQUIRES(mutex_);
  void LetGo() SLUICE_REQUIRES(mutex_);

  const std::shared_ptr<Transfers> transfers_;
  Mutex mutex_;
  std::map<std::string, Known> known_ SLUICE_GUARDED_BY(mutex_);
  uint64_t uses_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Small> small_ SLUICE_GUARDED_BY(mutex_);
  std::optional<std::vector<std::string>> names_ SLUICE_GUARDED_BY(mutex_);
  Micros names_at_ SLUICE_GUARDED_BY(mutex_) = 0;
};

RemoteFolder::Known& RemoteFolder::Of(const std::string& name) {
  if (known_.size() >= kMostKnownFiles)
    std::erase_if(known_, [](const auto& one) {
      return one.second.file == nullptr && one.second.fetch == nullptr;
    });
  Known& known = known_[name];
  known.used = ++uses_;
  return known;
}

// Gives up what was fetched, but for the files that were used last. Who reads one keeps it.
void RemoteFolder::LetGo() {
  for (;;) {
    Known* oldest = nullptr;
    size_t files = 0;
    int64_t bytes = 0;
    for (auto& [name, known] : known_) {
      if (known.file == nullptr) continue;
      ++files;
      bytes += known.file->size();
      if (oldest == nullptr || known.used < oldest->used) oldest = &known;
    }
    if (files <= 1 || (files <= kMostKeptFiles && bytes <= settings().most_fetched_bytes)) return;
    oldest->file = nullptr;
  }
}

absl::StatusOr<std::vector<std::string>> RemoteFolder::Names(const Watch& watch) {
  {
    MutexLock lock(mutex_);
    if (names_ && Fresh(names_at_, watch)) return *names_;
  }
  if (!Lists())
    return Unavailable(
        "over https a folder cannot be listed: give the folder's url, and in it a list of its "
        "files");
  const Micros asked_at = watch.Monotonic();
  absl::StatusOr<std::string> text;
  if (settings().list.empty()) {
    auto transfer = transfers_->Take();
    text = transfer->List(kMostListBytes, watch);
    transfers_->Give(std::move(transfer));
    if (absl::IsNotFound(text.status())) return Unavailable("the source's folder is not there");
  } else {
    text = FetchSmall(settings().list, kMostListBytes, watch);
    if (absl::IsNotFound(text.status())) return Unavailable("the file of list is not there");
  }
  SLUICE_RETURN_IF_ERROR(text.status());
  std::vector<std::string> names;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    std::string name(absl::StripSuffix(line, "\r"));
    if (IsFileName(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  MutexLock lock(mutex_);
  names_ = names;
  names_at_ = asked_at;
  return names;
}

absl::StatusOr<Remote> RemoteFolder::Ask(const std::string& name, const Watch& watch) {
  if (!IsFileName(name)) return absl::NotFoundError("the source has no file of that name");
  auto transfer = transfers_->Take();
  auto told = transfer->Look(name, watch);
  transfers_->Give(std::move(transfer));
  SLUICE_RETURN_IF_ERROR(told.status());
  if (told->modified_s >= 0 || !told->etag.empty()) return told;
  absl::Status status = Unavailable(
      "the source's server tells neither when its file was written nor an ETag: whether it changed "
      "could not be known");
  AddOperatorNote(status, settings().url + name);
  return status;
}

absl::StatusOr<Remote> RemoteFolder::Told(const std::string& name, const Watch& watch) {
  {
    MutexLock lock(mutex_);
    const Known& known = Of(name);
    if (known.told && Fresh(known.told_at, watch)) return *known.told;
  }
  const Micros asked_at = watch.Monotonic();
  const auto told = Ask(name, watch);
  MutexLock lock(mutex_);
  Known& known = Of(name);
  // With another file there may be another checksum.
  if (!told.ok() || known.told != *told) small_.clear();
  known.told.reset();
  if (told.ok()) known.told = *told;
  known.told_at = asked_at;
  return told;
}

absl::StatusOr<std::shared_ptr<const SourceFile>> RemoteFolder::Open(const std::string& name,
                                                                     const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const Remote told, Told(name, watch));
  std::shared_ptr<FetchJob> job;
  {
    MutexLock lock(mutex_);
    Known& known = Of(name);
    if (known.file != nullptr && known.file_as == told) return known.file;
    // One call fetches; the others go on with what there is.
    if (known.fetching && known.file != nullptr) return known.file;
    if (known.fetch == nullptr || (known.fetch->remote() != told && !known.fetching))
      known.fetch = std::make_shared<FetchJob>(transfers_, name, told);
    known.fetching = true;
    job = known.fetch;
  }
  const absl::Status status = job->Finish(watch);
  MutexLock lock(mutex_);
  Known& known = Of(name);
  if (known.fetch == job) {
    known.fetching = false;
    if (!EndedByWatch(status)) known.fetch = nullptr;
    // A file that changed is asked about again.
    if (!status.ok() && !EndedByWatch(status)) known.told.reset();
    if (status.ok()) {
      known.file = job->file();
      known.file_as = job->remote();
      LetGo();
    }
  }
  SLUICE_RETURN_IF_ERROR(status);
  return job->file();
}

absl::StatusOr<std::string> RemoteFolder::ReadSmall(const std::string& name, size_t most,
                                                    const Watch& watch) {
  {
    MutexLock lock(mutex_);
    const auto known = small_.find(name);
    if (known != small_.end() && Fresh(known->second.read_at, watch)) return known->second.bytes;
  }
  const Micros asked_at = watch.Monotonic();
  SLUICE_ASSIGN_OR_RETURN(std::string bytes, FetchSmall(name, most, watch));
  MutexLock lock(mutex_);
  if (small_.size() >= kMostSmall) small_.clear();
  small_[name] = {bytes, asked_at};
  return bytes;
}

absl::StatusOr<std::string> RemoteFolder::FetchSmall(const std::string& name, size_t most,
                                                     const Watch& watch) {
  if (!IsFileName(name)) return absl::NotFoundError("the source has no file of that name");
  std::string bytes;
  auto transfer = transfers_->Take();
  const auto told = transfer->Fetch(
      name, 0, "",
      [&](std::string_view part) -> absl::Status {
        if (bytes.size() + part.size() > most)
          return Unavailable("a file beside the source's is larger than such files are");
        bytes.append(part);
        return absl::OkStatus();
      },
      watch);
  transfers_->Give(std::move(transfer));
  SLUICE_RETURN_IF_ERROR(told.status());
  return bytes;
}

absl::Status RemoteFolder::Probe(const Watch& watch) {
  {
    MutexLock lock(mutex_);
    names_.reset();
  }
  // A single file over https stands in a folder that cannot be listed: it is looked at itself.
  if (!Lists()) return absl::OkStatus();
  return Names(watch).status();
}

}  // namespace

std::shared_ptr<Folder> MakeRemoteFolder(RemoteSettings settings) {
  return std::make_shared<RemoteFolder>(std::move(settings));
}

}  // namespace sluice::adapters::files
