// Cuts bytes into records and their fields: RFC 4180 and what a Dialect adds. Looks at no byte
// twice: where a record goes on behind what is there, Split is called again with more. A pure
// function of the bytes; however they come in pieces, the records are the same.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "adapters/delimited/dialect.h"

namespace sluice::adapters::delimited {

// A field's bytes, without its quotes, from the record's first byte on.
struct FieldSpan {
  size_t begin = 0;
  size_t end = 0;
  bool quoted = false;
  bool escaped = false;  // holds doubled quotes or backslashes, to be taken out
};

class Splitter {
 public:
  enum class Result {
    kRecord,
    kMore,  // the record goes on behind the bytes
    kEnd,   // there is no record: no byte is left
    kBad,   // mistake() says what is wrong with the record
  };

  explicit Splitter(const Dialect& dialect);

  // `bytes` begins where the record does. After kMore: again with at least the same bytes. `last`:
  // nothing follows them.
  Result Split(std::string_view bytes, bool last);
  // For the next record.
  void Begin();

  // Of the record, after kRecord. With more than kMostColumns fields, that many and one.
  const std::vector<FieldSpan>& fields() const { return fields_; }
  size_t size() const { return at_; }           // with its line end
  int64_t line_ends() const { return lines_; }  // physical lines that it takes
  bool blank() const { return fields_.size() == 1 && !fields_[0].quoted && at_end_of_field_ == 0; }

  // After kBad: a sentence's end, and the field that it is about, from 0.
  const char* mistake() const { return mistake_; }
  size_t mistake_field() const { return fields_.size(); }

 private:
  enum class State : uint8_t { kFieldStart, kPlain, kQuoted, kQuoteSeen };
  enum class Step : uint8_t { kGoOn, kRecord, kMore, kBad };
  // One character: its code where that is ASCII, else 0x80; and its size in bytes, 0 where it goes
  // on behind the bytes.
  struct Unit {
    uint8_t code = 0;
    uint8_t size = 0;
  };

  Unit At(size_t place) const;
  Unit Double(size_t place) const;
  void SkipPlain();
  Step TakeOne();
  Step TakePlain(Unit unit);
  Step TakeQuoted(Unit unit);
  Step TakeQuoteSeen(Unit unit);
  Step TakeBackslash(Unit unit);
  // At a CR or LF: whether a line ends there, and how long its end is. size 0: more is needed;
  // code 0: none of the dialect's.
  Unit LineEndAt(Unit unit) const;
  Step EndRecord(Unit unit);
  void CountLine(Unit unit);
  void EndField(size_t end);
  Step Bad(const char* mistake);
  Result AtLast();

  const Dialect dialect_;
  std::array<bool, 256> special_;  // bytes that the inner loop stops at

  std::string_view bytes_;
  bool last_ = false;
  size_t at_ = 0;
  State state_ = State::kFieldStart;
  FieldSpan field_;
  std::vector<FieldSpan> fields_;
  size_t at_end_of_field_ = 0;  // where the last field's bytes end
  int64_t lines_ = 0;
  bool after_cr_ = false;  // a CR inside a field was counted: an LF behind it is the same line end
  const char* mistake_ = "";
};

}  // namespace sluice::adapters::delimited
