#include "gateway/audit/subjects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "gateway/audit/record_testing.h"
#include "gateway/base/cases_testing.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {
namespace {

constexpr Micros k2026 = 1'790'000'000 * kSecond;
const char kRootHex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Case {
  const char* type;
  const char* raw;
  const char* text;
  bool valid;
};

TEST(Canonical, GivesOneFormToAllSpellings) {
  const Case cases[] = {
      // GB 11643: the standard's own examples, then spellings of the first.
      {"CN-RID", "11010519491231002X", "11010519491231002X", true},
      {"CN-RID", "440524188001010014", "440524188001010014", true},
      {"CN-RID", "11010519491231002x", "11010519491231002X", true},
      {"CN-RID", " 110105 19491231 002X\n", "11010519491231002X", true},
      {"CN-RID", "110105-19491231-002X", "11010519491231002X", true},
      {"CN-RID", "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X", true},
      {"CN-RID", "１１０１０５　１９４９１２３１－００２ｘ", "11010519491231002X", true},
      {"CN-RID",
       "110105\xc2\xa0"
       "19491231\xe2\x80\x93"
       "002X",
       "11010519491231002X", true},
      {"CN-RID", "110105491231002", "11010519491231002X", true},
      {"CN-RID", "110105 491231 002", "11010519491231002X", true},
      {"CN-RID", "330106200002290010", "330106200002290010", true},  // a leap day
      // One digit wrong, two swapped, a wrong check character, no such day, other lengths.
      {"CN-RID", "11010519491231003X", "11010519491231003X", false},
      {"CN-RID", "11010519491213002X", "11010519491213002X", false},
      {"CN-RID", "110105194912310021", "110105194912310021", false},
      {"CN-RID", "330106190002290014", "330106190002290014", false},
      {"CN-RID", "01010519491231002X", "01010519491231002X", false},
      {"CN-RID", "11010549123100", "11010549123100", false},
      {"CN-RID", "110105491331002", "110105491331002", false},
      {"CN-RID", "11010549123100x", "11010549123100X", false},
      {"CN-RID", "护照 e123", "护照 E123", false},
      {"CN-RID", "", "", false},
      {"CN-RID", " - ", "-", false},
      // GB 32100: the standard's own example.
      {"CN-USCC", "91350100M000100Y43", "91350100M000100Y43", true},
      {"CN-USCC", "91350100m000100y43", "91350100M000100Y43", true},
      {"CN-USCC", "９１３５０１００Ｍ０００１００Ｙ４３", "91350100M000100Y43", true},
      {"CN-USCC", "91 350100 M000100Y4 3", "91350100M000100Y43", true},
      {"CN-USCC", "11100000MB0000000P", "11100000MB0000000P", true},
      {"CN-USCC", "91350100M000100Y44", "91350100M000100Y44", false},
      {"CN-USCC", "91350100M000100I43", "91350100M000100I43", false},
      {"CN-USCC", "9135O100M000100Y43", "9135O100M000100Y43", false},
      {"CN-USCC", "91350100M000100Y4", "91350100M000100Y4", false},
      {"CN-PASSPORT", "e 1234 5678", "E12345678", true},
      {"CN-PASSPORT", "ｅａ1234567", "EA1234567", true},
      {"CN-PASSPORT", "141234567", "141234567", true},
      {"CN-PASSPORT", "E1234567", "E1234567", false},
      {"CN-PASSPORT", "e1234 567", "E1234 567", false},
      {"CN-PASSPORT", "E-12345678", "E-12345678", false},
      {"TEXT", "  Ma\xc3\x9f\xc2\xa0", "MASS", true},
      {"TEXT", "\xe3\x80\x80王　小明\xe3\x80\x80", "王 小明", true},
      {"TEXT", "ＡＢＣ－１２３", "ABC-123", true},
      {"TEXT", "ﾃｽﾄ", "テスト", true},
      {"TEXT", "㈱", "(株)", true},
      {"TEXT", "e\xcc\x81", "É", true},
      {"TEXT", "zero\xe2\x80\x8bwidth", "ZEROWIDTH", true},
      {"TEXT", " \t\r\n", "", false},
      {"TEXT", "\xe3\x80\x80\xc2\xa0", "", false},
      {"TEXT", " bad\xff\xfe ", "BAD\xff\xfe", false},  // not UTF-8
      {"TEXT", "cut\xe7\x8e", "CUT\xe7\x8e", false},
      {"UNHEARD-OF", " abc ", "ABC", false},
  };
  for (const Case& c : cases) {
    const CanonicalId id = Canonical(c.type, c.raw);
    EXPECT_EQ(id.text, c.text) << c.type << " \"" << c.raw << '"';
    EXPECT_EQ(id.valid, c.valid) << c.type << " \"" << c.raw << '"';
    EXPECT_EQ(Canonical(c.type, id.text).text, id.text) << "not final: " << c.raw;
  }
}

TEST(Canonical, HoldsForEverySingleWrongCharacter) {
  // MOD 11-2 finds every single substitution, MOD 31 over GB 32100 as well.
  const std::string alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  for (const auto& [type, good] : {std::pair("CN-RID", std::string("11010519491231002X")),
                                   std::pair("CN-USCC", std::string("91350100M000100Y43"))}) {
    for (size_t i = 0; i < good.size(); ++i) {
      for (char c : alphabet) {
        std::string wrong = good;
        wrong[i] = c;
        EXPECT_EQ(Canonical(type, wrong).valid, wrong == good) << type << ' ' << wrong;
      }
    }
  }
}

TEST(Canonical, IsFinalForEveryCharacter) {
  // One code point beside a letter that accents may combine with.
  for (uint32_t c = 1; c < 0x30000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string raw = "x";
    if (c < 0x80) {
      raw += static_cast<char>(c);
    } else if (c < 0x800) {
      raw += {static_cast<char>(0xc0 | (c >> 6)), static_cast<char>(0x80 | (c & 63))};
    } else if (c < 0x10000) {
      raw += {static_cast<char>(0xe0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 63)),
              static_cast<char>(0x80 | (c & 63))};
    } else {
      raw += {static_cast<char>(0xf0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 63)),
              static_cast<char>(0x80 | ((c >> 6) & 63)), static_cast<char>(0x80 | (c & 63))};
    }
    const std::string once = Canonical("TEXT", raw).text;
    ASSERT_EQ(Canonical("TEXT", once).text, once) << std::hex << "U+" << c;
  }
}

TEST(Canonical, TreatsAsciiAsItTreatsUnicode) {
  // ASCII takes a short way. A CJK character behind it takes the long one.
  for (int a = 0; a < 128; ++a) {
    const std::string raw = std::string("q") + static_cast<char>(a) + "r";
    EXPECT_EQ(Canonical("TEXT", raw + "王").text, Canonical("TEXT", raw).text + "王") << a;
  }
}

class PseudonymsTest : public ::testing::Test {
 protected:
  Pseudonyms names_{*HexDecode(kRootHex)};
};

TEST_F(PseudonymsTest, FollowTheFormat) {
  // Spelt out from docs/formats/subjects.md, by primitives alone.
  const std::string root = *HexDecode(kRootHex);
  const auto subject = names_.ForSubject("CN-RID", "110105491231002", k2026);
  EXPECT_EQ(subject.id_type(), "CN-RID");
  EXPECT_EQ(subject.key_year(), 2026);
  const auto named = [&](const char* label, std::string_view message) {
    return std::string(AsBytes(HmacSha256(Hkdf(root, label, 32), message)).substr(0, 16));
  };
  EXPECT_EQ(subject.pseudonym(), named("sluice/subject/v1/2026/CN-RID", "11010519491231002X"));
  EXPECT_EQ(names_.ForMask("tax", "civil/persons.id_number", "11010519491231002X"),
            named("sluice/mask/v1/tax/civil/persons.id_number", "11010519491231002X"));
  EXPECT_EQ(names_.ForParameter("persons", "v"),
            named("sluice/parameter/v1", std::string("persons\0v", 9)));
  EXPECT_EQ(names_.ForRequest("bytes"), named("sluice/request/v1", "bytes"));
  EXPECT_EQ(names_.DeriveKey("page"), Hkdf(root, "sluice/key/v1/page", 32));
}

TEST_F(PseudonymsTest, AreAsTheDocumentSays) {
  const std::string page = ReadSourceFile("docs/formats/subjects.md");
  const auto says = [&](const std::string& bytes) {
    EXPECT_THAT(page, ::testing::HasSubstr(HexEncode(bytes)));
  };
  EXPECT_THAT(page, ::testing::HasSubstr(kRootHex));
  says(names_.ForSubject("CN-RID", "11010519491231002X", k2026).pseudonym());
  says(names_.ForSubject("CN-RID", "11010519491231002X", k2026 + 366 * kDay).pseudonym());
  says(names_.ForSubject("CN-USCC", "91350100M000100Y43", k2026).pseudonym());
  says(names_.ForSubject("TEXT", "王　小明", k2026).pseudonym());
  says(names_.ForMask("tax", "CN-RID", "11010519491231002X"));
  says(names_.ForParameter("persons", "value"));
  says(names_.ForRequest("request"));
}

TEST_F(PseudonymsTest, MeetForOnePersonAndDifferForAllElse) {
  const auto name = [&](const char* type, const char* raw, Micros now) {
    return names_.ForSubject(type, raw, now).pseudonym();
  };
  const std::string one = name("CN-RID", "11010519491231002X", k2026);
  EXPECT_EQ(one.size(), 16u);
  EXPECT_EQ(name("CN-RID", "１１０１０５ ４９１２３１ ００２", k2026), one);
  std::set<std::string> all = {
      one,
      name("CN-RID", "440524188001010014", k2026),
      name("TEXT", "11010519491231002X", k2026),
      name("UNHEARD-OF", "11010519491231002X", k2026),
      name("CN-RID", "11010519491231002X", k2026 + 366 * kDay),
      names_.ForMask("tax", "CN-RID", "11010519491231002X"),
      names_.ForMask("police", "CN-RID", "11010519491231002X"),
      names_.ForMask("tax", "TEXT", "11010519491231002X"),
      names_.ForParameter("CN-RID", "11010519491231002X"),
      names_.ForParameter("", "11010519491231002X"),
      names_.ForRequest("11010519491231002X"),
      names_.DeriveKey("11010519491231002X"),
      Pseudonyms(std::string(32, 'k'))
          .ForSubject("CN-RID", "11010519491231002X", k2026)
          .pseudonym(),
  };
  EXPECT_EQ(all.size(), 13u);
  // What the key was is part of no output.
  for (const std::string& bytes : all)
    EXPECT_EQ(HexEncode(bytes).find("31313031"), std::string::npos);
}

TEST_F(PseudonymsTest, TakeANewKeyAtNewYearInUtc) {
  Micros new_year = 0;
  ASSERT_TRUE(ParseTime("2027-01-01T00:00:00Z", &new_year));
  EXPECT_EQ(names_.ForSubject("TEXT", "x", new_year - 1).key_year(), 2026);
  EXPECT_EQ(names_.ForSubject("TEXT", "x", new_year).key_year(), 2027);
}

TEST_F(PseudonymsTest, AreMadeForYearsOutsideOfTheTableToo) {
  for (const auto& [time, label] :
       {std::pair("1999-12-31T23:59:59Z", "sluice/subject/v1/1999/TEXT"),
        std::pair("2000-01-01T00:00:00Z", "sluice/subject/v1/2000/TEXT"),
        std::pair("2099-12-31T23:59:59Z", "sluice/subject/v1/2099/TEXT"),
        std::pair("2100-01-01T00:00:00Z", "sluice/subject/v1/2100/TEXT"),
        std::pair("1969-12-31T23:59:59Z", "sluice/subject/v1/1969/TEXT")}) {
    Micros now = 0;
    ASSERT_TRUE(ParseTime(time, &now));
    const std::string key = Hkdf(*HexDecode(kRootHex), label, 32);
    EXPECT_EQ(names_.ForSubject("TEXT", "x", now).pseudonym(),
              AsBytes(HmacSha256(key, "X")).substr(0, 16))
        << time;
  }
}

TEST_F(PseudonymsTest, AnswerManyThreadsAlike) {
  std::vector<std::thread> threads;
  std::vector<std::vector<std::string>> seen(4);
  for (size_t t = 0; t < seen.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        seen[t].push_back(names_.ForMask("agency" + std::to_string(i % 20), "CN-RID", "v"));
        seen[t].push_back(names_.ForSubject("CN-RID", std::to_string(i), k2026).pseudonym());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& one : seen) EXPECT_EQ(one, seen[0]);
}

class RootKeyFileTest : public ::testing::Test {
 protected:
  absl::Status Open(const std::string& text, int mode = 0600) {
    const std::string path = folder_.path() + "/subject.key";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    auto names = Pseudonyms::FromFile(path, *files_);
    if (names.ok()) {
      EXPECT_EQ((*names)->ForRequest("x"), Pseudonyms(*HexDecode(kRootHex)).ForRequest("x"));
    }
    return names.status();
  }
  TestFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

TEST_F(RootKeyFileTest, IsOneLineThatItsOwnerAloneReads) {
  const std::string hex = kRootHex;
  EXPECT_TRUE(Open(hex).ok());
  EXPECT_TRUE(Open(hex + "\n").ok());
  EXPECT_TRUE(Open(hex + "\n", 0400).ok());
  for (const std::string& bad : {std::string(), std::string("\n"), hex.substr(1), hex + "0",
                                 hex + "\n\n", hex + "\n" + hex + "\n", " " + hex, hex + "\r\n",
                                 hex.substr(0, 63) + "g", std::string(1 << 20, 'a')}) {
    const absl::Status status = Open(bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.substr(0, 80);
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("subject.key"));
    EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr("0405")));
  }
  for (int mode : {0640, 0604, 0660, 0610, 0666}) {
    const absl::Status status = Open(hex, mode);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << std::oct << mode;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("chmod 600"));
  }
  EXPECT_TRUE(absl::IsNotFound(Pseudonyms::FromFile(folder_.path() + "/none", *files_).status()));
  EXPECT_FALSE(Pseudonyms::FromFile(folder_.path(), *files_).ok());
}

}  // namespace
}  // namespace sluice::audit
