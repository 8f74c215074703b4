#include "gateway/base/fake_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice {
namespace {

constexpr uint64_t kUnit = 512;

void Apply(std::string& content, uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

struct Inode {
  bool is_directory = false;
  uint32_t mode = 0600;
  std::string stored;  // durable
  std::string shown;   // durable, and units that did not fail: what a read past the cache sees
  std::string cached;
};
using InodePtr = std::shared_ptr<Inode>;
using Names = std::map<std::string, InodePtr>;

// One change that a crash may lose. Either a write to a file, or changes of names.
struct Unit {
  InodePtr inode;  // null for changes of names
  uint64_t offset = 0;
  std::string bytes;
  std::string folder;  // synced by SyncDirectory of it (a rename between folders: the target's)
  std::vector<std::pair<std::string, InodePtr>> names;  // null: the name is gone
  std::string words;
};

void ApplyNames(Names& names, const Unit& unit) {
  for (const auto& [path, inode] : unit.names) {
    if (inode == nullptr)
      names.erase(path);
    else
      names[path] = inode;
  }
}

absl::Status Failed(const Fault& fault, const std::string& path) {
  if (fault.kind == Fault::Kind::kFail)
    return absl::UnknownError(absl::StrCat(path, ": Input/output error"));
  if (fault.kind == Fault::Kind::kCrash)
    return absl::UnknownError(absl::StrCat(path, ": the power is off"));
  return absl::ResourceExhaustedError(absl::StrCat(path, ": No space left on device"));
}

}  // namespace

struct FakeFileSystem::State {
  mutable Mutex mutex;
  Names names SLUICE_GUARDED_BY(mutex);          // as programs see them
  Names durable_names SLUICE_GUARDED_BY(mutex);  // as storage has them
  std::vector<Unit> units SLUICE_GUARDED_BY(mutex);
  std::vector<Done> done SLUICE_GUARDED_BY(mutex);
  std::optional<Fault> fault SLUICE_GUARDED_BY(mutex);
  bool happened SLUICE_GUARDED_BY(mutex) = false;
  bool off SLUICE_GUARDED_BY(mutex) = false;
  std::set<std::string> locked SLUICE_GUARDED_BY(mutex);

  // Counts an operation; what is to go wrong with it, if anything.
  absl::StatusOr<std::optional<Fault>> Begin(Operation operation, const std::string& path)
      SLUICE_REQUIRES(mutex) {
    if (off) return absl::UnknownError(absl::StrCat(path, ": the power is off"));
    const uint64_t number = done.size();
    done.push_back({operation, path});
    if (!fault || fault->at != number) return std::optional<Fault>();
    happened = true;
    if (fault->kind == Fault::Kind::kCrash) off = true;
    return fault;
  }

  // For operations on names: done now, durable when `folder` is synced.
  absl::Status ChangeNames(Operation operation, const std::string& path, Unit unit)
      SLUICE_REQUIRES(mutex) {
    SLUICE_ASSIGN_OR_RETURN(const auto wrong, Begin(operation, path));
    if (wrong && wrong->kind != Fault::Kind::kCrash) return Failed(*wrong, path);
    ApplyNames(names, unit);
    units.push_back(std::move(unit));
    return wrong ? Failed(*wrong, path) : absl::OkStatus();
  }

  absl::StatusOr<InodePtr> Find(const std::string& path) const SLUICE_REQUIRES(mutex) {
    const auto found = names.find(path);
    if (found == names.end()) return absl::NotFoundError(absl::StrCat(path, ": not found"));
    return found->second;
  }

  absl::StatusOr<InodePtr> Create(const std::string& path, uint32_t mode) SLUICE_REQUIRES(mutex) {
    const std::string folder = DirectoryOf(path);
    if (!Find(folder).ok()) return absl::NotFoundError(absl::StrCat(folder, ": no such folder"));
    auto inode = std::make_shared<Inode>();
    inode->mode = mode;
    SLUICE_RETURN_IF_ERROR(ChangeNames(
        Operation::kCreate, path,
        {.folder = folder, .names = {{path, inode}}, .words = absl::StrCat("create ", path)}));
    return inode;
  }

  void AddWrite(const InodePtr& inode, const std::string& path, uint64_t offset,
                std::string_view bytes) SLUICE_REQUIRES(mutex) {
    Apply(inode->cached, offset, bytes);
    Apply(inode->shown, offset, bytes);
    while (!bytes.empty()) {
      const size_t part = std::min<uint64_t>(bytes.size(), kUnit - offset % kUnit);
      units.push_back({.inode = inode,
                       .offset = offset,
                       .bytes = std::string(bytes.substr(0, part)),
                       .words = absl::StrCat("write ", path, " at ", offset, ", ", part)});
      bytes.remove_prefix(part);
      offset += part;
    }
  }

  // Units of the file become durable; or those that `reaches` lets through, and the others are
  // forgotten, though the cache still shows them.
  void Settle(const InodePtr& inode, const std::function<bool(size_t)>& reaches)
      SLUICE_REQUIRES(mutex) {
    size_t number = 0;
    std::vector<Unit> rest;
    for (Unit& unit : units) {
      if (unit.inode != inode)
        rest.push_back(std::move(unit));
      else if (reaches(number++))
        Apply(inode->stored, unit.offset, unit.bytes);
    }
    units = std::move(rest);
    inode->shown = inode->stored;
  }
};

class FakeFileSystem::Writer : public WritableFile {
 public:
  Writer(std::shared_ptr<State> state, InodePtr inode, std::string path)
      : state_(std::move(state)), inode_(std::move(inode)), path_(std::move(path)) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    MutexLock lock(state_->mutex);
    SLUICE_ASSIGN_OR_RETURN(const auto wrong, state_->Begin(Operation::kWrite, path_));
    size_t written = bytes.size();
    if (wrong && wrong->kind == Fault::Kind::kCutShort) written = std::min(written, wrong->keep);
    if (wrong && (wrong->kind == Fault::Kind::kFail || wrong->kind == Fault::Kind::kNoSpace))
      written = 0;
    state_->AddWrite(inode_, path_, offset, bytes.substr(0, written));
    return wrong ? Failed(*wrong, path_) : absl::OkStatus();
  }

  absl::Status Sync() override {
    MutexLock lock(state_->mutex);
    SLUICE_ASSIGN_OR_RETURN(const auto wrong, state_->Begin(Operation::kSync, path_));
    if (!wrong) {
      state_->Settle(inode_, [](size_t) { return true; });
      return absl::OkStatus();
    }
    if (wrong->kind != Fault::Kind::kCrash)
      state_->Settle(
          inode_, wrong->reaches ? wrong->reaches : [](size_t) { return false; });
    return Failed(*wrong, path_);
  }

  absl::Status Close() override { return absl::OkStatus(); }

 private:
  const std::shared_ptr<State> state_;
  const InodePtr inode_;
  const std::string path_;
};

class FakeFileSystem::Reader : public ReadableFile {
 public:
  Reader(std::shared_ptr<State> state, InodePtr inode, std::string path, ReadFrom from)
      : state_(std::move(state)), inode_(std::move(inode)), path_(std::move(path)), from_(from) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t count) override {
    MutexLock lock(state_->mutex);
    SLUICE_ASSIGN_OR_RETURN(const auto wrong, state_->Begin(Operation::kRead, path_));
    if (wrong) return Failed(*wrong, path_);
    const std::string& content = Content();
    if (offset >= content.size()) return std::string();
    return content.substr(offset, count);
  }
  absl::StatusOr<uint64_t> Size() override {
    MutexLock lock(state_->mutex);
    return Content().size();
  }

 private:
  const std::string& Content() const {
    return from_ == ReadFrom::kStorage ? inode_->shown : inode_->cached;
  }

  const std::shared_ptr<State> state_;
  const InodePtr inode_;
  const std::string path_;
  const ReadFrom from_;
};

class FakeFileSystem::Locked : public FileLock {
 public:
  Locked(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}
  ~Locked() override {
    MutexLock lock(state_->mutex);
    state_->locked.erase(path_);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
};

FakeFileSystem::FakeFileSystem() : state_(std::make_shared<State>()) {
  MutexLock lock(state_->mutex);
  auto root = std::make_shared<Inode>();
  root->is_directory = true;
  for (const char* name : {"/", "."}) state_->names[name] = state_->durable_names[name] = root;
}

FakeFileSystem::FakeFileSystem(const std::map<std::string, std::string>& files) : FakeFileSystem() {
  for (const auto& [path, content] : files) {
    SLUICE_CHECK(CreateDirectories(DirectoryOf(path)).ok());
    MutexLock lock(state_->mutex);
    auto inode = std::make_shared<Inode>();
    inode->stored = inode->shown = inode->cached = content;
    state_->names[path] = inode;
  }
  MutexLock lock(state_->mutex);
  state_->durable_names = state_->names;
  state_->units.clear();
  state_->done.clear();
}

FakeFileSystem::~FakeFileSystem() = default;

absl::StatusOr<std::unique_ptr<WritableFile>> FakeFileSystem::OpenForWrite(const std::string& path,
                                                                           uint32_t mode) {
  MutexLock lock(state_->mutex);
  auto inode = state_->Find(path);
  if (!inode.ok()) inode = state_->Create(path, mode);
  if (!inode.ok()) return inode.status();
  return std::make_unique<Writer>(state_, *inode, path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FakeFileSystem::CreateNew(const std::string& path,
                                                                        uint32_t mode) {
  MutexLock lock(state_->mutex);
  if (state_->Find(path).ok()) return absl::AlreadyExistsError(absl::StrCat(path, ": exists"));
  SLUICE_ASSIGN_OR_RETURN(InodePtr inode, state_->Create(path, mode));
  return std::make_unique<Writer>(state_, inode, path);
}

absl::StatusOr<std::unique_ptr<ReadableFile>> FakeFileSystem::OpenForRead(const std::string& path,
                                                                          ReadFrom from) {
  MutexLock lock(state_->mutex);
  SLUICE_ASSIGN_OR_RETURN(InodePtr inode, state_->Find(path));
  return std::make_unique<Reader>(state_, inode, path, from);
}

absl::Status FakeFileSystem::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(state_->mutex);
  SLUICE_ASSIGN_OR_RETURN(InodePtr inode, state_->Find(from));
  return state_->ChangeNames(Operation::kRename, from,
                             {.folder = DirectoryOf(to),
                              .names = {{from, nullptr}, {to, inode}},
                              .words = absl::StrCat("rename ", from, " to ", to)});
}

absl::Status FakeFileSystem::Remove(const std::string& path) {
  MutexLock lock(state_->mutex);
  SLUICE_RETURN_IF_ERROR(state_->Find(path).status());
  return state_->ChangeNames(Operation::kRemove, path,
                             {.folder = DirectoryOf(path),
                              .names = {{path, nullptr}},
                              .words = absl::StrCat("remove ", path)});
}

absl::Status FakeFileSystem::SyncDirectory(const std::string& path) {
  MutexLock lock(state_->mutex);
  SLUICE_RETURN_IF_ERROR(state_->Find(path).status());
  SLUICE_ASSIGN_OR_RETURN(const auto wrong, state_->Begin(Operation::kSyncDirectory, path));
  if (wrong) return Failed(*wrong, path);
  std::vector<Unit> rest;
  for (Unit& unit : state_->units) {
    if (unit.inode == nullptr && unit.folder == path)
      ApplyNames(state_->durable_names, unit);
    else
      rest.push_back(std::move(unit));
  }
  state_->units = std::move(rest);
  return absl::OkStatus();
}

absl::Status FakeFileSystem::CreateDirectories(const std::string& path, uint32_t mode) {
  MutexLock lock(state_->mutex);
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (!state_->Find(part).ok()) {
      auto inode = std::make_shared<Inode>();
      inode->is_directory = true;
      inode->mode = mode;
      SLUICE_RETURN_IF_ERROR(state_->ChangeNames(Operation::kMakeDirectory, part,
                                                 {.folder = DirectoryOf(part),
                                                  .names = {{part, inode}},
                                                  .words = absl::StrCat("mkdir ", part)}));
    }
    if (slash == std::string::npos) return absl::OkStatus();
  }
}

absl::StatusOr<std::vector<std::string>> FakeFileSystem::List(const std::string& path) {
  MutexLock lock(state_->mutex);
  SLUICE_RETURN_IF_ERROR(state_->Find(path).status());
  std::vector<std::string> out;
  for (const auto& [name, inode] : state_->names)
    if (name != path && DirectoryOf(name) == path && name != "/" && name != ".")
      out.push_back(name.substr(name.rfind('/') + 1));
  return out;
}

absl::StatusOr<FileInfo> FakeFileSystem::Stat(const std::string& path) {
  MutexLock lock(state_->mutex);
  SLUICE_ASSIGN_OR_RETURN(InodePtr inode, state_->Find(path));
  return FileInfo{
      .size = inode->cached.size(), .is_directory = inode->is_directory, .mode = inode->mode};
}

absl::StatusOr<std::unique_ptr<FileLock>> FakeFileSystem::Lock(const std::string& path) {
  MutexLock lock(state_->mutex);
  if (!state_->locked.insert(path).second)
    return absl::FailedPreconditionError(absl::StrCat(path, ": held by another process"));
  return std::make_unique<Locked>(state_, path);
}

void FakeFileSystem::Inject(Fault fault) {
  MutexLock lock(state_->mutex);
  state_->fault = std::move(fault);
  state_->happened = false;
}

bool FakeFileSystem::fault_happened() const {
  MutexLock lock(state_->mutex);
  return state_->happened;
}

void FakeFileSystem::PowerOn() {
  MutexLock lock(state_->mutex);
  state_->off = false;
  state_->fault.reset();
}

std::vector<FakeFileSystem::Done> FakeFileSystem::Operations() const {
  MutexLock lock(state_->mutex);
  return state_->done;
}

std::vector<std::string> FakeFileSystem::Units() const {
  MutexLock lock(state_->mutex);
  std::vector<std::string> out;
  for (const Unit& unit : state_->units) out.push_back(unit.words);
  return out;
}

std::unique_ptr<FakeFileSystem> FakeFileSystem::AfterCrash(const std::vector<bool>& keep) const {
  return Surviving(&keep);
}

std::unique_ptr<FakeFileSystem> FakeFileSystem::AfterCrash() const { return Surviving(nullptr); }

std::unique_ptr<FakeFileSystem> FakeFileSystem::Surviving(const std::vector<bool>* keep) const {
  auto after = std::make_unique<FakeFileSystem>();
  MutexLock lock(state_->mutex);
  SLUICE_CHECK(keep == nullptr || keep->size() == state_->units.size());
  Names names = state_->durable_names;
  std::map<InodePtr, std::string> contents;
  for (size_t i = 0; keep != nullptr && i < keep->size(); ++i) {
    const Unit& unit = state_->units[i];
    if (!(*keep)[i]) continue;
    if (unit.inode == nullptr)
      ApplyNames(names, unit);
    else
      Apply(contents.try_emplace(unit.inode, unit.inode->stored).first->second, unit.offset,
            unit.bytes);
  }
  State& fresh = *after->state_;
  MutexLock fresh_lock(fresh.mutex);
  for (const auto& [path, inode] : names) {  // a folder comes before what is in it
    if (path == "/" || path == "." || !fresh.names.contains(DirectoryOf(path))) continue;
    auto copy = std::make_shared<Inode>(*inode);
    const auto changed = contents.find(inode);
    if (changed != contents.end()) copy->stored = changed->second;
    copy->shown = copy->cached = copy->stored;
    fresh.names[path] = copy;
  }
  fresh.durable_names = fresh.names;
  return after;
}

std::map<std::string, std::string> FakeFileSystem::Files() const {
  MutexLock lock(state_->mutex);
  std::map<std::string, std::string> out;
  for (const auto& [path, inode] : state_->names)
    if (!inode->is_directory) out[path] = inode->shown;
  return out;
}

}  // namespace sluice
