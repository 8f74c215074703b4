// `sluice` as people use it: what it refuses to talk to, what it shows, how it ends.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/system/raw_client.h"

namespace sluice::system_test {
namespace {

// A party whose certificate the same authority signed poses as the gateway.
TEST(ClientTest, AFalseGatewayIsNotTalkedTo) {
  Deployment gateway;
  gateway.Start();
  const std::string port = gateway.port();
  ASSERT_EQ(gateway.Stop().code, 0);
  Process impostor({"openssl", "s_server", "-accept", absl::StrCat("127.0.0.1:", port), "-cert",
                    gateway.Path("profiles/relief/certificate.pem"), "-key",
                    gateway.Path("profiles/relief/key.pem"), "-alpn", "h2", "-quiet"},
                   {});
  Finished refused;
  ASSERT_TRUE(Eventually([&] {
    refused = gateway.Sluice("relief", {"whoami"});
    return refused.errors.find("SERVER_") != std::string::npos;
  })) << refused.all();
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.errors.find("next"), std::string::npos) << refused.errors;
}

TEST(ClientTest, WhatATerminalWouldObeyIsShownHarmlessly) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  ASSERT_EQ(Execute({"sqlite3", gateway.Path("sources/residents.db"),
                     "UPDATE resident SET county = char(27) || '[31m' || char(7) || char(10) || "
                     "char(0x202e) || 'x'"})
                .code,
            0);
  const std::string shown =
      gateway.Done("relief", {"--format", "table", "query", "public-security/persons", "--purpose",
                              "relief", "--case", "R-1"});
  EXPECT_NE(shown.find("[31m"), std::string::npos) << shown;
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.find('\a'), std::string::npos);
  EXPECT_EQ(shown.find("\u202e"), std::string::npos);
}

TEST(ClientTest, ExitCodesTellWhatHappened) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  const std::vector<std::string> query = {"query", "public-security/persons", "--purpose"};
  const auto ask = [&](std::vector<std::string> more) {
    std::vector<std::string> all = query;
    all.insert(all.end(), more.begin(), more.end());
    return gateway.Sluice("relief", all);
  };
  EXPECT_EQ(ask({"relief", "--case", "R-1"}).code, 0);
  const Finished denied = ask({"census", "--case", "R-1"});
  EXPECT_EQ(denied.code, 3);
  EXPECT_EQ(denied.errors.rfind("error: PURPOSE_NOT_GRANTED: ", 0), 0u) << denied.errors;
  EXPECT_NE(denied.errors.find("\n  next "), std::string::npos) << denied.errors;
  EXPECT_EQ(denied.output, "");
  EXPECT_EQ(ask({"relief", "--no-such-option"}).code, 2);
  EXPECT_EQ(gateway.Sluice("nobody", {"whoami"}).code, 2);
  ASSERT_EQ(gateway.Stop().code, 0);
  const Finished later = ask({"relief", "--case", "R-1"});
  EXPECT_EQ(later.code, 4);
  EXPECT_NE(later.errors.find(gateway.address()), std::string::npos) << later.errors;
}

// An identifier on the command line would be in every process list.
TEST(ClientTest, ParametersComeFromAFileOrStandardInput) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  const std::string id = SampleIds()[0];
  const std::vector<std::string> query = {
      "--format", "json", "query",   "public-security/persons", "--purpose", "relief",
      "--case",   "R-1",  "--where", "id_number = $id",         "--param"};
  std::vector<std::string> from_input = query, from_file = query;
  from_input.push_back("id=@-");
  gateway.Write("id.txt", id + "\n");
  from_file.push_back("id=@id.txt");
  for (const std::string& output :
       {gateway.Done("relief", from_input, id + "\n"), gateway.Done("relief", from_file)}) {
    EXPECT_NE(output.find("990***********3019"), std::string::npos) << output;
    EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 1) << output;
  }
}

}  // namespace
}  // namespace sluice::system_test
