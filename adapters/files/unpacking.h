// What is unpacked of a file, once a version: by a compression, or by a format whose rows do not
// stand in the file as they are read. A Job, so that calls whose deadlines end bring it on
// together.
#pragma once

#include <memory>

#include "adapters/files/content.h"
#include "adapters/files/job.h"

namespace sluice::adapters::files {

class Unpacking : public Job {
 public:
  // Once done.
  virtual std::shared_ptr<const Content> content() const = 0;
};

}  // namespace sluice::adapters::files
