#include "gateway/audit/record_testing.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace sluice::audit {

std::string CountingRandom::Bytes(size_t count) {
  MutexLock lock(mutex_);
  std::string bytes;
  while (bytes.size() < count) {
    const uint64_t number = next_++;
    bytes.append(
        AsBytes(Sha256(std::string_view(reinterpret_cast<const char*>(&number), sizeof(number)))));
  }
  bytes.resize(count);
  return bytes;
}

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sluice::audit
