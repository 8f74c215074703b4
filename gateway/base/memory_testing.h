// What a test's process takes of memory.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace sluice {

// Bytes that are resident now.
inline int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace sluice
