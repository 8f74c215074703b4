#include "tests/system/witness_testing.h"

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace sluice::system_test {

WitnessProcess::WitnessProcess(const std::string& name, const std::vector<std::string>& logs) {
  std::string pattern = std::filesystem::temp_directory_path() / "sluice-witness-XXXXXX";
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
  std::vector<std::string> arguments = {"sluice", "witness", "init",     Path(""),
                                        "--name", name,      "--listen", "127.0.0.1:0"};
  for (const std::string& log : logs) arguments.insert(arguments.end(), {"--log", log});
  const Finished made = Execute(arguments);
  EXPECT_EQ(made.code, 0) << made.errors;
  told_ = made.output;
}

WitnessProcess::~WitnessProcess() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string WitnessProcess::Path(const std::string& name) const {
  return name.empty() ? folder_ : folder_ + "/" + name;
}

std::string WitnessProcess::Read(const std::string& name) const {
  std::ifstream in(Path(name), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void WitnessProcess::Write(const std::string& name, const std::string& text) const {
  std::ofstream(Path(name), std::ios::binary) << text;
}

std::string WitnessProcess::vkey() const {
  const std::string text = Read("witness.vkey");
  return text.substr(0, text.find('\n'));
}

void WitnessProcess::Start() {
  process_ = std::make_unique<Process>(
      std::vector<std::string>{"sluice", "witness", "serve", "--config", Path("witness.yaml")},
      Surroundings{});
  ASSERT_TRUE(process_->WaitForError("\"event\":\"witness_ready\"")) << process_->Errors();
  const std::string had = address_.empty() ? "127.0.0.1:0" : address_;
  address_ = Events("witness_ready").back().at("address");
  // Whoever knows the address finds it there again.
  std::string text = Read("witness.yaml");
  const size_t at = text.find(had);
  ASSERT_NE(at, std::string::npos) << text;
  Write("witness.yaml", text.replace(at, had.size(), address_));
}

Finished WitnessProcess::Stop() {
  process_->Signal(SIGTERM);
  return process_->Wait();
}

void WitnessProcess::Kill() {
  process_->Signal(SIGKILL);
  process_->Wait();
}

std::vector<nlohmann::json> WitnessProcess::Events(const std::string& event) const {
  std::vector<nlohmann::json> found;
  std::istringstream lines(process_->Errors());
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    if (parsed.is_object() && parsed.value("event", "") == event) found.push_back(parsed);
  }
  return found;
}

}  // namespace sluice::system_test
