#include "adapters/copybook/scanner.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::copybook {
namespace {

constexpr size_t kIndicator = 6;  // column 7, counted from 0
constexpr size_t kTextEnd = 72;

// A line of the copybook without what its format adds.
struct SourceLine {
  std::string_view text;
  bool continues = false;
};

bool IsDirective(std::string_view text) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(View(text));
  for (const absl::string_view word : {"EJECT", "SKIP1", "SKIP2", "SKIP3"})
    if (absl::EqualsIgnoreCase(stripped, word) ||
        absl::EqualsIgnoreCase(stripped, absl::StrCat(word, ".")))
      return true;
  return absl::StartsWith(stripped, ">>") || absl::StartsWith(stripped, "$");
}

// Nothing of a comment.
SourceLine CutFree(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t");
  if (first == line.npos || line[first] == '*') return {};
  return {line, false};
}

SourceLine CutFixed(std::string_view line) {
  // A tab in the first columns leads behind them.
  const size_t tab = line.substr(0, kIndicator).rfind('\t');
  if (tab != line.npos) return CutFree(line.substr(tab + 1));
  if (line.size() <= kIndicator) return {};
  line = line.substr(0, kTextEnd);
  const char mark = line[kIndicator];
  if (mark == '*' || mark == '/' || mark == 'D' || mark == 'd') {
    // "D" marks a line for debugging; a name that begins here is none.
    const bool letter = mark == 'D' || mark == 'd';
    if (!letter || line.size() == kIndicator + 1 || line[kIndicator + 1] == ' ') return {};
  }
  if (mark == '-') return {line.substr(kIndicator + 1), true};
  return {line.substr(kIndicator), false};
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\x1A'; }

class Scanner {
 public:
  explicit Scanner(ReferenceFormat format) : format_(format) {}

  absl::Status TakeLine(std::string_view raw, int line) {
    line_ = line;
    const SourceLine cut = format_ == ReferenceFormat::kFixed ? CutFixed(raw) : CutFree(raw);
    if (IsDirective(cut.text)) return absl::OkStatus();
    text_ = cut.text;
    at_ = 0;
    SkipBlanks();
    if (at_ == text_.size()) return absl::OkStatus();
    if (cut.continues) {
      SLUICE_RETURN_IF_ERROR(Continue());
    } else if (open_ != 0) {
      return NeverClosed();
    }
    while (SkipBlanks(), at_ < text_.size()) {
      if (text_.substr(at_).starts_with("*>")) break;
      SLUICE_RETURN_IF_ERROR(TakeWord());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Word>> Finish() {
    if (open_ != 0) return NeverClosed();
    return std::move(words_);
  }

 private:
  absl::Status NeverClosed() const {
    return AtLine(open_line_,
                  "a literal is never closed: end it, or continue it on the next line "
                  "with a hyphen in column 7");
  }

  void SkipBlanks() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
  }

  // What this line goes on with belongs to the last word of the line before.
  absl::Status Continue() {
    if (open_ != 0) {
      if (text_[at_] != open_) return AtLine(line_, "a continued literal begins with its quote");
      ++at_;
      return TakeLiteral();
    }
    if (words_.empty() || words_.back().kind != Word::Kind::kWord)
      return AtLine(line_, "a hyphen in column 7, and no word before it to continue");
    Word before = std::move(words_.back());
    words_.pop_back();
    const size_t begin = at_;
    while (at_ < text_.size() && !IsBlank(text_[at_])) ++at_;
    const std::string joined = before.text + std::string(text_.substr(begin, at_ - begin));
    return Add(joined, before.line);
  }

  absl::Status TakeWord() {
    if (text_[at_] == '\'' || text_[at_] == '"') {
      open_ = text_[at_++];
      open_line_ = line_;
      return TakeLiteral();
    }
    const size_t begin = at_;
    while (at_ < text_.size() && !IsBlank(text_[at_])) {
      // X'40', N"…": the letters before it belong to a literal.
      if ((text_[at_] == '\'' || text_[at_] == '"') && at_ - begin <= 2) {
        open_ = text_[at_++];
        open_line_ = line_;
        return TakeLiteral();
      }
      ++at_;
    }
    return Add(text_.substr(begin, at_ - begin), line_);
  }

  absl::Status TakeLiteral() {
    for (;; ++at_) {
      at_ = std::min(text_.find(open_, at_), text_.size());
      if (at_ == text_.size()) return absl::OkStatus();  // to be continued
      if (at_ + 1 == text_.size() || text_[at_ + 1] != open_) break;
      ++at_;
    }
    ++at_;
    open_ = 0;
    words_.push_back({Word::Kind::kLiteral, "", "", open_line_});
    // A separator may follow at once.
    if (at_ < text_.size() && text_[at_] == '.') AddPeriod(line_);
    if (at_ < text_.size() && std::string_view(".,;").find(text_[at_]) != std::string_view::npos)
      ++at_;
    return absl::OkStatus();
  }

  absl::Status Add(std::string_view text, int line) {
    const bool period = text.ends_with('.');
    if (period) text.remove_suffix(1);
    if (text.ends_with(',') || text.ends_with(';')) text.remove_suffix(1);
    if (!records::ValidUtf8(text))
      return AtLine(line, "bytes that are not UTF-8: save the copybook as ASCII or UTF-8");
    if (!text.empty())
      words_.push_back(
          {Word::Kind::kWord, std::string(text), absl::AsciiStrToUpper(View(text)), line});
    if (period) AddPeriod(line);
    return absl::OkStatus();
  }

  void AddPeriod(int line) { words_.push_back({Word::Kind::kPeriod, ".", ".", line}); }

  const ReferenceFormat format_;
  std::string_view text_;
  size_t at_ = 0;
  int line_ = 0;
  char open_ = 0;  // the quote of a literal that is not closed yet
  int open_line_ = 0;
  std::vector<Word> words_;
};

}  // namespace

absl::Status AtLine(int line, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", View(what)));
}

absl::StatusOr<std::vector<Word>> Scan(std::string_view text, ReferenceFormat format) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Scanner scanner(format);
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view one = text.substr(0, end);
    if (one.ends_with('\r')) one.remove_suffix(1);
    SLUICE_RETURN_IF_ERROR(scanner.TakeLine(one, line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scanner.Finish();
}

}  // namespace sluice::adapters::copybook
