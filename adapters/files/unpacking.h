// A file whose rows cannot be read from any place on, made into one whose rows can: one that is
// compressed, or whose format has none that stand in it as they are read. Once a version, by the
// calls that need it.
#pragma once

#include <memory>

#include "adapters/files/content.h"
#include "adapters/files/job.h"

namespace sluice::adapters::files {

// Work ends with SOURCE_CHANGED where the file is not Unchanged() behind it.
class Unpacking : public Job {
 public:
  // Once done.
  virtual std::shared_ptr<const Content> content() const = 0;
};

}  // namespace sluice::adapters::files
