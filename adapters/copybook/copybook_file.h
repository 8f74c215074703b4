// The copybook of a source, as it stands on disk now, or several that describe the same bytes: read
// anew when one was changed. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/copybook/scanner.h"
#include "adapters/copybook/shape.h"
#include "adapters/files/folder.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::copybook {

// What was read of it. Immutable.
struct Copybook {
  std::shared_ptr<const Shape> shape;
  std::string digest;  // of its bytes: 16 hexadecimal digits
};

inline constexpr int64_t kMostCopybookBytes = 4 << 20;

// Of several texts the items stand in one record, one behind the other: those of level 01 lie over
// the first. INVALID_ARGUMENT, with a line and what to do.
absl::StatusOr<std::shared_ptr<const Copybook>> ReadCopybooks(const std::vector<std::string>& texts,
                                                              ReferenceFormat format,
                                                              const ShapeOptions& options);

class CopybookFile {
 public:
  CopybookFile(std::vector<std::string> paths, ReferenceFormat format, ShapeOptions options)
      : paths_(std::move(paths)), format_(format), options_(std::move(options)) {}

  // SOURCE_UNAVAILABLE where it cannot be read; INVALID_ARGUMENT, with a line and what to do, where
  // it is none.
  absl::StatusOr<std::shared_ptr<const Copybook>> Current();

 private:
  const std::vector<std::string> paths_;
  const ReferenceFormat format_;
  const ShapeOptions options_;
  Mutex mutex_;
  std::vector<files::Stamp> stamps_ SLUICE_GUARDED_BY(mutex_);
  std::shared_ptr<const Copybook> known_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::copybook
