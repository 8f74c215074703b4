#include "gateway/base/process_usage.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice {

ProcessUsage ReadProcessUsage() {
  ProcessUsage usage;
  int64_t pages = 0, resident = 0;
  std::ifstream statm("/proc/self/statm");
  if (statm >> pages >> resident) usage.resident_bytes = resident * sysconf(_SC_PAGESIZE);
  std::error_code error;
  for (std::filesystem::directory_iterator file("/proc/self/fd", error), end; !error && file != end;
       file.increment(error))
    ++usage.open_files;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    usage.most_open_files = static_cast<int64_t>(limit.rlim_cur);
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    usage.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  }
  return usage;
}

DiskSpace ReadDiskSpace(const std::string& folder) {
  DiskSpace space;
  struct statvfs said {};
  if (statvfs(folder.c_str(), &said) != 0) return space;
  space.size_bytes = static_cast<int64_t>(said.f_blocks * said.f_frsize);
  space.free_bytes = static_cast<int64_t>(said.f_bavail * said.f_frsize);
  return space;
}

}  // namespace sluice
