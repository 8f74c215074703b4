#include "adapters/copybook/parser.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/copybook/picture.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::copybook {
namespace {

constexpr int kMostItems = 20'000;
constexpr int kMostDepth = 64;
constexpr int64_t kMostOccurs = 10'000'000;

const std::map<std::string, Usage, std::less<>>& Usages() {
  static const auto* const usages = new std::map<std::string, Usage, std::less<>>{
      {"DISPLAY", Usage::kDisplay},
      {"COMP", Usage::kBinary},
      {"COMPUTATIONAL", Usage::kBinary},
      {"COMP-0", Usage::kBinary},
      {"COMP-4", Usage::kBinary},
      {"COMPUTATIONAL-4", Usage::kBinary},
      {"BINARY", Usage::kBinary},
      {"COMP-5", Usage::kNative},
      {"COMPUTATIONAL-5", Usage::kNative},
      {"COMP-9", Usage::kLittleEndian},
      {"COMP-3", Usage::kPacked},
      {"COMPUTATIONAL-3", Usage::kPacked},
      {"PACKED-DECIMAL", Usage::kPacked},
      {"COMP-6", Usage::kPackedNoSign},
      {"COMPUTATIONAL-6", Usage::kPackedNoSign},
      {"COMP-1", Usage::kFloat},
      {"COMPUTATIONAL-1", Usage::kFloat},
      {"COMP-2", Usage::kDouble},
      {"COMPUTATIONAL-2", Usage::kDouble},
      {"NATIONAL", Usage::kNational},
      {"DISPLAY-1", Usage::kDbcs},
  };
  return *usages;
}

// Words of clauses: no name, where one may be left out.
bool IsClauseWord(const std::string& upper) {
  static const auto* const words = new std::set<std::string>{
      "PIC",    "PICTURE",   "REDEFINES", "OCCURS", "USAGE",    "SIGN",  "VALUE",
      "VALUES", "JUSTIFIED", "JUST",      "BLANK",  "EXTERNAL", "GLOBAL"};
  return words->contains(upper) || Usages().contains(upper);
}

// Clauses and statements that would change what the bytes mean, with what to do about each.
const std::map<std::string, std::string, std::less<>>& Refused() {
  static const auto* const refused = new std::map<std::string, std::string, std::less<>>{
      {"SYNC", "leave it out, and write the bytes that it skips as FILLER"},
      {"SYNCHRONIZED", "leave it out, and write the bytes that it skips as FILLER"},
      {"COPY", "put the text of the other copybook in its place"},
      {"REPLACE", "make the replacements in the copybook"},
      {"EXEC", "put the text of the included member in its place"},
      {"RENAMES", "leave the item out: it describes no bytes of its own"},
      {"POINTER", "describe its bytes as PIC X"},
      {"INDEX", "describe its bytes as PIC X"},
      {"COMP-X", "describe it as COMP-5, or its bytes as PIC X"},
      {"COMP-N", "describe it as COMP-5, or its bytes as PIC X"},
      {"GROUP-USAGE", "give each item its own usage"},
  };
  return *refused;
}

class Parser {
 public:
  explicit Parser(std::vector<Word> words) : words_(std::move(words)) {}

  absl::StatusOr<std::unique_ptr<Item>> Parse() {
    auto root = std::make_unique<Item>();
    last_ = root.get();
    while (at_ < words_.size()) {
      // A period by itself ends nothing.
      if (words_[at_].kind == Word::Kind::kPeriod) {
        ++at_;
        continue;
      }
      SLUICE_RETURN_IF_ERROR(TakeEntry());
    }
    if (root->items.empty())
      return absl::InvalidArgumentError("holds no item: is copybook_format right?");
    return root;
  }

 private:
  const Word* Peek() const {
    const bool there = at_ < words_.size() && words_[at_].kind == Word::Kind::kWord;
    return there ? &words_[at_] : nullptr;
  }
  bool Take(std::string_view upper) {
    const Word* const word = Peek();
    if (word == nullptr || word->upper != upper) return false;
    ++at_;
    return true;
  }
  bool TakeOneOf(std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [this](auto word) { return Take(word); });
  }
  int Line() const { return words_[std::min(at_, words_.size() - 1)].line; }
  // What follows a clause's word; an error where nothing does.
  absl::StatusOr<Word> Next(std::string_view clause) {
    const Word* const word = Peek();
    if (word == nullptr)
      return AtLine(Line(), absl::StrCat(View(clause), " is followed by nothing that it needs"));
    ++at_;
    return *word;
  }
  absl::StatusOr<int64_t> Number(std::string_view clause) {
    SLUICE_ASSIGN_OR_RETURN(const Word word, Next(clause));
    int64_t number = 0;
    if (!absl::SimpleAtoi(word.text, &number) || number < 0 || number > kMostOccurs)
      return AtLine(word.line, absl::StrCat(View(clause), " needs a whole number"));
    return number;
  }

  absl::Status TakeEntry() {
    const Word word = words_[at_];
    int level = 0;
    if (const auto refused = Refused().find(word.upper); refused != Refused().end())
      return AtLine(word.line, absl::StrCat(word.upper, " is not read: ", refused->second));
    if (!absl::SimpleAtoi(word.text, &level))
      return AtLine(word.line,
                    "an item begins with its level number: is a period missing before it, or is "
                    "copybook_format another?");
    ++at_;
    if (level == 88) return SkipEntry();
    if (level == 66)
      return AtLine(word.line,
                    "level 66 (RENAMES) is not read: leave the item out, it describes "
                    "no bytes of its own");
    if ((level < 1 || level > 49) && level != 77)
      return AtLine(word.line, "a level is a number from 01 to 49, 66, 77 or 88");
    if (++items_ > kMostItems)
      return AtLine(word.line, absl::StrCat("over ", kMostItems, " items, which is the most"));
    auto item = std::make_unique<Item>();
    item->level = level == 77 ? 1 : level;
    item->line = word.line;
    TakeName(*item);
    SLUICE_RETURN_IF_ERROR(TakeClauses(*item));
    return Attach(std::move(item));
  }

  // Names of conditions are documentation.
  absl::Status SkipEntry() {
    while (at_ < words_.size() && words_[at_].kind != Word::Kind::kPeriod) ++at_;
    return TakePeriod();
  }

  absl::Status TakePeriod() {
    if (at_ == words_.size() || words_[at_].kind != Word::Kind::kPeriod)
      return AtLine(Line(), "a period is missing at the end of the item");
    ++at_;
    return absl::OkStatus();
  }

  void TakeName(Item& item) {
    const Word* const word = Peek();
    if (word != nullptr && word->upper != "FILLER" && !IsClauseWord(word->upper)) {
      item.name = word->text;
      ++at_;
      return;
    }
    Take("FILLER");
    item.name = "FILLER";
    item.filler = true;
  }

  absl::Status TakeClauses(Item& item) {
    while (at_ < words_.size() && words_[at_].kind == Word::Kind::kWord)
      SLUICE_RETURN_IF_ERROR(TakeClause(item));
    return TakePeriod();
  }

  absl::Status TakeClause(Item& item) {
    const Word word = words_[at_++];
    if (const auto refused = Refused().find(word.upper); refused != Refused().end())
      return AtLine(word.line, absl::StrCat(word.upper, " is not read: ", refused->second));
    if (word.upper == "PIC" || word.upper == "PICTURE") return TakePicture(item);
    if (word.upper == "REDEFINES") {
      SLUICE_ASSIGN_OR_RETURN(const Word name, Next("REDEFINES"));
      item.redefines = name.upper;
      return absl::OkStatus();
    }
    if (word.upper == "OCCURS") return TakeOccurs(item);
    if (word.upper == "USAGE") {
      Take("IS");
      SLUICE_ASSIGN_OR_RETURN(const Word usage, Next("USAGE"));
      return TakeUsage(item, usage);
    }
    if (word.upper == "SIGN" || word.upper == "LEADING" || word.upper == "TRAILING")
      return TakeSign(item, word);
    if (word.upper == "VALUE" || word.upper == "VALUES") return SkipValues();
    if (word.upper == "JUSTIFIED" || word.upper == "JUST") {
      Take("RIGHT");
      return absl::OkStatus();
    }
    if (word.upper == "BLANK") {
      Take("WHEN");
      if (!TakeOneOf({"ZERO", "ZEROS", "ZEROES"}))
        return AtLine(word.line, "BLANK needs WHEN ZERO behind it");
      return absl::OkStatus();
    }
    if (word.upper == "EXTERNAL" || word.upper == "GLOBAL") return absl::OkStatus();
    if (Usages().contains(word.upper)) return TakeUsage(item, word);
    return AtLine(word.line, absl::StrCat("'", word.text,
                                          "' is no clause of an item: is a period missing, or is "
                                          "copybook_format another?"));
  }

  absl::Status TakePicture(Item& item) {
    Take("IS");
    SLUICE_ASSIGN_OR_RETURN(const Word word, Next("PIC"));
    auto picture = ParsePicture(word.text);
    if (!picture.ok())
      return AtLine(word.line, absl::StrCat("PIC ", word.text, " ", picture.status().message()));
    item.picture = *std::move(picture);
    return absl::OkStatus();
  }

  absl::Status TakeUsage(Item& item, const Word& word) {
    const auto usage = Usages().find(word.upper);
    if (const auto refused = Refused().find(word.upper); refused != Refused().end())
      return AtLine(word.line, absl::StrCat(word.upper, " is not read: ", refused->second));
    if (usage == Usages().end())
      return AtLine(word.line, absl::StrCat("USAGE ", word.text,
                                            " is not known: describe its bytes as PIC X"));
    item.usage = usage->second;
    usage_stated_.insert(&item);
    return absl::OkStatus();
  }

  absl::Status TakeSign(Item& item, const Word& word) {
    bool leading = word.upper == "LEADING";
    if (word.upper == "SIGN") {
      Take("IS");
      leading = Take("LEADING");
      if (!leading && !Take("TRAILING")) return AtLine(word.line, "SIGN needs LEADING or TRAILING");
    }
    const bool separate = Take("SEPARATE");
    if (separate) Take("CHARACTER");
    item.sign = separate  ? (leading ? SignPlace::kLeadingSeparate : SignPlace::kTrailingSeparate)
                : leading ? SignPlace::kLeading
                          : SignPlace::kTrailing;
    item.sign_stated = true;
    return absl::OkStatus();
  }

  absl::Status TakeOccurs(Item& item) {
    const int line = Line();
    Occurs occurs;
    SLUICE_ASSIGN_OR_RETURN(occurs.most, Number("OCCURS"));
    occurs.least = occurs.most;
    const bool range = Take("TO");
    if (range) {
      SLUICE_ASSIGN_OR_RETURN(occurs.most, Number("OCCURS … TO"));
    }
    Take("TIMES");
    for (;;) {
      if (Take("DEPENDING")) {
        Take("ON");
        SLUICE_ASSIGN_OR_RETURN(const Word name, Next("DEPENDING ON"));
        occurs.depends_on = {name.upper};
        while (TakeOneOf({"OF", "IN"})) {
          SLUICE_ASSIGN_OR_RETURN(const Word outer, Next("OF"));
          occurs.depends_on.push_back(outer.upper);
        }
        if (!range) occurs.least = 0;
      } else if (TakeOneOf({"ASCENDING", "DESCENDING"})) {
        Take("KEY");
        Take("IS");
        SkipNames();
      } else if (Take("INDEXED")) {
        Take("BY");
        SkipNames();
      } else {
        break;
      }
    }
    if (range && occurs.depends_on.empty())
      return AtLine(line, "OCCURS … TO needs DEPENDING ON: what says how many there are?");
    if (occurs.most < 1 || occurs.least > occurs.most)
      return AtLine(line, "OCCURS needs a number above 0, the larger one behind TO");
    item.occurs = std::move(occurs);
    return absl::OkStatus();
  }

  static bool EndsNames(const std::string& upper) {
    return IsClauseWord(upper) || upper == "DEPENDING" || upper == "ASCENDING" ||
           upper == "DESCENDING" || upper == "INDEXED" || upper == "LEADING" ||
           upper == "TRAILING" || Refused().contains(upper);
  }
  void SkipNames() {
    while (Peek() != nullptr && !EndsNames(Peek()->upper)) ++at_;
  }
  absl::Status SkipValues() {
    while (at_ < words_.size() && words_[at_].kind != Word::Kind::kPeriod &&
           !(Peek() != nullptr && EndsNames(Peek()->upper)))
      ++at_;
    return absl::OkStatus();
  }

  // Under the nearest item before it whose level is lower.
  absl::Status Attach(std::unique_ptr<Item> item) {
    Item* parent = last_;
    while (parent->level >= item->level) parent = parent->parent;
    int depth = 0;
    for (const Item* outer = parent; outer != nullptr; outer = outer->parent) ++depth;
    if (depth > kMostDepth)
      return AtLine(item->line, absl::StrCat("over ", kMostDepth, " groups within one another"));
    if (parent->picture)
      return AtLine(item->line, absl::StrCat("lies in '", parent->name, "' (line ", parent->line,
                                             "), which has a PIC: look at the level numbers"));
    item->parent = parent;
    if (usage_stated_.contains(parent) && !usage_stated_.contains(item.get())) {
      item->usage = parent->usage;
      usage_stated_.insert(item.get());
    }
    if (!item->sign_stated) item->sign = parent->sign;
    last_ = item.get();
    parent->items.push_back(std::move(item));
    return absl::OkStatus();
  }

  const std::vector<Word> words_;
  size_t at_ = 0;
  Item* last_ = nullptr;
  int items_ = 0;
  std::set<const Item*> usage_stated_;
};

absl::Status CheckElementary(Item& item) {
  const bool floating = item.usage == Usage::kFloat || item.usage == Usage::kDouble;
  if (!item.picture) {
    if (floating) return absl::OkStatus();
    return AtLine(item.line,
                  absl::StrCat("'", item.name, "' has neither a PIC nor items below it"));
  }
  if (floating) return AtLine(item.line, "COMP-1 and COMP-2 have no PIC: leave one of the two out");
  const Picture& picture = *item.picture;
  if (picture.kind == Picture::Kind::kNational && item.usage == Usage::kDisplay)
    item.usage = Usage::kNational;
  if (picture.kind == Picture::Kind::kDbcs) item.usage = Usage::kDbcs;
  const bool wide = item.usage == Usage::kNational || item.usage == Usage::kDbcs;
  const bool wide_picture =
      picture.kind == Picture::Kind::kNational || picture.kind == Picture::Kind::kDbcs;
  if (wide != wide_picture)
    return AtLine(item.line, absl::StrCat("PIC ", picture.text, " does not go with its usage"));
  if (item.usage == Usage::kDisplay || wide) return absl::OkStatus();
  if (picture.kind != Picture::Kind::kNumber || picture.point)
    return AtLine(item.line, absl::StrCat("PIC ", picture.text,
                                          " does not go with its usage: it needs one of 9, S, V "
                                          "and P"));
  if (item.usage == Usage::kPackedNoSign && picture.is_signed)
    return AtLine(item.line, "COMP-6 has no sign: leave out S or the usage");
  return absl::OkStatus();
}

absl::Status CheckItems(Item& item) {
  for (const auto& inner : item.items) {
    if (!inner->group()) SLUICE_RETURN_IF_ERROR(CheckElementary(*inner));
    SLUICE_RETURN_IF_ERROR(CheckItems(*inner));
  }
  return absl::OkStatus();
}

// What is redefined stands before, at the same level, in the same group.
absl::Status CheckRedefines(const Item& item) {
  for (size_t i = 0; i < item.items.size(); ++i) {
    const Item& inner = *item.items[i];
    if (!inner.redefines.empty()) {
      const bool found = std::any_of(
          item.items.begin(), item.items.begin() + static_cast<int64_t>(i),
          [&](const auto& one) { return absl::AsciiStrToUpper(one->name) == inner.redefines; });
      if (!found)
        return AtLine(inner.line, absl::StrCat("REDEFINES ", inner.redefines,
                                               " names no item before it at the same level"));
      if (inner.occurs && !inner.occurs->depends_on.empty())
        return AtLine(inner.line, "REDEFINES does not go with OCCURS DEPENDING ON");
    }
    SLUICE_RETURN_IF_ERROR(CheckRedefines(inner));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Item::Type() const {
  if (group()) return "group";
  std::string type = picture ? "PIC " + picture->text : "";
  const auto add = [&](const char* words) {
    absl::StrAppend(&type, type.empty() ? "" : " ", words);
  };
  switch (usage) {
    case Usage::kBinary:
      add("COMP");
      break;
    case Usage::kNative:
      add("COMP-5");
      break;
    case Usage::kLittleEndian:
      add("COMP-9");
      break;
    case Usage::kPacked:
      add("COMP-3");
      break;
    case Usage::kPackedNoSign:
      add("COMP-6");
      break;
    case Usage::kFloat:
      add("COMP-1");
      break;
    case Usage::kDouble:
      add("COMP-2");
      break;
    case Usage::kDisplay:
    case Usage::kNational:
    case Usage::kDbcs:
      break;
  }
  if (usage != Usage::kDisplay || !picture || picture->kind != Picture::Kind::kNumber) return type;
  if (sign == SignPlace::kLeading) add("SIGN LEADING");
  if (sign == SignPlace::kLeadingSeparate) add("SIGN LEADING SEPARATE");
  if (sign == SignPlace::kTrailingSeparate) add("SIGN TRAILING SEPARATE");
  return type;
}

absl::StatusOr<std::unique_ptr<Item>> ParseCopybook(std::string_view text, ReferenceFormat format) {
  SLUICE_ASSIGN_OR_RETURN(auto words, Scan(text, format));
  if (words.empty()) return absl::InvalidArgumentError("holds no item: is copybook_format right?");
  SLUICE_ASSIGN_OR_RETURN(auto root, Parser(std::move(words)).Parse());
  SLUICE_RETURN_IF_ERROR(CheckItems(*root));
  SLUICE_RETURN_IF_ERROR(CheckRedefines(*root));
  return root;
}

}  // namespace sluice::adapters::copybook
