#include "cli/pack_archive.h"

#include <zlib.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// APPNOTE.TXT of PKWARE, 4.3.7, 4.3.12 and 4.3.16.
constexpr std::string_view kLocalSignature("PK\3\4", 4);
constexpr std::string_view kCentralSignature("PK\1\2", 4);
constexpr std::string_view kEndSignature("PK\5\6", 4);
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22;
constexpr uint64_t kMostArchive = 0xffffffff;
constexpr size_t kMostMembers = 0xffff;
constexpr size_t kMostName = 100;
constexpr uint64_t kMostDirectory = 16 << 20;

void Put16(uint32_t value, std::string& to) {
  to.push_back(static_cast<char>(value & 0xff));
  to.push_back(static_cast<char>(value >> 8 & 0xff));
}

void Put32(uint32_t value, std::string& to) {
  Put16(value & 0xffff, to);
  Put16(value >> 16, to);
}

uint32_t Get32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// Version 1.0 (stored), no flags, no compression, the first time that the format knows; checksum
// and sizes; length of the name, no extra field.
void PutCommon(const ArchiveMember& member, std::string& to) {
  Put16(10, to);
  Put16(0, to);
  Put16(0, to);
  Put16(0, to);
  Put16(0x21, to);
  Put32(member.crc, to);
  Put32(member.size, to);
  Put32(member.size, to);
  Put16(static_cast<uint32_t>(member.name.size()), to);
  Put16(0, to);
}

std::string LocalHeader(const ArchiveMember& member) {
  std::string header(kLocalSignature);
  PutCommon(member, header);
  return header + member.name;
}

// Made on Unix, so that it unpacks as a file that its owner writes and others read.
std::string CentralHeader(const ArchiveMember& member) {
  std::string header(kCentralSignature);
  Put16(3 << 8 | 10, header);
  PutCommon(member, header);
  Put16(0, header);
  Put16(0, header);
  Put16(0, header);
  Put32(uint32_t{0100644} << 16, header);
  Put32(member.at, header);
  return header + member.name;
}

std::string EndRecord(size_t members, uint64_t directory_at, uint64_t directory_bytes) {
  std::string end(kEndSignature);
  Put16(0, end);
  Put16(0, end);
  Put16(static_cast<uint32_t>(members), end);
  Put16(static_cast<uint32_t>(members), end);
  Put32(static_cast<uint32_t>(directory_bytes), end);
  Put32(static_cast<uint32_t>(directory_at), end);
  Put16(0, end);
  return end;
}

uint32_t ChecksumOf(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// "details/18342.bin": parts of plain characters, none of them hidden, none leading elsewhere.
bool IsPlainName(std::string_view name) {
  if (name.empty() || name.size() > kMostName) return false;
  char before = '/';
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    if (!plain && c != '.' && c != '/') return false;
    if (!plain && (before == '/' || before == '.')) return false;
    before = c;
  }
  return before != '/' && before != '.';
}

absl::Status NoPack(std::string_view why) {
  return absl::InvalidArgumentError(absl::string_view(why.data(), why.size()));
}

}  // namespace

absl::Status ArchiveWriter::Put(std::string_view bytes) {
  if (bytes.size() > kMostArchive - written_)
    return absl::ResourceExhaustedError("an archive has at most 4 GiB");
  written_ += bytes.size();
  return sink_(bytes);
}

absl::Status ArchiveWriter::Add(std::string_view name, std::string_view bytes) {
  if (members_.size() == kMostMembers)
    return absl::ResourceExhaustedError("an archive has at most 65,535 members");
  if (bytes.size() > kMostArchive)
    return absl::ResourceExhaustedError("an archive has at most 4 GiB");
  const ArchiveMember member{std::string(name), static_cast<uint32_t>(written_),
                             static_cast<uint32_t>(bytes.size()), ChecksumOf(bytes)};
  SLUICE_RETURN_IF_ERROR(Put(LocalHeader(member)));
  SLUICE_RETURN_IF_ERROR(Put(bytes));
  members_.push_back(member);
  return absl::OkStatus();
}

absl::Status ArchiveWriter::Finish() {
  const uint64_t directory = written_;
  for (const ArchiveMember& member : members_) SLUICE_RETURN_IF_ERROR(Put(CentralHeader(member)));
  return Put(EndRecord(members_.size(), directory, written_ - directory));
}

absl::StatusOr<ArchiveReader> ArchiveReader::Open(FileSystem& files, const std::string& path) {
  ArchiveReader reader;
  SLUICE_ASSIGN_OR_RETURN(reader.file_, files.OpenForRead(path));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t size, reader.file_->Size());
  if (size < kEndBytes || size > kMostArchive) return NoPack("it is no archive of a pack");
  SLUICE_ASSIGN_OR_RETURN(const std::string end, reader.file_->ReadAt(size - kEndBytes, kEndBytes));
  if (end.size() != kEndBytes) return NoPack("it ends too early");
  const uint64_t bytes = Get32(end, 12), at = Get32(end, 16);
  if (bytes > kMostDirectory || at + bytes + kEndBytes != size)
    return NoPack("its end is not that of an archive of a pack");
  SLUICE_ASSIGN_OR_RETURN(const std::string directory, reader.file_->ReadAt(at, bytes));
  if (directory.size() != bytes) return NoPack("it ends too early");

  std::set<std::string> names;
  uint64_t next = 0;
  for (std::string_view rest = directory; !rest.empty();) {
    if (rest.size() < kCentralBytes) return NoPack("its list of members is cut");
    ArchiveMember member;
    member.crc = Get32(rest, 16);
    member.size = Get32(rest, 24);
    member.at = Get32(rest, 42);
    const size_t name = Get32(rest, 28) & 0xffff;
    if (name > kMostName || rest.size() < kCentralBytes + name)
      return NoPack("its list of members is cut");
    member.name = rest.substr(kCentralBytes, name);
    if (!IsPlainName(member.name)) return NoPack("a member has a name that no pack has");
    if (rest.substr(0, kCentralBytes + name) != CentralHeader(member))
      return NoPack(absl::StrCat(member.name, ": not listed as a pack lists its members"));
    if (!names.insert(member.name).second)
      return NoPack(absl::StrCat(member.name, ": listed more than once"));
    if (member.at != next) return NoPack(absl::StrCat(member.name, ": not in its place"));
    const std::string header = LocalHeader(member);
    SLUICE_ASSIGN_OR_RETURN(const std::string there, reader.file_->ReadAt(next, header.size()));
    if (there != header) return NoPack(absl::StrCat(member.name, ": its header is another"));
    next += header.size() + member.size;
    if (next > at) return NoPack(absl::StrCat(member.name, ": reaches beyond the members"));
    reader.members_.push_back(std::move(member));
    rest.remove_prefix(kCentralBytes + name);
  }
  if (next != at) return NoPack("bytes that belong to no member");
  if (end != EndRecord(reader.members_.size(), at, bytes))
    return NoPack("its end is not that of an archive of a pack");
  return reader;
}

absl::StatusOr<std::string> ArchiveReader::Read(const ArchiveMember& member, size_t most) {
  if (member.size > most) return NoPack(absl::StrCat(member.name, ": too large"));
  SLUICE_ASSIGN_OR_RETURN(std::string bytes,
                          file_->ReadAt(member.at + kLocalBytes + member.name.size(), member.size));
  if (bytes.size() != member.size) return NoPack(absl::StrCat(member.name, ": cut"));
  if (ChecksumOf(bytes) != member.crc)
    return NoPack(absl::StrCat(member.name, ": its bytes were changed"));
  return bytes;
}

bool LooksLikeArchive(std::string_view begin) { return begin.starts_with("PK"); }

}  // namespace sluice::cli
