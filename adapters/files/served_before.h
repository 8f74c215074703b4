// What was served of each table last, in numbers: what a drop that comes is compared with. Kept in
// a small file a table where a folder is named for it, else as long as the process.
//
// Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::files {

struct ServedDrop {
  std::string digest;
  int64_t rows = -1;  // -1 where they are not known
  int64_t bytes = 0;
};

class ServedBefore {
 public:
  // `folder` may be empty. `place` tells sources that share a folder apart.
  ServedBefore(std::string folder, std::string place)
      : folder_(std::move(folder)), place_(std::move(place)) {}

  // Nothing where nothing was. SOURCE_UNAVAILABLE where the file cannot be read: what is not known
  // is not taken for the first drop.
  absl::StatusOr<std::optional<ServedDrop>> Of(const std::string& table);
  // Durable once OK; SOURCE_UNAVAILABLE.
  absl::Status Set(const std::string& table, const ServedDrop& drop);

 private:
  std::string PathOf(const std::string& table) const;

  const std::string folder_, place_;
  Mutex mutex_;
  std::map<std::string, ServedDrop> known_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::files
