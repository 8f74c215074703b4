#include "adapters/files/drops.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "adapters/files/errors.h"
#include "adapters/files/joined.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kMostChecksumBytes = 64 << 10;
constexpr size_t kMostRemembered = 64;

absl::Status NoTable() { return absl::NotFoundError("the source has no table of that name"); }

std::string Beside(const std::string& pattern, const std::string& name) {
  return absl::StrReplaceAll(pattern, {{"{name}", name}});
}

// The digest that sha256sum's own form has for the file, or the only one where it stands alone.
// Empty where there is none.
std::string DigestIn(std::string_view text, const std::string& name) {
  const auto is_digest = [](std::string_view word) {
    return word.size() == 64 && std::all_of(word.begin(), word.end(), [](unsigned char c) {
             return absl::ascii_isxdigit(c);
           });
  };
  for (const absl::string_view line : absl::StrSplit(View(text), '\n')) {
    const absl::string_view full = absl::StripAsciiWhitespace(line);
    const std::string_view digest(full.data(), std::min<size_t>(full.size(), 64));
    if (!is_digest(digest)) continue;
    std::string_view named(full.data() + digest.size(), full.size() - digest.size());
    if (named.starts_with("  ") || named.starts_with(" *")) named.remove_prefix(2);
    named.remove_prefix(std::min(named.rfind('/') + 1, named.size()));
    if (named.empty() || named == name) return absl::AsciiStrToLower(View(digest));
  }
  return {};
}

bool IsLink(const absl::Status& status) {
  const auto info = ErrorInfoOf(status);
  return info && info->metadata().contains(kIsLink);
}

std::string RowsOrBytes(int64_t rows, int64_t bytes) {
  return rows >= 0 ? absl::StrCat(rows, " rows") : absl::StrCat(bytes, " bytes");
}

template <class Entries, class Entry>
void Remember(Entries& entries, const std::string& name, Entry entry) {
  std::erase_if(entries, [&](const auto& one) { return one.first == name; });
  if (entries.size() >= kMostRemembered) entries.erase(entries.begin());
  entries.emplace_back(name, std::move(entry));
}

}  // namespace

// The names of a table's files; of several the newest first.
absl::StatusOr<std::vector<std::string>> Drops::FilesOf(const std::string& table,
                                                        const Watch& watch) {
  if (!settings_.pattern) {
    if (!settings_.file.empty())
      return std::vector<std::string>(table == TableOfFile(settings_.file) ? 1 : 0, settings_.file);
    if (!IsFileName(table)) return std::vector<std::string>();
    if (unpack_.compression != Compression::kByName)
      return std::vector<std::string>{table + settings_.suffix};
    SLUICE_ASSIGN_OR_RETURN(const auto names, folder_->Names(watch));
    std::vector<std::string> files;
    for (const char* packed : {"", ".gz", ".zst"})
      if (std::string name = absl::StrCat(table, settings_.suffix, packed);
          std::binary_search(names.begin(), names.end(), name))
        files.push_back(std::move(name));
    if (files.size() <= 1) return files;
    return Unavailable(absl::StrCat("table '", table, "' has two files, '", files[0], "' and '",
                                    files[1], "': take one away"));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto names, folder_->Names(watch));
  std::vector<std::pair<int64_t, std::string>> dated;
  for (const std::string& name : names)
    if (const auto found = Dated(name); found && found->table == table)
      dated.emplace_back(found->micros, name);
  std::sort(dated.rbegin(), dated.rend());
  std::vector<std::string> files;
  for (auto& [date, name] : dated) files.push_back(std::move(name));
  return files;
}

// Where names tell how files are packed, without what tells it.
std::string_view Drops::WithoutPacking(std::string_view name) const {
  if (unpack_.compression == Compression::kByName &&
      CompressionOf(std::string(name), Compression::kByName) != Compression::kNone)
    name = name.substr(0, name.rfind('.'));
  return name;
}

std::optional<DropPattern::Found> Drops::Dated(const std::string& name) const {
  auto found = settings_.pattern->Match(name);
  return found ? found : settings_.pattern->Match(WithoutPacking(name));
}

std::string Drops::TableOfFile(std::string_view name) const {
  if (unpack_.compression != Compression::kNone)
    for (const std::string_view end : {".gz", ".zst"})
      if (name.size() > end.size() && name.ends_with(end)) name.remove_suffix(end.size());
  const size_t dot = name.rfind('.');
  return std::string(name.substr(0, dot == 0 ? name.npos : dot));
}

absl::StatusOr<std::vector<std::string>> Drops::Tables(const Watch& watch) {
  if (!settings_.file.empty()) return std::vector<std::string>{TableOfFile(settings_.file)};
  SLUICE_ASSIGN_OR_RETURN(const auto names, folder_->Names(watch));
  std::set<std::string> tables;
  for (const std::string& name : names) {
    if (settings_.pattern) {
      if (auto found = Dated(name)) tables.insert(std::move(found->table));
      continue;
    }
    const std::string_view end = WithoutPacking(name);
    if (end.size() > settings_.suffix.size() && end.ends_with(settings_.suffix))
      tables.emplace(end.substr(0, end.size() - settings_.suffix.size()));
  }
  return std::vector<std::string>(tables.begin(), tables.end());
}

bool Drops::TooYoung(const Stamp& stamp) const {
  return StampClock() - std::max(stamp.modified_ns, stamp.changed_ns) < settings_.settle_ns;
}

Drops::Hold Drops::TooYoungHold() { return {"settle", "was written too short a time ago"}; }

// What tells without reading the file.
Drops::MayBeHeld Drops::StillComing(const std::string& name, const Watch& watch) {
  if (settings_.settle_ns > 0) {
    SLUICE_ASSIGN_OR_RETURN(const Stamp stamp, folder_->Look(name, watch));
    if (TooYoung(stamp)) return TooYoungHold();
  }
  if (!settings_.marker.empty()) {
    const auto marker = folder_->Look(Beside(settings_.marker, name), watch);
    if (absl::IsNotFound(marker.status()))
      return Hold{"marker", "has no marker beside it yet, which says that it is complete"};
    SLUICE_RETURN_IF_ERROR(marker.status());
  }
  return std::optional<Hold>();
}

Drops::MayBeHeld Drops::CheckDigest(const Served& served, const Watch& watch) {
  const std::string& name = served.file->name();
  const auto text = folder_->ReadSmall(Beside(settings_.checksum, name), kMostChecksumBytes, watch);
  if (absl::IsNotFound(text.status()))
    return Hold{"checksum", "has no checksum file beside it yet"};
  SLUICE_RETURN_IF_ERROR(text.status());
  std::string said = DigestIn(*text, name);
  if (const SourceFile* const companion = served.file->companion();
      companion != nullptr && !said.empty()) {
    const std::string beside = DigestIn(*text, companion->name());
    said = beside.empty() ? "" : HexEncode(AsBytes(Sha256(said + "\n" + beside + "\n")));
  }
  if (said.empty())
    return Hold{"checksum", "has a checksum file that holds no SHA-256 of it, as sha256sum writes"};
  SLUICE_ASSIGN_OR_RETURN(const std::string digest, served.version->Digest(watch));
  if (digest == said) return std::optional<Hold>();
  return Hold{"checksum", "has another SHA-256 than its checksum file says"};
}

absl::StatusOr<int64_t> Drops::CountRows(const std::string& table, const Served& served,
                                         const std::string& digest, const Watch& watch) {
  const TableName name{table, ""};
  if (const auto known = served.version->Rows("")) return *known;
  std::shared_ptr<RowCount> count;
  {
    MutexLock lock(mutex_);
    for (const auto& [of, known] : counts_)
      if (of == digest) count = known;
  }
  absl::Status status;
  if (count == nullptr) {
    const auto parts = format_->Parts(*StartOf(served.file, table, unpack_), name, watch);
    status = parts.status();
    if (status.ok() && !parts->empty()) return -1;
    absl::StatusOr<std::shared_ptr<const Content>> content;
    if (status.ok()) {
      content = served.version->Unpacked(*format_, served.file, name, unpack_, watch);
      status = content.status();
    }
    if (status.ok()) {
      count = std::make_shared<RowCount>(format_, *std::move(content), served.file, name);
      MutexLock lock(mutex_);
      Remember(counts_, digest, count);
    }
  }
  if (status.ok()) status = count->Finish(watch);
  // A file that cannot be read is one whose rows nobody knows; who reads it hears why.
  if (status.ok()) {
    served.version->SetRows("", count->count());
    return count->count();
  }
  if (SpeaksOfTheFile(status)) return -1;
  if (absl::IsNotFound(status)) return -1;
  return status;
}

Drops::MayBeHeld Drops::CheckShare(const std::string& table, const Served& served,
                                   const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const std::string digest, served.version->Digest(watch));
  SLUICE_ASSIGN_OR_RETURN(const auto before, served_before_.Of(table));
  ServedDrop now{digest, -1, served.file->size()};
  if (!before || before->digest != digest) {
    SLUICE_ASSIGN_OR_RETURN(now.rows, CountRows(table, served, digest, watch));
    const bool accepted = std::find(settings_.accept.begin(), settings_.accept.end(), digest) !=
                          settings_.accept.end();
    if (before && !accepted) {
      const bool rows = before->rows >= 0 && now.rows >= 0;
      const auto was = static_cast<double>(rows ? before->rows : before->bytes);
      const auto is = static_cast<double>(rows ? now.rows : now.bytes);
      const bool shrank = is * 100 < was * static_cast<double>(settings_.least_share);
      const bool grew =
          settings_.most_share > 0 && is * 100 > was * static_cast<double>(settings_.most_share);
      if (shrank || grew) {
        return Hold{shrank ? "least_share" : "most_share",
                    absl::StrCat("has ", RowsOrBytes(rows ? now.rows : -1, now.bytes),
                                 ", the one served before ",
                                 RowsOrBytes(rows ? before->rows : -1, before->bytes), " (",
                                 shrank ? "least_share " : "most_share ",
                                 shrank ? settings_.least_share : settings_.most_share,
                                 "); to serve it all the same, set accept: ", digest)};
      }
    }
    SLUICE_RETURN_IF_ERROR(served_before_.Set(table, now));
  }
  MutexLock lock(mutex_);
  last_served_[table] = served;
  return std::optional<Hold>();
}

absl::StatusOr<std::variant<Drops::Served, Drops::Hold>> Drops::OpenOne(const std::string& table,
                                                                        const std::string& name,
                                                                        bool whole,
                                                                        const Watch& watch) {
  // Of several drops one that is no file hides no other.
  const Hold link{"link", "is a symbolic link, which is not followed"};
  const auto coming = StillComing(name, watch);
  if (settings_.pattern && IsLink(coming.status())) return link;
  SLUICE_RETURN_IF_ERROR(coming.status());
  if (*coming) return **coming;
  auto opened = folder_->Open(name, watch);
  if (settings_.pattern && IsLink(opened.status())) return link;
  SLUICE_RETURN_IF_ERROR(opened.status());
  std::optional<Hold> hold;
  Served served;
  served.file = *std::move(opened);
  SLUICE_ASSIGN_OR_RETURN(served.file, WithCompanion(*folder_, *format_, served.file, watch));
  if (TooYoung(served.file->stamp())) return TooYoungHold();
  served.version = versions_.Of(name, served.file);
  if (whole) {
    if (!settings_.checksum.empty()) {
      SLUICE_ASSIGN_OR_RETURN(hold, CheckDigest(served, watch));
    }
    if (!hold && (settings_.least_share > 0 || settings_.most_share > 0)) {
      SLUICE_ASSIGN_OR_RETURN(hold, CheckShare(table, served, watch));
    }
  }
  MutexLock lock(mutex_);
  if (!whole) {
    for (const auto& [of, found] : held_)
      if (of == name && found.first == served.file->stamp()) return found.second;
    return served;
  }
  std::erase_if(held_, [&](const auto& one) { return one.first == name; });
  if (!hold) return served;
  Remember(held_, name, std::pair(served.file->stamp(), *hold));
  return *hold;
}

// What was served last, where it is still at hand as it was.
std::optional<Drops::Served> Drops::LastServed(const std::string& table, const Watch&) {
  MutexLock lock(mutex_);
  const auto found = last_served_.find(table);
  if (found == last_served_.end()) return std::nullopt;
  const auto unchanged = found->second.file->Unchanged();
  if (!unchanged.ok() || !*unchanged) return std::nullopt;
  return found->second;
}

// Who asks for the rows hears by which setting; how many there are is for the operator.
absl::Status Drops::HeldBack(const std::string& table, const Hold& hold, const std::string& name) {
  absl::Status status =
      Unavailable(absl::StrCat("table '", table, "': its drop is held back (", hold.by,
                               "), and no other is there to be served: see the source's notes"));
  AddKey(status, kHeldBack, hold.by);
  AddOperatorNote(status, absl::StrCat("the drop '", name, "' ", hold.why));
  return status;
}

absl::StatusOr<Drops::Served> Drops::OpenNewest(const std::string& table, bool whole,
                                                const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const auto names, FilesOf(table, watch));
  std::optional<Hold> first;
  std::string first_name;
  const auto serve = [&](Served served, const std::string& name) {
    SetNote(table,
            !first ? ""
                   : absl::StrCat("table '", table, "': the drop '", first_name, "' is held back, ",
                                  name == first_name ? "and the one that it replaced"
                                                     : absl::StrCat("and '", name, "'"),
                                  " is served: it ", first->why));
    return served;
  };
  for (const std::string& name : names) {
    const auto opened = OpenOne(table, name, whole, watch);
    if (absl::IsNotFound(opened.status())) continue;  // taken away meanwhile
    SLUICE_RETURN_IF_ERROR(opened.status());
    if (const auto* served = std::get_if<Served>(&*opened)) return serve(*served, name);
    if (!first) {
      first = std::get<Hold>(*opened);
      first_name = name;
    }
  }
  if (!first) {
    SetNote(table, "");
    return NoTable();
  }
  if (const auto last = LastServed(table, watch)) return serve(*last, last->file->name());
  SetNote(table, absl::StrCat("table '", table, "': the drop '", first_name,
                              "' is held back, and nothing is served: it ", first->why));
  return HeldBack(table, *first, first_name);
}

absl::StatusOr<Drops::Served> Drops::OpenAll(const std::string& table, bool whole,
                                             const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(auto names, FilesOf(table, watch));
  if (names.empty()) return NoTable();
  if (names.size() > kMostJoined)
    return Unavailable(absl::StrCat("table '", table, "' has over ", kMostJoined,
                                    " files, which is the most that are one table"));
  std::reverse(names.begin(), names.end());
  std::vector<std::shared_ptr<const SourceFile>> files;
  std::optional<Hold> hold;
  std::string note;
  for (const std::string& name : names) {
    const auto opened = OpenOne(table, name, whole, watch);
    if (absl::IsNotFound(opened.status())) continue;
    SLUICE_RETURN_IF_ERROR(opened.status());
    if (const auto* served = std::get_if<Served>(&*opened)) {
      files.push_back(served->file);
      continue;
    }
    hold = std::get<Hold>(*opened);
    note = absl::StrCat("table '", table, "': the drop '", name, "' is left out: it ", hold->why);
  }
  SetNote(table, note);
  if (files.empty() && !hold) return NoTable();
  if (files.empty()) {
    return HeldBack(table, *hold, names.back());
  }
  Served served;
  served.file = JoinFiles(std::move(files));
  served.version = versions_.Of("/" + table, served.file);
  return served;
}

absl::StatusOr<Drops::Served> Drops::Open(const std::string& table, bool whole,
                                          const Watch& watch) {
  auto served = settings_.all ? OpenAll(table, whole, watch) : OpenNewest(table, whole, watch);
  if (absl::IsNotFound(served.status()) && !settings_.file.empty() &&
      table == TableOfFile(settings_.file))
    return Unavailable("the source's file is not there");
  return served;
}

absl::Status Drops::Recheck(const std::string& table, const SourceFile& file, const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const Standing standing, file.Look());
  switch (standing) {
    case Standing::kSame:
    case Standing::kReplaced:
      return absl::OkStatus();
    case Standing::kChanged:
      return Changed();
    case Standing::kGone:
      if (settings_.pattern && !settings_.all) {
        SLUICE_ASSIGN_OR_RETURN(const auto names, FilesOf(table, watch));
        if (!names.empty()) return absl::OkStatus();
      }
      break;
    case Standing::kMissing:
      break;
  }
  return Unavailable("the source's file is not there any more");
}

absl::Status Drops::Probe(const Watch& watch) {
  SLUICE_RETURN_IF_ERROR(folder_->Probe(watch));
  if (settings_.file.empty()) return absl::OkStatus();
  const auto stamp = folder_->Look(settings_.file, watch);
  return absl::IsNotFound(stamp.status()) ? Unavailable("the source's file is not there")
                                          : stamp.status();
}

void Drops::SetNote(const std::string& table, std::string note) {
  MutexLock lock(mutex_);
  if (note.empty()) {
    notes_.erase(table);
  } else {
    notes_[table] = std::move(note);
  }
}

std::string Drops::NoteOf(const std::string& table) const {
  MutexLock lock(mutex_);
  const auto found = notes_.find(table);
  return found == notes_.end() ? "" : found->second;
}

std::vector<std::string> Drops::Notes() const {
  MutexLock lock(mutex_);
  std::vector<std::string> notes;
  for (const auto& [table, note] : notes_) notes.push_back(note);
  return notes;
}

}  // namespace sluice::adapters::files
