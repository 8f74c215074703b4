#include "tests/system/desk.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::system_test {

Desk::Desk() {
  std::string path = (std::filesystem::temp_directory_path() / "sluice-desk-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) abort();
  folder_ = path;
}

Desk::~Desk() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Desk::Path(std::string_view name) const {
  return absl::StrCat(folder_, "/", std::string(name));
}

void Desk::Write(std::string_view name, std::string_view text) const {
  std::ofstream(Path(name), std::ios::binary) << text;
}

void Desk::Take(const std::string& from, std::string_view name) const {
  const auto options =
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing;
  std::error_code error;
  std::filesystem::copy(from, Path(name), options, error);
  EXPECT_FALSE(error) << from << ": " << error.message();
}

void Desk::WriteProfile(const Deployment& gateway) const {
  const std::string key = gateway.Read("log.vkey");
  Write("profile.yaml",
        absl::StrCat("gateway: \"", gateway.address(), "\"\n", "trust_domain: gov.example\n",
                     "certificate: certificate.pem\n", "key: key.pem\n",
                     "authorities: authority.pem\n", "log_key: \"", absl::StripAsciiWhitespace(key),
                     "\"\n"));
}

Finished Desk::Type(std::vector<std::string> arguments, std::string input) {
  ++typed_;
  // As a terminal shows it.
  arguments.insert(arguments.begin(), {"sluice", "--format", "table"});
  Surroundings around;
  around.folder = folder_;
  around.input = std::move(input);
  around.environment = {{"HOME", folder_},
                        {"XDG_STATE_HOME", folder_ + "/state"},
                        {"XDG_CONFIG_HOME", folder_ + "/config"},
                        {"SLUICE_PROFILE", "profile.yaml"},
                        {"TZ", "UTC"}};
  return Execute(std::move(arguments), around);
}

std::string Desk::Done(std::vector<std::string> arguments, std::string input) {
  const Finished finished = Type(std::move(arguments), std::move(input));
  EXPECT_EQ(finished.code, 0) << finished.all();
  return finished.all();
}

}  // namespace sluice::system_test
