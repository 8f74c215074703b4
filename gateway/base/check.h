// CHECK for broken invariants of our own code, never reachable from input. Prints the place and
// the condition, then aborts. (Debian's Abseil 20220623 has no absl/log.)
#pragma once

namespace sluice {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}

#define SLUICE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::sluice::CheckFailed(__FILE__, __LINE__, #condition))
