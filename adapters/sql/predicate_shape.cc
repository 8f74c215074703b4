#include "adapters/sql/predicate_shape.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "gateway/base/view.h"

namespace sluice::adapters::sql {
namespace {

using records::Op;
using records::Predicate;

constexpr int kMostDepth = 32;

class Walk {
 public:
  Walk(std::string_view never, LeafTranslator& leaves) : never_(never), leaves_(leaves) {}

  std::string Translate(const Predicate& predicate, bool negated, int depth) {
    if (IsLeaf(predicate)) {
      const int number = number_++;
      return depth > kMostDepth ? "" : leaves_.Leaf(predicate, number, negated);
    }
    switch (predicate.op) {
      case Op::kNot:
        return Translate(predicate.children[0], !negated, depth + 1);
      case Op::kAnd:
      case Op::kOr:
        return Join(predicate, negated, depth);
      default:
        return (predicate.op == Op::kTrue) == negated ? std::string(never_) : "";
    }
  }

 private:
  std::string Join(const Predicate& predicate, bool negated, int depth) {
    const bool all = (predicate.op == Op::kAnd) != negated;
    std::string joined;
    bool any_row = false;
    const size_t parameters_before = leaves_.parameters();
    for (const Predicate& child : predicate.children) {
      const std::string part = Translate(child, negated, depth + 1);
      if (part.empty()) {
        any_row = any_row || !all;
      } else {
        absl::StrAppend(&joined, joined.empty() ? "(" : all ? " AND " : " OR ", part);
      }
    }
    if (!any_row && !joined.empty()) return joined + ")";
    // No parameter may be left over for a part that is not in the statement.
    leaves_.KeepParameters(parameters_before);
    return "";
  }

  const std::string_view never_;
  LeafTranslator& leaves_;
  int number_ = 0;
};

void AppendUtf8(uint32_t code, std::string& text) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr uint8_t kFirst[] = {0, 0xC0, 0xE0, 0xF0};
  text.push_back(static_cast<char>(kFirst[more] | code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i)
    text.push_back(static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F)));
}

}  // namespace

bool IsLeaf(const Predicate& predicate) {
  switch (predicate.op) {
    case Op::kTrue:
    case Op::kFalse:
    case Op::kAnd:
    case Op::kOr:
    case Op::kNot:
      return false;
    default:
      return true;
  }
}

Op Negated(Op op) {
  switch (op) {
    case Op::kEqual:
      return Op::kNotEqual;
    case Op::kNotEqual:
      return Op::kEqual;
    case Op::kLess:
      return Op::kGreaterOrEqual;
    case Op::kLessOrEqual:
      return Op::kGreater;
    case Op::kGreater:
      return Op::kLessOrEqual;
    case Op::kGreaterOrEqual:
      return Op::kLess;
    default:
      return op;
  }
}

const char* Sign(Op op) {
  switch (op) {
    case Op::kNotEqual:
      return " <> ";
    case Op::kLess:
      return " < ";
    case Op::kLessOrEqual:
      return " <= ";
    case Op::kGreater:
      return " > ";
    case Op::kGreaterOrEqual:
      return " >= ";
    default:
      return " = ";
  }
}

std::string Translate(const Predicate& predicate, std::string_view never, LeafTranslator& leaves) {
  return Walk(never, leaves).Translate(predicate, false, 0);
}

void CollectLeaves(const Predicate& predicate, std::vector<const Predicate*>& leaves) {
  if (IsLeaf(predicate)) leaves.push_back(&predicate);
  for (const Predicate& child : predicate.children) CollectLeaves(child, leaves);
}

void AppendShape(const Predicate& predicate, std::string& shape,
                 const std::function<void(const Predicate&, std::string&)>& leaf) {
  shape.push_back(static_cast<char>('a' + static_cast<int>(predicate.op)));
  if (IsLeaf(predicate)) leaf(predicate, shape);
  if (predicate.children.empty()) return;
  shape.push_back('(');
  for (const Predicate& child : predicate.children) AppendShape(child, shape, leaf);
  shape.push_back(')');
}

// Its last code point that is not the last of all, counted up.
std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty()) {
    size_t begin = prefix.size() - 1;
    while (begin > 0 && (prefix[begin] & 0xC0) == 0x80) --begin;
    const size_t size = prefix.size() - begin;
    const auto first = static_cast<uint8_t>(prefix[begin]);
    uint32_t code = size == 1 ? first : first & (0x7F >> size);
    for (size_t i = begin + 1; i < prefix.size(); ++i)
      code = code << 6 | (static_cast<uint8_t>(prefix[i]) & 0x3F);
    prefix.resize(begin);
    if (code >= 0x10FFFF) continue;
    AppendUtf8(code == 0xD7FF ? 0xE000 : code + 1, prefix);
    break;
  }
  return prefix;
}

}  // namespace sluice::adapters::sql
