#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "gateway/audit/recovery.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

absl::StatusOr<std::vector<uint64_t>> ListSegments(FileSystem& files, const std::string& directory,
                                                   std::string& where) {
  SLUICE_ASSIGN_OR_RETURN(const auto names, files.List(JoinPath(directory, "segments")));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    const uint64_t number = SegmentNumber(name);
    if (number == 0) {
      where = absl::StrCat("segments/", name);
      return absl::DataLossError("a file that does not belong to a log");
    }
    numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// How a segment follows the one before it: a row without gaps, or over segments that it supersedes.
bool Follows(const SegmentHeader& header) {
  if (header.supersedes == 0)
    return header.previous + 1 == header.number && header.supersedes_from == 0 &&
           !header.previous_rest;
  if (header.supersedes + 1 != header.number) return false;
  if (header.previous == header.supersedes)
    return header.previous_end == header.supersedes_from && header.previous_rest;
  return header.supersedes_from == kSegmentHeader;
}

absl::Status CheckHeader(const SegmentHeader& header, uint64_t number, uint64_t file_size,
                         const std::string& origin) {
  if (header.number != number)
    return absl::DataLossError(absl::StrCat("this is segment ", header.number));
  if (header.origin != origin)
    return absl::DataLossError(
        absl::StrCat("this is a segment of the log ", header.origin, ", not of ", origin));
  if (header.size != file_size)
    return absl::DataLossError(
        absl::StrCat("the file has ", file_size, " bytes, but was made with ", header.size));
  if (!Follows(header)) return absl::DataLossError("the header contradicts itself");
  if (header.previous == 0 &&
      (header.first_index != 0 || header.first_sequence != 1 || header.previous_end != 0))
    return absl::DataLossError("the first segment does not begin with #0");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Chain> ReadChain(FileSystem& files, const std::string& directory,
                                const std::string& origin, std::string& where) {
  where = "segments/";
  SLUICE_ASSIGN_OR_RETURN(const auto numbers, ListSegments(files, directory, where));
  std::map<uint64_t, SegmentHeader> found;
  Chain chain;
  for (const uint64_t number : numbers) {
    SLUICE_ASSIGN_OR_RETURN(auto reader, SegmentReader::Open(files, SegmentPath(directory, number),
                                                             ReadFrom::kStorage));
    auto header = reader.ReadHeader();
    absl::Status status = header.status();
    if (status.ok()) {
      where = Place(number, 0);
      SLUICE_RETURN_IF_ERROR(CheckHeader(*header, number, reader.file_size(), origin));
      found.emplace(number, *std::move(header));
    } else if (status.code() == absl::StatusCode::kDataLoss ||
               status.code() == absl::StatusCode::kNotFound) {
      chain.headless.emplace_back(number, status);
    } else {
      return status;
    }
  }
  for (uint64_t number = found.empty() ? 0 : found.rbegin()->first; number != 0;) {
    const auto at = found.find(number);
    if (at == found.end()) {
      where = absl::StrCat("segments/", SegmentName(number));
      return absl::DataLossError(absl::StrCat("the segment is missing or its header damaged, but ",
                                              "segment ", chain.headers.back().number,
                                              " follows it"));
    }
    chain.headers.push_back(at->second);
    number = at->second.previous;
    found.erase(at);
  }
  std::reverse(chain.headers.begin(), chain.headers.end());
  for (const auto& [number, header] : found) chain.superseded.push_back(number);
  return chain;
}

}  // namespace sluice::audit
