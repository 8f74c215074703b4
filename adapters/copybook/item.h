// What a copybook says: items within items, each with its picture and its clauses. Immutable once
// parsed; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::adapters::copybook {

enum class Usage : uint8_t {
  kDisplay,
  kBinary,        // COMP, COMP-4, BINARY
  kNative,        // COMP-5: binary, in the order of the machine that wrote it
  kLittleEndian,  // COMP-9: binary, its lowest byte first
  kPacked,        // COMP-3
  kPackedNoSign,  // COMP-6
  kFloat,         // COMP-1
  kDouble,        // COMP-2
  kNational,      // PIC N
  kDbcs,          // PIC G
};

enum class SignPlace : uint8_t { kTrailing, kLeading, kTrailingSeparate, kLeadingSeparate };

struct Picture {
  enum class Kind : uint8_t {
    kText,      // X, A
    kNational,  // N
    kDbcs,      // G
    kNumber,    // 9, S, V, P
    kEdited,    // numbers as they are printed: Z, *, +, -, $, a point, …
  };
  Kind kind = Kind::kText;
  int64_t size = 0;  // characters that it takes where its usage is DISPLAY
  int digits = 0;
  int scale = 0;  // digits behind the point; below 0 where zeros are left out before it
  bool is_signed = false;
  // The point is a character of its own, though the picture is a number's: S9(3).99
  bool point = false;
  std::string text;  // as it stands in the copybook
};

struct Occurs {
  int64_t least = 1;
  int64_t most = 1;
  // The name behind DEPENDING ON, and those behind OF or IN, innermost first; empty where it is
  // always `most`.
  std::vector<std::string> depends_on;
};

struct Item {
  int level = 0;
  int line = 0;      // of the copybook, from 1
  std::string name;  // as it is spelt; "FILLER" where it has none
  bool filler = false;
  std::optional<Picture> picture;
  Usage usage = Usage::kDisplay;
  SignPlace sign = SignPlace::kTrailing;
  bool sign_stated = false;
  std::optional<Occurs> occurs;
  std::string redefines;  // a name, or empty
  Item* parent = nullptr;
  std::vector<std::unique_ptr<Item>> items;

  bool group() const { return !items.empty(); }
  // "PIC S9(7)V99 COMP-3", as Describe says it.
  std::string Type() const;
};

}  // namespace sluice::adapters::copybook
