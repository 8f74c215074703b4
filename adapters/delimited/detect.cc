#include "adapters/delimited/detect.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/delimited/detect_encoding.h"
#include "adapters/delimited/rows.h"
#include "adapters/delimited/splitter.h"
#include "adapters/files/guess_type.h"

namespace sluice::adapters::delimited {
namespace {

using Record = std::vector<std::string>;

constexpr std::array<std::pair<char, const char*>, 4> kSeparators = {
    {{',', "comma"}, {';', "semicolon"}, {'\t', "tab"}, {'|', "bar"}}};
constexpr size_t kMostTitle = 20;  // lines before a header
constexpr std::array<const char*, 7> kNullWords = {"NULL", "null", "\\N", "N/A", "NA", "n/a", "-"};

// The text cut up in one way.
struct Cut {
  Dialect dialect;
  const char* separator = "";
  std::vector<Record> records;
  std::vector<bool> blank;
  size_t width = 1;     // fields of most records
  size_t fitting = 0;   // records with so many
  size_t counted = 0;   // records, without blank ones
  size_t mistakes = 0;  // records that were none
  bool better_than(const Cut& other) const {
    if ((width > 1) != (other.width > 1)) return width > 1;
    const size_t left = fitting * other.counted, right = other.fitting * counted;
    if (mistakes != other.mistakes) return mistakes < other.mistakes;
    return left != right ? left > right : width > other.width;
  }
};

Record FieldsOf(const Splitter& splitter, std::string_view bytes, const Dialect& dialect) {
  Record record;
  std::string scratch;
  for (const FieldSpan& span : splitter.fields()) {
    const std::string_view raw = bytes.substr(span.begin, span.end - span.begin);
    record.emplace_back(span.escaped ? Unescaped(raw, span.quoted, dialect, scratch) : raw);
  }
  return record;
}

void Count(Cut& cut) {
  std::map<size_t, size_t> widths;
  for (size_t i = 0; i < cut.records.size(); ++i)
    if (!cut.blank[i]) ++widths[cut.records[i].size()], ++cut.counted;
  for (const auto& [width, count] : widths)
    if (count > cut.fitting) cut.width = width, cut.fitting = count;
}

Cut CutBy(std::string_view text, bool whole, const Dialect& dialect) {
  Cut cut{.dialect = dialect};
  Splitter splitter(dialect);
  while (!text.empty() && cut.records.size() < kSampleRecords) {
    splitter.Begin();
    const auto result = splitter.Split(text, true);
    if (result == Splitter::Result::kBad) {
      ++cut.mistakes;
      const size_t end = text.find('\n');
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
      continue;
    }
    if (result != Splitter::Result::kRecord) break;
    // What the sample's end may have cut is left out.
    if (!whole && splitter.size() >= text.size()) break;
    cut.records.push_back(FieldsOf(splitter, text, dialect));
    cut.blank.push_back(splitter.blank());
    text.remove_prefix(splitter.size());
  }
  Count(cut);
  return cut;
}

LineEnds LineEndsOf(std::string_view text) {
  size_t lf = 0, crlf = 0, cr = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ++(i > 0 && text[i - 1] == '\r' ? crlf : lf);
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) ++cr;
  }
  if (cr > lf + crlf) return lf + crlf == 0 ? LineEnds::kCr : LineEnds::kAny;
  return LineEnds::kLfOrCrLf;
}

Cut BestCut(std::string_view text, bool whole) {
  Dialect dialect;
  dialect.line_ends = LineEndsOf(text);
  dialect.needs_last_line_end = false;
  std::optional<Cut> best;
  for (const auto& [separator, name] : kSeparators) {
    dialect.separator = separator;
    for (const char quote : {'"', '\''}) {
      dialect.quote = quote;
      dialect.backslash = dialect.stray_quotes = false;
      for (const auto& [backslash, stray] :
           {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
        dialect.backslash = backslash;
        dialect.stray_quotes = stray;
        Cut cut = CutBy(text, whole, dialect);
        cut.separator = name;
        if (!best || cut.better_than(*best)) best = std::move(cut);
        if (best->mistakes == 0 && !backslash && !stray) break;
      }
    }
  }
  return *std::move(best);
}

class Detection {
 public:
  Detection(std::string_view sample, bool whole, const DelimitedSettings& current)
      : whole_(whole), current_(current), guess_(GuessEncoding(sample, whole)) {}

  std::vector<Proposal> Run() {
    if (guess_.encoding != current_.dialect.encoding)
      Add("encoding", guess_.name,
          guess_.because + (guess_.encoding ? "" : "; this kind does not read that"));
    if (guess_.text.empty()) return found_;
    cut_ = BestCut(guess_.text, whole_);
    Form();
    FindTitle();
    FindHeader();
    Types();
    return std::move(found_);
  }

 private:
  void Add(std::string setting, std::string value, std::string because) {
    found_.push_back({std::move(setting), std::move(value), std::move(because)});
  }

  std::string Fitting() const {
    return absl::StrCat(cut_.fitting, " of ", cut_.counted, " records have ", cut_.width,
                        " fields");
  }

  // How records and fields are told apart.
  void Form() {
    const Dialect& now = current_.dialect;
    const Dialect& dialect = cut_.dialect;
    if (cut_.width > 1 && dialect.separator != now.separator)
      Add("separator", cut_.separator, Fitting());
    if (dialect.quote != now.quote && dialect.quote == '\'')
      Add("quote", "single", "records fit better so than with double ones");
    if (dialect.backslash && !now.backslash)
      Add("escape", "backslash", "quotes stand behind backslashes");
    if (dialect.stray_quotes && !now.stray_quotes)
      Add("stray_quotes", "keep", "quotes stand inside fields that do not begin with one");
    if (dialect.line_ends == LineEnds::kCr && now.line_ends != LineEnds::kCr)
      Add("line_ends", "cr", "lines end in CR alone");
    if (dialect.line_ends == LineEnds::kAny && now.line_ends != LineEnds::kAny)
      Add("line_ends", "any", "some lines end in CR alone");
    const char last = guess_.text.back();
    if (whole_ && last != '\n' && last != '\r' && now.needs_last_line_end)
      Add("last_line_end", "optional", "the last line has none: it is whole only if you know so");
    const bool blanks = std::find(cut_.blank.begin(), cut_.blank.end(), true) != cut_.blank.end();
    if (blanks && cut_.width > 1 && !now.skips_blank_lines)
      Add("blank_lines", "skip", "there are some");
    const bool trailing =
        cut_.width > 1 &&
        std::all_of(cut_.records.begin(), cut_.records.end(), [&](const Record& record) {
          return record.size() < cut_.width || record.back().empty();
        });
    if (trailing && !now.drops_trailing_separator && cut_.counted > 1)
      Add("trailing_separator", "drop", "every record ends in a separator");
  }

  // Lines before the header that have another form.
  void FindTitle() {
    while (first_ < cut_.records.size() && first_ < kMostTitle &&
           cut_.records[first_].size() != cut_.width)
      ++first_;
    if (first_ == kMostTitle || first_ == cut_.records.size()) first_ = 0;
    if (first_ > 0 && current_.dialect.skip_lines == 0)
      Add("skip_lines", absl::StrCat(first_),
          "the first lines have not as many fields as the others");
  }

  void FindHeader() {
    if (first_ >= cut_.records.size()) return;
    const Record& first = cut_.records[first_];
    const std::set<std::string> names(first.begin(), first.end());
    const bool could_be = names.size() == first.size() && !names.contains("") &&
                          std::none_of(first.begin(), first.end(), [](const std::string& name) {
                            return files::GuessType({name}).has_value();
                          });
    has_header_ = could_be;
    if (could_be && !current_.dialect.header)
      Add("header", "yes", "the first record has names, each once, and neither numbers nor dates");
    if (!could_be && current_.dialect.header)
      Add("header", "no",
          "the first record has numbers, dates, nothing or the same twice; columns names them");
  }

  void Types() {
    const Record* const names =
        has_header_ && first_ < cut_.records.size() ? &cut_.records[first_] : nullptr;
    for (size_t column = 0; column < cut_.width && column < kMostColumns; ++column) {
      std::vector<std::string> values;
      std::set<std::string> words;
      for (size_t i = first_ + (names != nullptr ? 1 : 0); i < cut_.records.size(); ++i) {
        const Record& record = cut_.records[i];
        if (record.size() != cut_.width || record[column].empty()) continue;
        const bool word =
            std::find(kNullWords.begin(), kNullWords.end(), record[column]) != kNullWords.end();
        if (word) {
          words.insert(record[column]);
        } else {
          values.push_back(record[column]);
        }
      }
      const std::string name =
          names != nullptr ? (*names)[column] : absl::StrCat("column", column + 1);
      const auto guess = files::GuessType(values);
      if (!guess) continue;
      const std::string as = current_.dialect.header || current_.columns.size() <= column
                                 ? name
                                 : current_.columns[column];
      Add("field " + as, guess->type, guess->because);
      if (!guess->setting.empty())
        Add(absl::StrCat(guess->setting, ".", as), guess->value, "for it");
      const auto& known = current_.nulls.words;
      for (const std::string& null : words)
        if (std::find(known.begin(), known.end(), null) == known.end()) null_words_.insert(null);
    }
    if (!null_words_.empty())
      Add("null_words", absl::StrJoin(null_words_, ","),
          "they stand where other values are numbers or dates");
  }

  const bool whole_;
  const DelimitedSettings& current_;
  const EncodingGuess guess_;
  Cut cut_;
  size_t first_ = 0;  // the header's record, or the first row's
  bool has_header_ = false;
  std::set<std::string> null_words_;
  std::vector<Proposal> found_;
};

}  // namespace

std::vector<Proposal> Detect(std::string_view sample, bool whole,
                             const DelimitedSettings& current) {
  return Detection(sample, whole, current).Run();
}

std::vector<std::string> Sentences(const std::vector<Proposal>& proposals) {
  std::vector<std::string> sentences;
  for (const Proposal& proposal : proposals)
    sentences.push_back(
        absl::StrCat(proposal.setting, ": ", proposal.value, " (", proposal.because, ")"));
  return sentences;
}

}  // namespace sluice::adapters::delimited
