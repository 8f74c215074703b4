// Definitions of any bytes: the first byte chooses what they are read as. What is wrong is told as
// DEFINITION_INVALID, and says where.
#include <cstdint>
#include <string_view>

#include "gateway/base/check.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_yaml.h"
#include "gateway/identity/purpose_yaml.h"
#include "gateway/identity/seed.h"
#include "gateway/identity/source_yaml.h"
#include "gateway/sharing/grant_yaml.h"
#include "gateway/sharing/request_yaml.h"

namespace sluice {
namespace {

constexpr size_t kMostBytes = 256 << 10;

absl::Status Read(uint8_t choice, std::string_view text) {
  constexpr std::string_view kFile = "f.yaml";
  switch (choice % 7) {
    case 0:
      return catalogue::ParseDatasetYaml(text, kFile).status();
    case 1:
      return sharing::ParseGrantYaml(text, kFile).status();
    case 2:
      return sharing::ParseRequestYaml(text, kFile).status();
    case 3:
      return sharing::ParseTermsYaml(text, kFile).status();
    case 4:
      return identity::ParsePurposesYaml(text, kFile).status();
    case 5:
      return identity::ParseSourceYaml(text, kFile,
                                       [](const v1::Source&) { return absl::OkStatus(); })
          .status();
    default:
      return identity::ParseSeed(text, kFile).status();
  }
}

}  // namespace
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > sluice::kMostBytes) return 0;
  const absl::Status status =
      sluice::Read(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  SLUICE_CHECK(status.ok() || !status.message().empty());
  return 0;
}
