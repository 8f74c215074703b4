#include "tests/conformance/python_under_test.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/registry.h"
#include "adapters/remote/parties_testing.h"
#include "tests/conformance/sqlite_under_test.h"
#include "tests/system/process.h"

namespace sluice::adapters::conformance {
namespace {

// Debian's own: another Python does not see Debian's packages.
constexpr char kPython[] = "/usr/bin/python3";

class PythonAdapter {
 public:
  PythonAdapter() {
    const certs::TestLeaf leaf = parties_.Issue(remote::kTestAdapter);
    std::filesystem::create_directories(parties_.Path("data"));
    parties_.Write("key.pem", leaf.key_pem);
    parties_.Write("certificate.pem", leaf.certificate_pem);
    process_ = std::make_unique<system_test::Process>(
        std::vector<std::string>{kPython, SLUICE_SOURCE_DIR "/clients/python/adapter.py",
                                 "127.0.0.1:0", parties_.folder(),
                                 "spiffe://gov.example/gateway/gw1", parties_.Path("data")},
        system_test::Surroundings{.environment = {{"PYTHONPATH", SLUICE_PYTHON_STUBS},
                                                  {"PYTHONDONTWRITEBYTECODE", "1"}}});
    const std::string said = "serving at ";
    EXPECT_TRUE(system_test::Eventually(
        [&] { return process_->Output().find('\n') != std::string::npos; }, 30'000))
        << process_->Errors();
    const std::string line = process_->Output();
    if (line.rfind(said, 0) == 0)
      address_ = line.substr(said.size(), line.find('\n') - said.size());
  }

  // A file of an owner's, by a name of its own.
  Settings Serve(const std::string& file) {
    const std::string source = absl::StrCat("case-", sources_++);
    std::filesystem::create_symlink(file, parties_.Path("data/" + source + ".db"));
    return parties_.SettingsFor(address_, source);
  }

 private:
  remote::TestParties parties_;
  std::unique_ptr<system_test::Process> process_;
  std::string address_ = "127.0.0.1:1";
  int sources_ = 0;
};

// Ends with the test program, not before: all cases share it.
PythonAdapter& SharedProcess() {
  static PythonAdapter adapter;
  return adapter;
}

class PythonUnderTest : public AdapterUnderTest {
 public:
  PythonUnderTest() : behind_(SqliteKind("", SqliteVariant::kPlain).make()) {}

  void Make(const TableData& table) override { behind_->Make(table); }
  void SpoilValue(const TableData& table, int field, int64_t row) override {
    behind_->SpoilValue(table, field, row);
  }
  void Break() override { behind_->Break(); }
  Source AsSource() const override {
    return {"remote", SharedProcess().Serve(behind_->AsSource().settings.at("file"))};
  }
  std::unique_ptr<Adapter> Open() override {
    auto adapter = FindKind("remote")->open(AsSource().settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return *std::move(adapter);
  }

 private:
  const std::unique_ptr<AdapterUnderTest> behind_;
};

}  // namespace

KindUnderTest PythonKind(std::string name) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [] { return std::make_unique<PythonUnderTest>(); };
  // A scan takes some 25 ms of Python.
  kind.predicates = 200;
  return kind;
}

}  // namespace sluice::adapters::conformance
