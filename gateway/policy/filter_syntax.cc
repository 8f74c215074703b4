#include "gateway/policy/filter_syntax.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

using records::Op;

bool IsLetter(char c) { return absl::ascii_isalpha(c) || c == '_'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct Token {
  enum class Kind { kEnd, kWord, kParameter, kBare, kText, kCompare, kOpen, kClose, kComma };
  Kind kind = Kind::kEnd;
  size_t offset = 0;
  std::string_view text;  // of a text: what stands between the quotes, escapes and all
  Op op = Op::kEqual;     // of a comparison
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<FilterNode> Parse() {
    if (text_.size() > kMaxFilterBytes) {
      absl::Status status = Error(v1::REASON_FILTER_INVALID,
                                  absl::StrCat("the filter is over ", kMaxFilterBytes, " bytes."));
      AddFieldViolation(status, "filter", "shorten it: values go into parameters, lists too");
      return status;
    }
    SLUICE_RETURN_IF_ERROR(CheckCharacters());
    SLUICE_RETURN_IF_ERROR(Next());
    if (token_.kind == Token::Kind::kEnd) return FilterNode();
    SLUICE_ASSIGN_OR_RETURN(FilterNode root, Condition(0));
    if (token_.kind == Token::Kind::kEnd) return root;
    if (token_.kind == Token::Kind::kClose) return Fail("a closing parenthesis too many");
    return Fail("expected AND, OR or the end", JoinRemedy());
  }

 private:
  absl::Status Fail(std::string_view sentence, std::string_view remedy = "") const {
    return FilterError(v1::REASON_FILTER_INVALID, text_, token_.offset, sentence, remedy);
  }
  absl::Status FailAt(size_t offset, std::string_view sentence,
                      std::string_view remedy = "") const {
    return FilterError(v1::REASON_FILTER_INVALID, text_, offset, sentence, remedy);
  }

  // Filters are shown and logged, so nothing stands in them that a terminal would obey.
  absl::Status CheckCharacters() const {
    if (!records::ValidUtf8(text_)) {
      return Error(v1::REASON_FILTER_INVALID, "the filter is not UTF-8.");
    }
    for (size_t i = 0; i < text_.size(); ++i) {
      const auto c = static_cast<unsigned char>(text_[i]);
      const bool c1 =
          c == 0xc2 && i + 1 < text_.size() && static_cast<unsigned char>(text_[i + 1]) < 0xa0;
      if ((c < 0x20 && !IsSpace(text_[i])) || c == 0x7f || c1) {
        return FailAt(i, "a control character", "pass such a value as a parameter");
      }
    }
    return absl::OkStatus();
  }

  bool IsWord(std::string_view word) const {
    return token_.kind == Token::Kind::kWord && token_.text == word;
  }
  bool IsWordInAnyCase(std::string_view word) const {
    return token_.kind == Token::Kind::kWord &&
           absl::EqualsIgnoreCase(View(token_.text), View(word));
  }
  std::string_view JoinRemedy() const {
    if (IsWordInAnyCase("and")) return "write AND in capitals";
    if (IsWordInAnyCase("or")) return "write OR in capitals";
    return "join comparisons by AND or OR; text stands in quotes";
  }

  // Reads the next token into token_.
  absl::Status Next() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    token_ = Token();
    token_.offset = at_;
    if (at_ == text_.size()) return absl::OkStatus();
    const char c = text_[at_];
    if (IsLetter(c))
      return Take(Token::Kind::kWord,
                  LengthOf([](char d) { return IsLetter(d) || absl::ascii_isdigit(d); }));
    if (absl::ascii_isdigit(c) || c == '-') {
      return Take(Token::Kind::kBare, LengthOf([](char d) {
                    return IsLetter(d) || absl::ascii_isdigit(d) || d == '.' || d == ':' ||
                           d == '+' || d == '-';
                  }));
    }
    if (c == '$') return Parameter();
    if (c == '"' || c == '\'') return Quoted(c);
    if (c == '(') return Take(Token::Kind::kOpen, 1);
    if (c == ')') return Take(Token::Kind::kClose, 1);
    if (c == ',') return Take(Token::Kind::kComma, 1);
    return Operator();
  }

  template <class Belongs>
  size_t LengthOf(Belongs belongs, size_t from = 1) const {
    size_t end = at_ + from;
    while (end < text_.size() && belongs(text_[end])) ++end;
    return end - at_;
  }

  absl::Status Take(Token::Kind kind, size_t length) {
    token_.kind = kind;
    token_.text = text_.substr(at_, length);
    at_ += length;
    return absl::OkStatus();
  }

  absl::Status Parameter() {
    const size_t length = LengthOf([](char d) { return IsLetter(d) || absl::ascii_isdigit(d); });
    if (!IsParameterName(text_.substr(at_ + 1, length - 1))) {
      return Fail("expected a parameter's name after $",
                  "letters, digits and underscores, beginning with a letter, at most 63");
    }
    ++at_;
    return Take(Token::Kind::kParameter, length - 1);
  }

  absl::Status Quoted(char quote) {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return Fail("a quote that is never closed");
    token_.kind = Token::Kind::kText;
    token_.text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return absl::OkStatus();
  }

  absl::Status Operator() {
    struct Sign {
      std::string_view text;
      Op op;
      std::string_view remedy;  // set: no sign of ours
    };
    // Longer ones first.
    static constexpr std::array<Sign, 15> kSigns = {{
        {"==", Op::kEqual, "write ="},
        {"=~", Op::kEqual, "there are no patterns; starts_with(field, \"x\") is what there is"},
        {"!=", Op::kNotEqual, ""},
        {"<>", Op::kNotEqual, "write !="},
        {"<=", Op::kLessOrEqual, ""},
        {">=", Op::kGreaterOrEqual, ""},
        {"&&", Op::kAnd, "write AND"},
        {"||", Op::kOr, "write OR"},
        {"=", Op::kEqual, ""},
        {"<", Op::kLess, ""},
        {">", Op::kGreater, ""},
        {"!", Op::kNot, "write NOT"},
        {":", Op::kEqual, "write =, or starts_with(field, \"x\")"},
        {"\xe2\x80\x9c", Op::kEqual, "use the plain quotes \" or '"},
        {"\xe2\x80\x98", Op::kEqual, "use the plain quotes \" or '"},
    }};
    for (const Sign& sign : kSigns) {
      if (!text_.substr(at_).starts_with(sign.text)) continue;
      if (!sign.remedy.empty()) return Fail("a sign that filters do not have", sign.remedy);
      token_.op = sign.op;
      return Take(Token::Kind::kCompare, sign.text.size());
    }
    return Fail("a character that filters do not have",
                "quotes, parentheses and signs are the plain ones of ASCII; text stands in quotes");
  }

  absl::StatusOr<FilterNode> Condition(int depth) {
    SLUICE_ASSIGN_OR_RETURN(FilterNode first, Term(depth));
    if (!IsWord("AND") && !IsWord("OR")) return first;
    const std::string_view join = token_.text;
    FilterNode joined;
    joined.op = join == "AND" ? Op::kAnd : Op::kOr;
    joined.offset = first.offset;
    joined.children.push_back(std::move(first));
    while (IsWord("AND") || IsWord("OR")) {
      if (token_.text != join) {
        return Fail(absl::StrCat(View(join), " beside ", View(token_.text), " without parentheses"),
                    "put parentheses around what belongs together: (a AND b) OR c, or a AND (b OR "
                    "c)");
      }
      SLUICE_RETURN_IF_ERROR(Next());
      SLUICE_ASSIGN_OR_RETURN(FilterNode term, Term(depth));
      joined.children.push_back(std::move(term));
    }
    return joined;
  }

  absl::StatusOr<FilterNode> Term(int depth) {
    if (depth > kMaxFilterDepth) {
      return Fail(absl::StrCat("nested deeper than ", kMaxFilterDepth));
    }
    if (IsWord("NOT")) {
      FilterNode negation;
      negation.op = Op::kNot;
      negation.offset = token_.offset;
      SLUICE_RETURN_IF_ERROR(Next());
      SLUICE_ASSIGN_OR_RETURN(FilterNode term, Term(depth + 1));
      negation.children.push_back(std::move(term));
      return negation;
    }
    if (token_.kind != Token::Kind::kOpen) return Comparison();
    const size_t open = token_.offset;
    SLUICE_RETURN_IF_ERROR(Next());
    SLUICE_ASSIGN_OR_RETURN(FilterNode inner, Condition(depth + 1));
    if (token_.kind == Token::Kind::kEnd) {
      return FailAt(open, "a parenthesis that is never closed");
    }
    if (token_.kind != Token::Kind::kClose) {
      return Fail("expected AND, OR or a closing parenthesis", JoinRemedy());
    }
    SLUICE_RETURN_IF_ERROR(Next());
    return inner;
  }

  absl::Status CheckFieldWord() const {
    if (token_.kind == Token::Kind::kEnd) return Fail("expected a comparison, not the end");
    if (token_.kind != Token::Kind::kWord) {
      return Fail("expected a field's name", "a comparison is: field = value");
    }
    if (IsWordInAnyCase("not")) return Fail("expected a field's name", "write NOT in capitals");
    if (IsWord("AND") || IsWord("OR") || IsWord("null") || IsWord("true") || IsWord("false")) {
      return Fail("expected a field's name", "a comparison is: field = value");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<FilterNode> Comparison() {
    SLUICE_RETURN_IF_ERROR(CheckFieldWord());
    if (++comparisons_ > kMaxFilterComparisons) {
      return Fail(absl::StrCat("more than ", kMaxFilterComparisons, " comparisons"),
                  "a list goes into one parameter: field = $names");
    }
    if (IsWord("starts_with")) return StartsWith();
    FilterNode node;
    node.field = token_.text;
    node.offset = token_.offset;
    SLUICE_RETURN_IF_ERROR(Next());
    if (token_.kind == Token::Kind::kOpen) {
      return FailAt(node.offset, "there is no such function", "the only one is starts_with");
    }
    if (token_.kind != Token::Kind::kCompare) {
      return Fail("expected =, !=, <, <=, > or >=", "a comparison is: field = value");
    }
    node.op = token_.op;
    const Token sign = token_;
    SLUICE_RETURN_IF_ERROR(Next());
    SLUICE_ASSIGN_OR_RETURN(node.operand, Operand());
    if (node.operand.kind != FilterOperand::Kind::kNull) return node;
    if (sign.op != Op::kEqual && sign.op != Op::kNotEqual) {
      return FailAt(sign.offset, "null has no order", "write = null or != null");
    }
    node.op = Op::kIsNull;
    if (sign.op == Op::kEqual) return node;
    FilterNode negation;
    negation.op = Op::kNot;
    negation.offset = node.offset;
    negation.children.push_back(std::move(node));
    return negation;
  }

  absl::StatusOr<FilterNode> StartsWith() {
    const size_t begin = token_.offset;
    constexpr std::string_view kRemedy = "write starts_with(field, \"x\")";
    FilterNode node;
    node.op = Op::kStartsWith;
    SLUICE_RETURN_IF_ERROR(Next());
    if (token_.kind != Token::Kind::kOpen) return FailAt(begin, "expected starts_with(", kRemedy);
    SLUICE_RETURN_IF_ERROR(Next());
    SLUICE_RETURN_IF_ERROR(CheckFieldWord());
    node.field = token_.text;
    node.offset = token_.offset;
    SLUICE_RETURN_IF_ERROR(Next());
    if (token_.kind != Token::Kind::kComma) return Fail("expected a comma", kRemedy);
    SLUICE_RETURN_IF_ERROR(Next());
    SLUICE_ASSIGN_OR_RETURN(node.operand, Operand());
    if (node.operand.kind == FilterOperand::Kind::kNull) {
      return FailAt(node.operand.offset, "null begins with nothing", "write field = null");
    }
    if (token_.kind != Token::Kind::kClose) return Fail("expected a closing parenthesis", kRemedy);
    SLUICE_RETURN_IF_ERROR(Next());
    return node;
  }

  // Takes the value that stands here, and reads on.
  absl::StatusOr<FilterOperand> Operand() {
    FilterOperand operand;
    operand.offset = token_.offset;
    operand.text = std::string(token_.text);
    if (IsWord("null")) {
      operand.kind = FilterOperand::Kind::kNull;
    } else if (IsWord("true") || IsWord("false")) {
      operand.kind = FilterOperand::Kind::kBool;
    } else if (IsWordInAnyCase("null") || IsWordInAnyCase("true") || IsWordInAnyCase("false")) {
      return Fail("expected a value", "write null, true and false in small letters");
    } else if (token_.kind == Token::Kind::kParameter) {
      operand.kind = FilterOperand::Kind::kParameter;
    } else if (token_.kind == Token::Kind::kBare) {
      operand.kind = FilterOperand::Kind::kBare;
    } else if (token_.kind == Token::Kind::kText) {
      operand.kind = FilterOperand::Kind::kText;
      SLUICE_RETURN_IF_ERROR(Unescape(operand.text));
    } else {
      return Fail("expected a value",
                  "a $parameter, text in quotes, a number, a date, true, false or null");
    }
    SLUICE_RETURN_IF_ERROR(Next());
    return operand;
  }

  absl::Status Unescape(std::string& text) const {
    size_t to = 0;
    for (size_t from = 0; from < text.size(); ++from) {
      if (text[from] == '\\') {
        const char escaped = text[from + 1];  // Quoted saw to it that there is one
        if (escaped != '\\' && escaped != '"' && escaped != '\'') {
          return FailAt(token_.offset + 1 + from, "an escape that filters do not have",
                        "only \\\\, \\\" and \\' are; pass other values as parameters");
        }
        ++from;
      }
      text[to++] = text[from];
    }
    text.resize(to);
    return absl::OkStatus();
  }

  const std::string_view text_;
  size_t at_ = 0;  // where the next token is looked for
  Token token_;
  int comparisons_ = 0;
};

}  // namespace

absl::Status FilterError(v1::Reason reason, std::string_view text, size_t offset,
                         std::string_view sentence, std::string_view remedy) {
  const std::string position =
      absl::StrCat(records::ValidUtf8(text.substr(0, offset))
                       ? records::CodePointCount(text.substr(0, offset)) + 1
                       : offset + 1);
  absl::Status status =
      Error(reason, absl::StrCat(View(sentence), ", at ", position, "."), {{"position", position}});
  AddFieldViolation(status, absl::StrCat("filter:", position), remedy.empty() ? sentence : remedy);
  return status;
}

bool IsParameterName(std::string_view text) {
  return !text.empty() && text.size() <= 63 && IsLetter(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLetter(c) || absl::ascii_isdigit(c); });
}

absl::StatusOr<FilterNode> ParseFilter(std::string_view text) { return Parser(text).Parse(); }

}  // namespace sluice::policy
