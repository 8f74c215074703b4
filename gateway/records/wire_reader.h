// Reads protobuf's wire format from bytes that may be hostile. Inner header of this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::records {

// Takes parts off the front; each gives nothing where the bytes do not hold it. What is given
// borrows from the bytes.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  bool AtEnd() const { return rest_.empty(); }

  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
      const auto byte = static_cast<uint8_t>(rest_[i]);
      // The tenth byte holds the last bit.
      if (i == 9 && byte > 1) return std::nullopt;
      value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        return value;
      }
    }
    return std::nullopt;
  }

  std::optional<uint64_t> Fixed64() {
    if (rest_.size() < 8) return std::nullopt;
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) {
      value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(8);
    return value;
  }

  std::optional<std::string_view> Bytes() {
    const auto size = Varint();
    if (!size || *size > rest_.size()) return std::nullopt;
    const std::string_view bytes = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return bytes;
  }

 private:
  std::string_view rest_;
};

}  // namespace sluice::records
