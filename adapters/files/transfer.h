// One question to the server that a source's files are on, over libcurl: which files there are, how
// one stands, what is in it. SFTP, FTPS, HTTPS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/files/remote_settings.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::files {

// A file as its server tells of it.
struct Remote {
  int64_t size = -1;        // -1 where it does not say
  int64_t modified_s = -1;  // of an instant UTC; -1 where it does not say
  std::string etag;         // HTTPS; empty where it does not say
  bool operator==(const Remote&) const = default;
};

// A connection, kept from one question to the next. One thread at a time.
//
// All failures: NOT_FOUND where there is no such file; SOURCE_UNAVAILABLE, whose sentence says what
// to do and whose operator's note has libcurl's words; the watch's.
class Transfer {
 public:
  explicit Transfer(const RemoteSettings& settings);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Names of what is in the folder, in any order, at most `most` bytes of them.
  absl::StatusOr<std::string> List(size_t most, const Watch& watch);
  absl::StatusOr<Remote> Look(const std::string& name, const Watch& watch);
  // Hands the bytes from `from` on to `take`, whose failure ends it and is its own. The file as it
  // was told of then.
  absl::StatusOr<Remote> Fetch(const std::string& name, int64_t from, const std::string& etag,
                               const std::function<absl::Status(std::string_view)>& take,
                               const Watch& watch);

 private:
  struct Question;
  struct Handles;

  absl::Status Ask(Question& question, const Watch& watch);
  absl::Status Prepare(Question& question);

  const RemoteSettings& settings_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace sluice::adapters::files
