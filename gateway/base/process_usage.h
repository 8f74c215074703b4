// What this process takes up, and what is left on a disk. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

struct ProcessUsage {
  int64_t resident_bytes = 0;
  int64_t open_files = 0, most_open_files = 0;
  double cpu_seconds = 0;  // in user and system mode
};
// Zero where the system does not say.
ProcessUsage ReadProcessUsage();

struct DiskSpace {
  int64_t size_bytes = 0;
  int64_t free_bytes = 0;  // that an ordinary process may use
};
// Of the file system that the folder is on; zero where the system does not say.
DiskSpace ReadDiskSpace(const std::string& folder);

}  // namespace sluice
