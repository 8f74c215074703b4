// The copybook of a source, as it stands on disk now: read anew when it was changed. Any thread.
#pragma once

#include <memory>
#include <string>

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

absl::StatusOr<std::shared_ptr<const Copybook>> ReadCopybook(std::string_view text,
                                                             ReferenceFormat format,
                                                             const ShapeOptions& options);

class CopybookFile {
 public:
  CopybookFile(std::string path, ReferenceFormat format, ShapeOptions options)
      : path_(std::move(path)), format_(format), options_(std::move(options)) {}

  // SOURCE_UNAVAILABLE where it cannot be read; INVALID_ARGUMENT, with a line and what to do, where
  // it is none.
  absl::StatusOr<std::shared_ptr<const Copybook>> Current();

 private:
  const std::string path_;
  const ReferenceFormat format_;
  const ShapeOptions options_;
  Mutex mutex_;
  files::Stamp stamp_ SLUICE_GUARDED_BY(mutex_);
  std::shared_ptr<const Copybook> known_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::copybook
