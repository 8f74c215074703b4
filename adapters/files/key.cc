#include "adapters/files/key.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sluice::adapters::files {
namespace {

using records::Decimal128;
using records::Op;
using records::Predicate;

constexpr char kNull = 0;
constexpr char kValue = 1;

template <class Unsigned>
void AppendBigEndian(Unsigned value, std::string& out) {
  for (int shift = static_cast<int>(sizeof(value)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

void AppendDouble(double value, std::string& out) {
  if (value == 0) value = 0;  // -0.0 too
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if (std::isnan(value)) bits = 0x7FFFFFFFFFFFFFFF;
  constexpr uint64_t kSign = uint64_t{1} << 63;
  AppendBigEndian((bits & kSign) != 0 ? ~bits : bits | kSign, out);
}

// A zero byte becomes two, 00 FF, and 00 00 ends the text: what begins another sorts before it.
void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xFF');
  }
}

struct Appender {
  std::string& out;
  void operator()(std::monostate) const {}
  void operator()(bool value) const { out.push_back(value ? 1 : 0); }
  void operator()(int64_t value) const {
    AppendBigEndian(static_cast<uint64_t>(value) ^ (uint64_t{1} << 63), out);
  }
  void operator()(double value) const { AppendDouble(value, out); }
  void operator()(int32_t value) const {
    AppendBigEndian(static_cast<uint32_t>(value) ^ (uint32_t{1} << 31), out);
  }
  void operator()(Decimal128 value) const {
    using Unsigned = unsigned __int128;
    AppendBigEndian(static_cast<Unsigned>(value) ^ (Unsigned{1} << 127), out);
  }
  void operator()(std::string_view value) const {
    AppendEscaped(value, out);
    out.append(2, '\0');
  }
};

std::string Encoded(const records::Scalar& scalar) {
  std::string out;
  AppendKey(ValueOf(scalar), out);
  return out;
}

// The first key behind all that begin with `prefix`; empty where there is none.
std::string BehindAll(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
  return prefix;
}

using Ranges = std::vector<KeyRange>;
Ranges Everything() { return {{"", ""}}; }
const std::string kFirstValue(1, kValue);

bool Ends(const std::string& high, const std::string& key) { return !high.empty() && high <= key; }

Ranges Intersect(const Ranges& a, const Ranges& b) {
  Ranges both;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const std::string& low = std::max(a[i].low, b[j].low);
    const bool a_ends = b[j].high.empty() || (!a[i].high.empty() && a[i].high <= b[j].high);
    const std::string& high = a_ends ? a[i].high : b[j].high;
    if (!Ends(high, low)) both.push_back({low, high});
    ++(a_ends ? i : j);
  }
  return both;
}

Ranges Merge(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const KeyRange& a, const KeyRange& b) { return a.low < b.low; });
  Ranges merged;
  for (KeyRange& range : ranges) {
    if (Ends(range.high, range.low)) continue;
    KeyRange* const last = merged.empty() ? nullptr : &merged.back();
    if (last == nullptr || (!last->high.empty() && last->high < range.low)) {
      merged.push_back(std::move(range));
    } else if (!last->high.empty() && (range.high.empty() || last->high < range.high)) {
      last->high = std::move(range.high);
    }
  }
  return merged;
}

Ranges Equal(const std::vector<records::Scalar>& values) {
  Ranges ranges;
  for (const records::Scalar& value : values) {
    std::string key = Encoded(value);
    std::string high = BehindAll(key);
    ranges.push_back({std::move(key), std::move(high)});
  }
  return Merge(std::move(ranges));
}

Ranges OfLeaf(const Predicate& leaf) {
  switch (leaf.op) {
    case Op::kEqual:
    case Op::kIn:
      return Equal(leaf.values);
    case Op::kLess:
      return Merge({{kFirstValue, Encoded(leaf.values[0])}});
    case Op::kLessOrEqual:
      return Merge({{kFirstValue, BehindAll(Encoded(leaf.values[0]))}});
    case Op::kGreater:
      return {{BehindAll(Encoded(leaf.values[0])), ""}};
    case Op::kGreaterOrEqual:
      return {{Encoded(leaf.values[0]), ""}};
    case Op::kIsNull:
      return {{std::string(1, kNull), kFirstValue}};
    case Op::kStartsWith: {
      std::string prefix = kFirstValue;
      AppendEscaped(std::get<std::string>(leaf.values[0]), prefix);
      std::string high = BehindAll(prefix);
      return {{std::move(prefix), std::move(high)}};
    }
    default:
      return Everything();
  }
}

}  // namespace

void AppendKey(const Value& value, std::string& out) {
  const bool null = std::holds_alternative<std::monostate>(value);
  out.push_back(null ? kNull : kValue);
  std::visit(Appender{out}, value);
}

absl::Status KeyReader::Read(std::string& key) {
  key.clear();
  for (const int i : key_) {
    const ColumnRequest& column = columns_[i];
    const auto value = rows_.Read(i);
    const auto* const text = value ? std::get_if<std::string_view>(&*value) : nullptr;
    bool too_long = text != nullptr && text->size() > kMostKeyBytes;
    if (value && !too_long) AppendKey(*value, key);
    too_long = too_long || key.size() > kMostKeyBytes;
    if (value && !too_long) continue;
    const std::string what = too_long ? absl::StrCat("a key of over ", kMostKeyBytes, " bytes")
                             : *rows_.why() ? std::string(rows_.why())
                                            : "not a " + records::ToString(column.type);
    return BadField({table_, counted_, rows_.place()}, column.name, what);
  }
  return absl::OkStatus();
}

std::vector<KeyRange> RangesOf(const Predicate& predicate, int field) {
  switch (predicate.op) {
    case Op::kFalse:
      return {};
    case Op::kAnd: {
      Ranges all = Everything();
      for (const Predicate& child : predicate.children)
        all = Intersect(all, RangesOf(child, field));
      return all;
    }
    case Op::kOr: {
      Ranges any;
      for (const Predicate& child : predicate.children) {
        Ranges ranges = RangesOf(child, field);
        any.insert(any.end(), std::make_move_iterator(ranges.begin()),
                   std::make_move_iterator(ranges.end()));
      }
      return Merge(std::move(any));
    }
    default:
      return predicate.field == field ? OfLeaf(predicate) : Everything();
  }
}

std::vector<KeyRange> Behind(std::vector<KeyRange> ranges, const std::string& key) {
  return Intersect(ranges, {{key + '\0', ""}});
}

}  // namespace sluice::adapters::files
