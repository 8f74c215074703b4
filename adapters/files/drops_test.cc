// Which file of a folder is served, and what is held back.
#include "adapters/files/drops.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/delimited/delimited_adapter.h"
#include "adapters/files/files_testing.h"
#include "adapters/files/source_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

using Lines = std::vector<std::string>;

class DropsTest : public testing::Test {
 protected:
  std::unique_ptr<Adapter> OpenDrops(Settings settings) {
    settings.insert({{"work_folder", work_.path()}});
    if (!settings.contains("file")) settings.insert({{"folder", folder_.path()}});
    auto adapter = OpenDelimited(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  ScannedTexts Names(Adapter& adapter, const std::string& table = "persons") {
    return ScanAll(adapter, TextRequest(table, {"name"}), context_);
  }
  std::string NoteOf(Adapter& adapter, const std::string& table = "persons") {
    const auto described = adapter.Describe(table, context_);
    EXPECT_TRUE(described.ok()) << described.status();
    return described.ok() ? (*described)[0].note : "";
  }
  void Drop(const std::string& name, const std::string& person) {
    folder_.Write(name, "name\n" + person + "\n");
  }
  static std::string DigestOf(const std::string& bytes) {
    return HexEncode(AsBytes(Sha256(bytes)));
  }

  TestFolder folder_, work_;
  FakeClock clock_;
  CallContext context_{&clock_, 0, nullptr};
};

std::string HeldBy(const absl::Status& status) {
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
  const auto info = ErrorInfoOf(status);
  const auto held = info->metadata().find("held_back");
  return held == info->metadata().end() ? "" : held->second;
}

TEST(DropPatternTest, TablesAreNamedByWhatIsLeftOrByThePattern) {
  struct Case {
    const char *pattern, *name, *table;
  };
  for (const Case& one : {Case{"persons-{yyyyMMdd}.csv", "persons-20260131.csv", "persons"},
                          Case{"{yyyyMMdd}_persons.csv", "20260131_persons.csv", "persons"},
                          Case{"ps_{yyyy-MM-dd}_v2.csv", "ps_2026-01-31_v2.csv", "ps_v2"},
                          Case{"persons.csv.{yyyyMMdd}", "persons.csv.20260131", "persons.csv"},
                          Case{"{table}_{yyyyMMddHHmm}.dat", "a_b_202601312359.dat", "a_b"},
                          Case{"x{d.M.yyyy}.csv", "x3.12.2026.csv", "x"}}) {
    const auto pattern = DropPattern::Parse(one.pattern);
    ASSERT_TRUE(pattern.ok()) << one.pattern << pattern.status();
    const auto found = pattern->Match(one.name);
    ASSERT_TRUE(found) << one.name;
    EXPECT_EQ(found->table, one.table);
  }
  const auto pattern = DropPattern::Parse("{table}-{yyyyMMdd}.csv");
  for (const char* name :
       {"persons-20260230.csv", "persons-2026013.csv", "-20260131.csv", "persons-20260131.csv.part",
        ".persons-20260131.csv", "a/persons-20260131.csv"})
    EXPECT_FALSE(pattern->Match(name)) << name;
  for (const char* wrong :
       {"persons.csv", "{yyyyMMdd}.csv", "a{yyyyMMdd}{yyyyMMdd}", "a{yyyy}.csv", "a{yyyyMMdd",
        "../{yyyyMMdd}", "{table}{table}{yyyyMMdd}", ".a{yyyyMMdd}"})
    EXPECT_FALSE(DropPattern::Parse(wrong).ok()) << wrong;
}

TEST_F(DropsTest, TheNewestByItsDateIsServedAndTheNextWithoutARestart) {
  Drop("persons-20260201.csv", "February");
  Drop("persons-20260101.csv", "January");
  Drop("cars-20251231.csv", "a car");
  const auto adapter = OpenDrops({{"pattern", "{table}-{yyyyMMdd}.csv"}});
  EXPECT_EQ(Names(*adapter).rows, Lines{"February"});
  EXPECT_EQ(Names(*adapter, "cars").rows, Lines{"a car"});
  EXPECT_EQ(ReasonOf(Names(*adapter, "boats").status), v1::REASON_SCHEMA_DRIFT);
  const auto described = adapter->Describe("", context_);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->size(), 2u);
  Drop("persons-20260301.csv", "March");
  EXPECT_EQ(Names(*adapter).rows, Lines{"March"});
  std::filesystem::remove(folder_.PathOf("persons-20260301.csv"));
  EXPECT_EQ(Names(*adapter).rows, Lines{"February"});
}

TEST_F(DropsTest, ReadersOfADropFinishOnItThoughItIsTakenAwayForTheNext) {
  folder_.Write("persons-20260101.csv", People(50'000));
  const auto adapter = OpenDrops({{"pattern", "persons-{yyyyMMdd}.csv"}});
  auto reader = *adapter->Scan(TextRequest("persons", {"id", "name"}), context_);
  ASSERT_TRUE(reader->Next().ok());
  folder_.Write("persons-20260102.csv", People(3));
  std::filesystem::remove(folder_.PathOf("persons-20260101.csv"));
  const ScannedTexts rest = Drain(*reader);
  EXPECT_TRUE(rest.status.ok()) << rest.status;
  EXPECT_EQ(rest.rows.back(), "50000,somebody");
  EXPECT_EQ(rest.version, DigestOf(People(50'000)));
  const ScannedTexts next = ScanAll(*adapter, TextRequest("persons", {"id"}), context_);
  EXPECT_EQ(next.rows.size(), 3u);
  EXPECT_EQ(next.version, DigestOf(People(3)));
}

TEST_F(DropsTest, AllFilesAreOneTableWithTheirNames) {
  folder_.Write("persons-20260102.csv", "name,id\nBen,2\n");
  folder_.Write("persons-20260101.csv", "id,name\n1,Ann\n9,Zoe\n");
  folder_.Write("persons-20260103.csv", "id,name\n");
  folder_.Write("persons-20260104.csv", "id,name\n3,Cem\n");
  const auto adapter = OpenDrops({{"pattern", "persons-{yyyyMMdd}.csv"},
                                  {"pick", "all"},
                                  {"file_name_column", "file"},
                                  {"key", "id"}});
  const Lines in_order = {"1,Ann,persons-20260101.csv", "9,Zoe,persons-20260101.csv",
                          "2,Ben,persons-20260102.csv", "3,Cem,persons-20260104.csv"};
  const ScannedTexts all =
      ScanAll(*adapter, TextRequest("persons", {"id", "name", "file"}), context_);
  EXPECT_EQ(all.rows, in_order) << all.status;
  Lines sorted = in_order;
  std::sort(sorted.begin(), sorted.end());
  const ScannedTexts keyed =
      ScanAll(*adapter, TextRequest("persons", {"id", "name", "file"}, 1), context_);
  EXPECT_EQ(keyed.rows, sorted) << keyed.status;
  std::string lines;
  for (int day = 1; day <= 4; ++day) {
    const std::string name = absl::StrCat("persons-2026010", day, ".csv");
    absl::StrAppend(&lines, DigestOf(folder_.Read(name)), "  ", name, "\n");
  }
  EXPECT_EQ(all.version, DigestOf(lines)) << "as sha256sum FILES | sha256sum";
  folder_.Write("persons-20260105.csv", "id,name\n4,Dan\n5\n");
  const absl::Status bad = ScanAll(*adapter, TextRequest("persons", {"id"}), context_).status;
  EXPECT_EQ(ReasonOf(bad), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_EQ(ErrorInfoOf(bad)->metadata().at("file"), "persons-20260105.csv");
  EXPECT_EQ(ErrorInfoOf(bad)->metadata().at("line"), "3");
  folder_.Write("persons-20260105.csv", "id,surname\n4,Dan\n");
  EXPECT_EQ(ReasonOf(ScanAll(*adapter, TextRequest("persons", {"id"}), context_).status),
            v1::REASON_SCHEMA_DRIFT);
}

TEST_F(DropsTest, AFileOfATableOfManyThatChangesEndsTheRead) {
  folder_.Write("persons-20260101.csv", People(50'000));
  folder_.Write("persons-20260102.csv", People(10));
  const auto adapter = OpenDrops(
      {{"pattern", "persons-{yyyyMMdd}.csv"}, {"pick", "all"}, {"file_name_column", "file"}});
  auto reader = *adapter->Scan(TextRequest("persons", {"id"}), context_);
  ASSERT_TRUE(reader->Next().ok());
  std::ofstream(folder_.PathOf("persons-20260102.csv"), std::ios::app) << "11,new\n";
  EXPECT_EQ(ReasonOf(Drain(*reader).status), v1::REASON_SOURCE_CHANGED);
}

TEST_F(DropsTest, ADropWithoutItsMarkerIsPassedOverAndSaidToBe) {
  Drop("persons-20260101.csv", "January");
  folder_.Write("persons-20260101.csv.done", "");
  Drop("persons-20260201.csv", "February");
  const auto adapter =
      OpenDrops({{"pattern", "persons-{yyyyMMdd}.csv"}, {"marker", "{name}.done"}});
  EXPECT_EQ(Names(*adapter).rows, Lines{"January"});
  EXPECT_TRUE(absl::StrContains(NoteOf(*adapter), "'persons-20260201.csv' is held back"));
  ASSERT_EQ(adapter->Notes().size(), 1u);
  EXPECT_TRUE(absl::StrContains(adapter->Notes()[0], "no marker"));
  folder_.Write("persons-20260201.csv.done", "");
  EXPECT_EQ(Names(*adapter).rows, Lines{"February"});
  EXPECT_TRUE(adapter->Notes().empty());
  std::filesystem::remove(folder_.PathOf("persons-20260201.csv.done"));
  std::filesystem::remove(folder_.PathOf("persons-20260101.csv.done"));
  EXPECT_EQ(HeldBy(Names(*adapter).status), "marker");
}

TEST_F(DropsTest, AChecksumThatDoesNotFitHoldsBack) {
  Drop("persons.csv", "Ann");
  const std::string digest = DigestOf(folder_.Read("persons.csv"));
  const auto adapter =
      OpenDrops({{"file", folder_.PathOf("persons.csv")}, {"checksum", "{name}.sha256"}});
  EXPECT_EQ(HeldBy(Names(*adapter).status), "checksum");
  for (const std::string& form :
       {digest, digest + "\n", digest + "  persons.csv\n", digest + " *persons.csv\n",
        std::string(64, 'a') + "  others.csv\n" + digest + "  ./persons.csv\n"}) {
    folder_.Write("persons.csv.sha256", form);
    EXPECT_EQ(Names(*adapter).rows, Lines{"Ann"}) << form;
  }
  for (const std::string& form : {std::string(64, 'a'), std::string("no digest\n"),
                                  digest + "  others.csv\n", digest.substr(1)}) {
    folder_.Write("persons.csv.sha256", form);
    EXPECT_EQ(HeldBy(Names(*adapter).status), "checksum") << form;
  }
}

TEST_F(DropsTest, ADropThatIsNotAtRestIsHeldBackUntilItIs) {
  Drop("persons.csv", "Ann");
  const auto patient = OpenDrops({{"settle", "1h"}});
  EXPECT_EQ(HeldBy(Names(*patient).status), "settle");
  const auto adapter = OpenDrops({{"settle", "1s"}});
  const auto begun = std::chrono::steady_clock::now();
  folder_.Write("persons.csv", "name\nBen\n");
  ScannedTexts scanned = Names(*adapter);
  EXPECT_EQ(HeldBy(scanned.status), "settle");
  while (!scanned.status.ok() &&
         std::chrono::steady_clock::now() - begun < std::chrono::seconds(20)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    scanned = Names(*adapter);
  }
  EXPECT_EQ(scanned.rows, Lines{"Ben"}) << scanned.status;
}

TEST_F(DropsTest, ADropThatShrinksTooMuchIsHeldBackUntilItIsAccepted) {
  const Settings settings = {
      {"file", folder_.PathOf("persons.csv")}, {"least_share", "50"}, {"most_share", "200"}};
  const auto count = [&](Adapter& adapter) {
    const ScannedTexts scanned = ScanAll(adapter, TextRequest("persons", {"id"}), context_);
    EXPECT_TRUE(scanned.status.ok()) << scanned.status;
    return scanned.rows.size();
  };
  folder_.Write("persons.csv", People(100));
  const auto adapter = OpenDrops(settings);
  EXPECT_EQ(count(*adapter), 100u);
  folder_.Write("persons.csv", People(49));
  EXPECT_EQ(count(*adapter), 100u) << "the one before is still open";
  EXPECT_TRUE(absl::StrContains(NoteOf(*adapter),
                                "it has 49 rows, the one served before 100 rows (least_share 50)"))
      << NoteOf(*adapter);
  folder_.Write("persons.csv", People(201));
  EXPECT_EQ(count(*adapter), 100u);
  EXPECT_TRUE(absl::StrContains(NoteOf(*adapter), "most_share 200"));
  folder_.Write("persons.csv", People(50));
  EXPECT_EQ(count(*adapter), 50u);
  EXPECT_EQ(NoteOf(*adapter), "");
  EXPECT_EQ((*adapter->Describe("persons", context_))[0].rows, 50);
  // What was served last is gone with the bytes.
  folder_.WriteInPlace("persons.csv", People(1));
  EXPECT_EQ(HeldBy(ScanAll(*adapter, TextRequest("persons", {"id"}), context_).status),
            "least_share");
  Settings accepting = settings;
  accepting["accept"] = DigestOf(People(1));
  EXPECT_EQ(count(*OpenDrops(accepting)), 1u);
}

TEST_F(DropsTest, WhatWasServedOutlastsTheProcessInItsFolder) {
  TestFolder state;
  const Settings settings = {
      {"pattern", "persons-{yyyyMMdd}.csv"}, {"least_share", "90"}, {"state_folder", state.path()}};
  folder_.Write("persons-20260101.csv", People(100));
  EXPECT_EQ(ScanAll(*OpenDrops(settings), TextRequest("persons", {"id"}), context_).rows.size(),
            100u);
  ASSERT_EQ(state.Names().size(), 1u);
  EXPECT_FALSE(absl::StrContains(state.Names()[0], "persons"));
  folder_.Write("persons-20260102.csv", People(10));
  const auto again = OpenDrops(settings);
  EXPECT_EQ(ScanAll(*again, TextRequest("persons", {"id"}), context_).rows.size(), 100u);
  EXPECT_TRUE(absl::StrContains(NoteOf(*again), "'persons-20260101.csv' is served"))
      << NoteOf(*again);
  // Without the folder the first that is seen is the first.
  Settings forgetful = settings;
  forgetful.erase("state_folder");
  EXPECT_EQ(ScanAll(*OpenDrops(forgetful), TextRequest("persons", {"id"}), context_).rows.size(),
            10u);
  state.Write(state.Names()[0], "{}");
  const absl::Status spoilt =
      ScanAll(*OpenDrops(settings), TextRequest("persons", {"id"}), context_).status;
  EXPECT_EQ(ReasonOf(spoilt), v1::REASON_SOURCE_UNAVAILABLE) << spoilt;
}

TEST_F(DropsTest, HowManyRowsThereAreIsKnownOnceTheyWereRead) {
  folder_.Write("persons.csv", People(7));
  folder_.Write("cars.csv", People(8));
  const auto adapter = OpenDrops({});
  const auto rows = [&](const char* table) {
    return (*adapter->Describe(table, context_))[0].rows;
  };
  EXPECT_EQ(rows("persons"), std::nullopt);
  ASSERT_TRUE(ScanAll(*adapter, TextRequest("persons", {"id"}), context_).status.ok());
  ASSERT_TRUE(ScanAll(*adapter, TextRequest("cars", {"id"}, 1), context_).status.ok());
  EXPECT_EQ(rows("persons"), 7);
  EXPECT_EQ(rows("cars"), 8);
  folder_.Write("persons.csv", People(9));
  EXPECT_EQ(rows("persons"), std::nullopt) << "another version";
}

TEST_F(DropsTest, LinksAndTricksAreNoDrops) {
  TestFolder secret;
  secret.Write("secret.csv", "name\nsecret\n");
  Drop("persons-20260101.csv", "January");
  std::filesystem::create_symlink(secret.PathOf("secret.csv"),
                                  folder_.PathOf("persons-20260201.csv"));
  std::filesystem::create_directory(folder_.PathOf("persons-20260301.csv"));
  const auto adapter = OpenDrops({{"pattern", "{table}-{yyyyMMdd}.csv"}});
  EXPECT_EQ(Names(*adapter).rows, Lines{"January"});
  EXPECT_TRUE(absl::StrContains(NoteOf(*adapter), "'persons-20260201.csv' is held back")) << "link";
  EXPECT_TRUE(absl::StrContains(NoteOf(*adapter), "symbolic link"));
  const auto whole = OpenDrops({});
  EXPECT_TRUE(absl::StrContains(Names(*whole, "persons-20260201").status.message(),
                                "symbolic link, which is not followed"));
  for (const char* table : {"../persons", "", ".", "..", "/etc/passwd"})
    EXPECT_FALSE(Names(*adapter, table).status.ok()) << table;
  std::filesystem::create_symlink(secret.PathOf("secret.csv"),
                                  folder_.PathOf("persons-20260101.csv.sha256"));
  const auto checked =
      OpenDrops({{"pattern", "{table}-{yyyyMMdd}.csv"}, {"checksum", "{name}.sha256"}});
  EXPECT_FALSE(Names(*checked).status.ok());
}

TEST(PlaceSettingsTest, AllMistakesAreNamedAtOnce) {
  struct Case {
    Settings settings;
    std::vector<const char*> says;
  };
  const std::string digest(64, 'a');
  for (const Case& one : {
           Case{{}, {"'file' is missing"}},
           Case{{{"file", "/a/b.csv"}, {"url", "sftp://u@h/"}}, {"'url' must not stand beside"}},
           Case{{{"folder", "/a"}, {"pick", "all"}, {"settle", "soon"}, {"marker", "done"}},
                {"'pick' is for a pattern", "'settle' must be a time", "'marker' must be how",
                 "'file_name_column' is missing"}},
           Case{{{"folder", "/a"}, {"pattern", "a.csv"}, {"suffix", ".csv"}},
                {"'pattern' must hold a date", "'suffix' must not stand beside pattern"}},
           Case{{{"folder", "/a"}, {"accept", digest}, {"most_unpacked_bytes", "5"}},
                {"'accept' is for least_share", "'most_unpacked_bytes' is for a compression"}},
           Case{{{"folder", "/a"}, {"password_file", "/p"}, {"host_key", "SHA256:x"}},
                {"'password_file' is for a url", "'host_key' must be as ssh-keygen"}},
           Case{{{"url", "sftp://u:secret@h/"}, {"password_file", "/p"}},
                {"'url' must hold no password", "'host_key' or known_hosts_file must say"}},
           Case{{{"url", "sftp://u@h/"}}, {"'private_key_file' or password_file must say"}},
           Case{{{"url", "https://h/folder/"}, {"client_key_file", "/k"}},
                {"'list' is missing", "'client_certificate_file' and client_key_file"}},
           Case{{{"url", "https://h/a%2fb.csv"}}, {"'url' must end in a file's name"}},
           Case{{{"url", "http://h/a.csv"}}, {"'url' must be such as"}},
           Case{{{"url", "file:///etc/passwd"}}, {"'url' must be such as"}},
           Case{{{"url", "sftp://h/a.csv"}}, {"must name the user"}},
       }) {
    const absl::Status status = CheckDelimitedSettings(one.settings);
    EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
    for (const char* words : one.says)
      EXPECT_TRUE(absl::StrContains(status.message(), words)) << status;
    EXPECT_FALSE(absl::StrContains(status.ToString(), "secret@"));
  }
}

}  // namespace
}  // namespace sluice::adapters::files
