// Streams that are cut by whatever can cut one, and go on: the file is the one that an uncut read
// gives, byte by byte, and one receipt proves it.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/stream_check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/register.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;

constexpr int kRows = 200'000;

class ResumeSystemTest : public testing::Test {
 protected:
  std::vector<std::string> ReadInto(const std::string& file, const std::string& format,
                                    bool resume = false) {
    std::vector<std::string> arguments = {"--profile", gateway_.Path("profiles/relief.yaml"),
                                          "--format",  format,
                                          "read",      "public-security/register",
                                          "--purpose", "relief",
                                          "-o",        file};
    if (resume) arguments.push_back("--resume");
    return arguments;
  }
  std::vector<std::string> Tool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sluice");
    return arguments;
  }
  Finished Read(const std::string& file, const std::string& format, bool resume = false) {
    return Execute(Tool(ReadInto(file, format, resume)), {.folder = gateway_.Path("")});
  }
  int64_t SizeOf(const std::string& file) {
    struct stat info = {};
    return stat(gateway_.Path(file).c_str(), &info) == 0 ? info.st_size : -1;
  }
  // A read that is killed once its file has this many bytes, if it has not ended by then.
  void KillAt(int64_t bytes, const std::string& file, const std::string& format, bool resume) {
    Process reading(Tool(ReadInto(file, format, resume)), {.folder = gateway_.Path("")});
    while (reading.Running() && SizeOf(file + ".part") < bytes) Nap(1);
    reading.Signal(SIGKILL);
    reading.Wait();
  }
  void ExpectProved(const std::string& file, const std::string& uncut) {
    EXPECT_TRUE(gateway_.Read(file) == gateway_.Read(uncut)) << "other bytes";
    const Finished proved = gateway_.Local({"--format", "table", "receipts", "check",
                                            file + ".receipt.json", file, "--key", "log.vkey"});
    EXPECT_EQ(proved.code, 0) << proved.all();
    EXPECT_THAT(proved.output, HasSubstr("is what was let go, whole"));
    for (const char* left : {".part", ".part.journal", ".part.receipt.json"})
      EXPECT_FALSE(std::filesystem::exists(gateway_.Path(file + left))) << left;
  }

  Deployment gateway_;
};

TEST_F(ResumeSystemTest, AClientThatIsKilledAgainAndAgain) {
  OfferRegister(gateway_, kRows);
  for (const std::string format : {"json", "csv", "arrow"}) {
    const std::string uncut = "uncut." + format, file = "register." + format;
    ASSERT_EQ(Read(uncut, format).code, 0);
    const int64_t size = SizeOf(uncut);
    bool resume = false;
    for (const double share : {0.1, 0.13, 0.4, 0.7, 0.95}) {
      KillAt(static_cast<int64_t>(size * share), file, format, resume);
      resume = SizeOf(file + ".part") > 0;
      if (SizeOf(file) >= 0) break;  // it was faster
    }
    if (SizeOf(file) < 0) {
      const Finished rest = Read(file, format, /*resume=*/true);
      EXPECT_EQ(rest.code, 0) << rest.all();
      EXPECT_THAT(rest.errors, HasSubstr("going on behind"));
    }
    ExpectProved(file, uncut);
  }
  EXPECT_THAT(gateway_.Verify(), testing::Not(HasSubstr("does not follow")));
}

TEST_F(ResumeSystemTest, AGatewayThatIsKilledAndStartedAgain) {
  OfferRegister(gateway_, kRows);
  ASSERT_EQ(Read("uncut.arrows", "arrow").code, 0);
  const int64_t size = SizeOf("uncut.arrows");
  {
    Process reading(Tool(ReadInto("register.arrows", "arrow")), {.folder = gateway_.Path("")});
    while (reading.Running() && SizeOf("register.arrows.part") < size / 3) Nap(1);
    gateway_.Kill();
    const Finished cut = reading.Wait();
    ASSERT_NE(cut.code, 0);
    EXPECT_THAT(cut.errors, HasSubstr("--resume"));
  }
  gateway_.Start();
  const Finished rest = Read("register.arrows", "arrow", /*resume=*/true);
  EXPECT_EQ(rest.code, 0) << rest.all();
  ExpectProved("register.arrows", "uncut.arrows");
  const auto closed = gateway_.Records(v1::RECORD_KIND_CLOSED);
  const v1::AuditEnvelope& last = closed.back().envelope();
  EXPECT_EQ(last.continues().rows() + last.count(), kRows);
  EXPECT_LT(last.count(), kRows);
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 abandoned"));
}

// Its token is not the newest part's then, but an earlier one's.
TEST_F(ResumeSystemTest, APartThatGaveNothingIsNoLinkOfTheChain) {
  OfferRegister(gateway_, kRows);
  const auto key =
      audit::ParseVerifierKey(std::string(absl::StripAsciiWhitespace(gateway_.Read("log.vkey"))));
  ASSERT_TRUE(key.ok()) << key.status();
  v1::ReadRequest request = RegisterRequest();
  request.set_media_type("text/csv");
  cli::StreamCheck check(request, *key);
  for (const int batches : {3, 0, 0, 2, 0, 1'000'000}) {
    request.set_resume_token(check.resume_token());
    auto relief = gateway_.Connect("relief");
    int taken = -1;  // the opening is none
    const absl::Status status = CallStream(
        *relief, cli::kRead, request, kMinute, [&](v1::ReadResponse& message) -> absl::Status {
          if (absl::Status checked = check.Take(message); !checked.ok()) return checked;
          return ++taken < batches ? absl::OkStatus() : absl::CancelledError("enough");
        });
    EXPECT_EQ(status.ok(), batches == 1'000'000) << status;
  }
  EXPECT_TRUE(check.closed());
  EXPECT_EQ(check.rows(), kRows);
  EXPECT_EQ(check.receipt().parts.size(), 2u);
}

// A table that lives is no snapshot, and the reply says so: what is read later is as it is then,
// cut or not. (A file that was exchanged is SOURCE_CHANGED: read_resume_test.cc.)
TEST_F(ResumeSystemTest, ALiveTableGoesOnAsItIsNow) {
  OfferRegister(gateway_, kRows);
  KillAt(1 << 20, "register.csv", "csv", false);
  if (SizeOf("register.csv.part") < 0) GTEST_SKIP() << "it was read faster than it was killed";
  ExecuteSql(gateway_, "UPDATE register SET name = 'another' WHERE number = 199999");
  const Finished rest = Read("register.csv", "csv", /*resume=*/true);
  EXPECT_EQ(rest.code, 0) << rest.all();
  EXPECT_THAT(gateway_.Read("register.csv"), HasSubstr("199999,another"));
  const Finished proved = gateway_.Local(
      {"receipts", "check", "register.csv.receipt.json", "register.csv", "--key", "log.vkey"});
  EXPECT_EQ(proved.code, 0) << proved.all();
}

TEST_F(ResumeSystemTest, MistakesOfAPerson) {
  OfferRegister(gateway_, 20'000);
  const Finished nothing = Read("register.csv", "csv", /*resume=*/true);
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.errors, HasSubstr("NOTHING_TO_RESUME"));
  KillAt(100'000, "register.csv", "csv", false);
  if (SizeOf("register.csv.part") < 0) GTEST_SKIP() << "it was read faster than it was killed";
  const Finished other = Read("register.csv", "json", /*resume=*/true);
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.errors, HasSubstr("ANOTHER_REQUEST"));
  EXPECT_GE(SizeOf("register.csv.part"), 0);
  // What stands in the file is held against the receipts: a changed letter is fetched anew.
  std::string part = gateway_.Read("register.csv.part");
  if (!part.empty()) {
    part[part.size() / 2] ^= 1;
    gateway_.Write("register.csv.part", part);
  }
  const Finished rest = Read("register.csv", "csv", /*resume=*/true);
  const Finished anew = rest.code == 0 ? rest : Read("register.csv", "csv");
  EXPECT_EQ(anew.code, 0) << anew.all();
  ASSERT_EQ(Read("uncut.csv", "csv").code, 0);
  ExpectProved("register.csv", "uncut.csv");
}

TEST_F(ResumeSystemTest, AStreamBecomesAFileCsvOrJsonLines) {
  OfferRegister(gateway_, 20'000);
  for (const std::string format : {"arrow", "csv", "json"})
    ASSERT_EQ(Read("register." + format + "s", format).code, 0);
  const auto convert = [&](const std::string& output) {
    return gateway_.Local({"convert", "register.arrows", "-o", output});
  };
  EXPECT_EQ(convert("converted.csv").code, 0);
  EXPECT_TRUE(gateway_.Read("converted.csv") == gateway_.Read("register.csvs"));
  EXPECT_EQ(convert("converted.jsonl").code, 0);
  EXPECT_TRUE(gateway_.Read("converted.jsonl") == gateway_.Read("register.jsons"));
  const Finished file = convert("converted.arrow");
  EXPECT_EQ(file.code, 0) << file.all();
  EXPECT_THAT(file.errors, HasSubstr("20,000 rows, 3 columns, to converted.arrow"));
  EXPECT_EQ(gateway_.Read("converted.arrow").substr(0, 6), "ARROW1");
  // Half a stream is none.
  const std::string stream = gateway_.Read("register.arrows");
  gateway_.Write("register.arrows", stream.substr(0, stream.size() - 8));
  const Finished cut = convert("half.csv");
  EXPECT_EQ(cut.code, 1);
  EXPECT_THAT(cut.errors, HasSubstr("STREAM_CUT"));
  EXPECT_FALSE(std::filesystem::exists(gateway_.Path("half.csv")));
  EXPECT_FALSE(std::filesystem::exists(gateway_.Path("half.csv.part")));
  gateway_.Write("register.arrows", "number,name\r\n");
  const Finished none = convert("none.csv");
  EXPECT_THAT(none.errors, HasSubstr("FILE_NOT_READ: register.arrows"));
  EXPECT_EQ(convert("none.txt").code, 2);
}

}  // namespace
}  // namespace sluice::system_test
