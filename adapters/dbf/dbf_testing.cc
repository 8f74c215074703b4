#include "adapters/dbf/dbf_testing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::adapters::dbf {
namespace {

constexpr size_t kBacklink = 263;  // of Visual FoxPro

std::string BigBytes(uint32_t value) {
  const std::string bytes = LittleBytes(value, 4);
  return {bytes.rbegin(), bytes.rend()};
}

std::string Fixed(std::string_view text, size_t size) {
  std::string bytes(text.substr(0, size));
  bytes.resize(size, '\0');
  return bytes;
}

bool Varying(const TestColumn& column) { return column.type == 'V' || column.type == 'Q'; }

}  // namespace

std::string LittleBytes(uint64_t value, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

size_t TestTable::FlagBits() const {
  size_t bits = 0;
  for (const TestColumn& column : columns_)
    bits += (Varying(column) ? 1 : 0) + ((column.flags & kMayBeNull) != 0 ? 1 : 0);
  return bits;
}

void TestTable::Add(const std::vector<std::string>& fields, char mark) {
  AddWithNulls(fields, std::vector<bool>(columns_.size(), false), mark);
}

void TestTable::AddWithNulls(const std::vector<std::string>& fields, const std::vector<bool>& nulls,
                             char mark) {
  ++count_;
  records_.push_back(mark);
  std::string flags((FlagBits() + 7) / 8, '\0');
  size_t bit = 0;
  const auto flag = [&](bool set) {
    if (set) flags[bit / 8] = static_cast<char>(flags[bit / 8] | 1 << (bit % 8));
    ++bit;
  };
  for (size_t i = 0; i < columns_.size(); ++i) {
    const TestColumn& column = columns_[i];
    std::string bytes = i < fields.size() ? fields[i] : "";
    const size_t size = bytes.size();
    const bool right = column.type == 'N' || column.type == 'F';
    if (right && size < column.length) bytes.insert(0, column.length - size, ' ');
    bytes.resize(column.length, Varying(column) ? '\0' : ' ');
    if (Varying(column)) {
      if (size < column.length) bytes.back() = static_cast<char>(size);
      flag(size < column.length);
    }
    if ((column.flags & kMayBeNull) != 0) flag(nulls[i]);
    records_ += bytes;
  }
  records_ += flags;
}

std::string TestTable::Header(int64_t records) const {
  const bool seventh = (version_ & 7) == 4, visual = version_ == kVisualFoxProTable;
  std::string fields;
  size_t length = 1;
  std::vector<TestColumn> columns = columns_;
  if (FlagBits() > 0) columns.push_back({"_NullFlags", '0', (FlagBits() + 7) / 8, 0, 0x05});
  for (const TestColumn& column : columns) {
    const size_t decimals = column.decimals + (column.type == 'C' ? column.length >> 8 << 8 : 0);
    std::string one = Fixed(column.name, seventh ? 32 : 11) + column.type;
    if (!seventh) one += LittleBytes(visual ? length : 0, 4);
    one.push_back(static_cast<char>(column.length));
    one.push_back(static_cast<char>(column.type == 'C' ? column.length >> 8 : decimals));
    one.push_back(static_cast<char>(column.flags));
    fields += Fixed(one, seventh ? 48 : 32);
    length += column.length;
  }
  fields.push_back('\r');
  if (visual) fields.append(kBacklink, '\0');
  const size_t start = seventh ? 68 : 32;
  std::string header = {static_cast<char>(version_), 126, 11, 27};
  header += LittleBytes(static_cast<uint64_t>(records), 4);
  header += LittleBytes(start + fields.size(), 2) + LittleBytes(length, 2);
  header.resize(29, '\0');
  header.push_back(static_cast<char>(language_driver_));
  header.resize(start, '\0');
  return header + fields;
}

std::string TestTable::Bytes(int64_t records, std::string_view end) const {
  return Header(records < 0 ? count_ : records) + records_ + std::string(end);
}

TestMemos::TestMemos(TestMemoForm form, size_t block)
    : form_(form), block_(form == TestMemoForm::kDbase3 ? 512 : block), bytes_(512, '\0') {
  const std::string size = LittleBytes(block_, 2);
  if (form == TestMemoForm::kDbase4) bytes_.replace(20, 2, size);
  if (form == TestMemoForm::kFoxPro) bytes_.replace(6, 2, {size[1], size[0]});
}

uint32_t TestMemos::Add(std::string_view memo, uint32_t fox_pro_kind) {
  bytes_.resize((bytes_.size() + block_ - 1) / block_ * block_, '\0');
  const auto block = static_cast<uint32_t>(bytes_.size() / block_);
  const auto size = static_cast<uint32_t>(memo.size());
  if (form_ == TestMemoForm::kFoxPro) bytes_ += BigBytes(fox_pro_kind) + BigBytes(size);
  if (form_ == TestMemoForm::kDbase4)
    bytes_ += "\xFF\xFF\x08" + LittleBytes(0, 1) + LittleBytes(size + 8, 4);
  bytes_ += memo;
  if (form_ == TestMemoForm::kDbase3) bytes_ += "\x1A\x1A";
  return block;
}

std::string TestMemos::Pointer(uint32_t block, bool four_bytes) {
  if (four_bytes) return LittleBytes(block, 4);
  const std::string digits = absl::StrCat(block);
  return std::string(10 - digits.size(), ' ') + digits;
}

}  // namespace sluice::adapters::dbf
