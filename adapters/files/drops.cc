#include "adapters/files/drops.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "adapters/files/errors.h"
#include "adapters/files/joined.h"
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
    return std::vector<std::string>(IsFileName(table) ? 1 : 0, table + settings_.suffix);
  }
  SLUICE_ASSIGN_OR_RETURN(const auto names, folder_->Names(watch));
  std::vector<std::pair<int64_t, std::string>> dated;
  for (const std::string& name : names)
    if (const auto found = settings_.pattern->Match(name); found && found->table == table)
      dated.emplace_back(found->micros, name);
  std::sort(dated.rbegin(), dated.rend());
  std::vector<std::string> files;
  for (auto& [date, name] : dated) files.push_back(std::move(name));
  return files;
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
      if (auto found = settings_.pattern->Match(name)) tables.insert(std::move(found->table));
    } else if (name.size() > settings_.suffix.size() && name.ends_with(settings_.suffix)) {
      tables.insert(name.substr(0, name.size() - settings_.suffix.size()));
    }
  }
  return std::vector<std::string>(tables.begin(), tables.end());
}

// What tells without reading the file.
Drops::MayBeHeld Drops::StillComing(const std::string& name, const Watch& watch) {
  if (settings_.settle_ns > 0) {
    SLUICE_ASSIGN_OR_RETURN(const Stamp stamp, folder_->Look(name, watch));
    const int64_t age = StampClock() - std::max(stamp.modified_ns, stamp.changed_ns);
    if (age < settings_.settle_ns) return Hold{"settle", "was written too short a time ago"};
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
  const std::string said = DigestIn(*text, name);
  if (said.empty())
    return Hold{"checksum", "has a checksum file that holds no SHA-256 of it, as sha256sum writes"};
  SLUICE_ASSIGN_OR_RETURN(const std::string digest, served.version->Digest(watch));
  if (digest == said) return std::optional<Hold>();
  return Hold{"checksum", "has another SHA-256 than its checksum file says"};
}

absl::StatusOr<int64_t> Drops::CountRows(const std::string& table, const Served& served,
                                         const std::string& digest, const Watch& watch) {
  const TableName name{table, ""};
  std::shared_ptr<RowCount> count;
  {
    MutexLock lock(mutex_);
    for (const auto& [of, known] : counts_)
      if (of == digest) count = known;
  }
  absl::Status status;
  if (count == nullptr) {
    const auto parts = format_->Parts(*served.file, name, watch);
    auto content = served.version->Opened(*format_, name, served.file, unpack_, watch);
    status = content.ok() ? parts.status() : content.status();
    if (status.ok() && !parts->empty()) return -1;
    if (status.ok()) {
      count = std::make_shared<RowCount>(format_, *std::move(content), served.file, name);
      MutexLock lock(mutex_);
      Remember(counts_, digest, count);
    }
  }
  if (status.ok()) status = count->Finish(watch);
  // A file that cannot be read is one whose rows nobody knows; who reads it hears why.
  if (SpeaksOfTheFile(status)) return status.ok() ? count->count() : -1;
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
  SLUICE_ASSIGN_OR_RETURN(auto hold, StillComing(name, watch));
  if (hold) return *hold;
  Served served;
  SLUICE_ASSIGN_OR_RETURN(served.file, folder_->Open(name, watch));
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
  absl::Status status =
      Unavailable(absl::StrCat("table '", table, "': the drop is held back: it ", first->why));
  AddKey(status, "held_back", first->by);
  return status;
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
    absl::Status status = Unavailable(
        absl::StrCat("table '", table, "': its drops are held back: the last ", hold->why));
    AddKey(status, "held_back", hold->by);
    return status;
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
