// What a command may touch of the world, so that tests run one as a person would without a
// terminal, a network or a clock.
#pragma once

#include <istream>
#include <ostream>

#include "absl/time/time.h"
#include "cli/gateway.h"
#include "cli/profile.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/base/file_system.h"

namespace sluice::cli {

struct Environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  FileSystem& files;
  Clock& clock;
  RandomSource& random;
  Variable variable;
  absl::TimeZone zone;  // of times shown; proofs are in UTC
  Connector connect;
};

}  // namespace sluice::cli
