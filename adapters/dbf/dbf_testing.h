// Tables and memo files as dBase and FoxPro write them, byte by byte. For tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::adapters::dbf {

inline constexpr uint8_t kDbase3 = 0x03, kDbase3WithMemos = 0x83, kDbase4WithMemos = 0x8B,
                         kDbase7 = 0x04, kFoxPro2WithMemos = 0xF5, kVisualFoxProTable = 0x30;
inline constexpr uint8_t kMayBeNull = 0x02, kNoText = 0x04;

struct TestColumn {
  std::string name;
  char type = 'C';
  size_t length = 10;
  int decimals = 0;
  uint8_t flags = 0;  // Visual FoxPro's
};

class TestTable {
 public:
  explicit TestTable(std::vector<TestColumn> columns, uint8_t version = kDbase3,
                     uint8_t language_driver = 0)
      : columns_(std::move(columns)), version_(version), language_driver_(language_driver) {}

  // The bytes of each field, padded with blanks to its length; of V and Q, of any length that fits.
  void Add(const std::vector<std::string>& fields, char mark = ' ');
  // With null for each field of which `nulls` says so.
  void AddWithNulls(const std::vector<std::string>& fields, const std::vector<bool>& nulls,
                    char mark = ' ');
  // `records`: what the header says; -1 for how many there are.
  std::string Bytes(int64_t records = -1, std::string_view end = "\x1A") const;

 private:
  size_t FlagBits() const;
  std::string Header(int64_t records) const;

  const std::vector<TestColumn> columns_;
  const uint8_t version_;
  const uint8_t language_driver_;
  int64_t count_ = 0;
  std::string records_;
};

enum class TestMemoForm { kDbase3, kDbase4, kFoxPro };

class TestMemos {
 public:
  explicit TestMemos(TestMemoForm form, size_t block = 512);
  // The number of its first block.
  uint32_t Add(std::string_view memo, uint32_t fox_pro_kind = 1);
  std::string Bytes() const { return bytes_; }
  // A pointer as a field holds it: four bytes, or ten digits.
  static std::string Pointer(uint32_t block, bool four_bytes);

 private:
  const TestMemoForm form_;
  const size_t block_;
  std::string bytes_;
};

// Little-endian.
std::string LittleBytes(uint64_t value, size_t count);

}  // namespace sluice::adapters::dbf
