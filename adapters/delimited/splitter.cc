#include "adapters/delimited/splitter.h"

namespace sluice::adapters::delimited {
namespace {

constexpr uint8_t kOther = 0x80;

uint8_t Byte(std::string_view bytes, size_t place) { return static_cast<uint8_t>(bytes[place]); }
bool Within(uint8_t byte, uint8_t low, uint8_t high) { return byte >= low && byte <= high; }

}  // namespace

Splitter::Splitter(const Dialect& dialect) : dialect_(dialect) {
  special_.fill(false);
  for (const char c : {'\0', '\r', '\n', dialect.separator})
    special_[static_cast<uint8_t>(c)] = true;
  if (dialect.quote) special_[static_cast<uint8_t>(*dialect.quote)] = true;
  if (dialect.backslash) special_['\\'] = true;
  // Where a byte above 0x7F may begin a character of several, each is looked at.
  const bool several = dialect.encoding == Encoding::kGb18030 ||
                       dialect.encoding == Encoding::kGbk || dialect.encoding == Encoding::kBig5;
  for (int c = 0x80; several && c < 0x100; ++c) special_[c] = true;
}

void Splitter::Begin() {
  at_ = 0;
  state_ = State::kFieldStart;
  field_ = {};
  fields_.clear();
  at_end_of_field_ = 0;
  lines_ = 0;
  after_cr_ = false;
  mistake_ = "";
}

// Bytes that are not well-formed count one by one: they swallow no separator, and the decoder will
// refuse them.
Splitter::Unit Splitter::Double(size_t place) const {
  const uint8_t lead = Byte(bytes_, place);
  if (!Within(lead, 0x81, 0xFE)) return {kOther, 1};
  const size_t there = bytes_.size() - place;
  const Unit cut = {kOther, static_cast<uint8_t>(last_ ? 1 : 0)};
  if (there < 2) return cut;
  const uint8_t second = Byte(bytes_, place + 1);
  if (Within(second, 0x40, 0xFE) && second != 0x7F) return {kOther, 2};
  if (dialect_.encoding != Encoding::kGb18030 || !Within(second, '0', '9')) return {kOther, 1};
  if (there < 4) return cut;
  const bool four =
      Within(Byte(bytes_, place + 2), 0x81, 0xFE) && Within(Byte(bytes_, place + 3), '0', '9');
  return {kOther, static_cast<uint8_t>(four ? 4 : 1)};
}

Splitter::Unit Splitter::At(size_t place) const {
  if (place >= bytes_.size()) return {};
  if (UnitSize(dialect_.encoding) == 2) {
    if (place + 1 >= bytes_.size()) return {kOther, static_cast<uint8_t>(last_ ? 1 : 0)};
    const bool little = dialect_.encoding == Encoding::kUtf16Le;
    const uint8_t low = Byte(bytes_, place + (little ? 0 : 1));
    const uint8_t high = Byte(bytes_, place + (little ? 1 : 0));
    return {high == 0 && low < 0x80 ? low : kOther, 2};
  }
  const uint8_t byte = Byte(bytes_, place);
  if (byte < 0x80) return {byte, 1};
  if (special_[byte]) return Double(place);
  return {kOther, 1};
}

// The inner loop: over bytes that mean nothing here.
void Splitter::SkipPlain() {
  after_cr_ = false;
  if (UnitSize(dialect_.encoding) == 2) return;
  const char* const data = bytes_.data();
  const size_t size = bytes_.size();
  size_t at = at_;
  while (at < size && !special_[static_cast<uint8_t>(data[at])]) ++at;
  at_ = at;
}

Splitter::Result Splitter::Split(std::string_view bytes, bool last) {
  bytes_ = bytes;
  last_ = last;
  for (;;) {
    switch (TakeOne()) {
      case Step::kGoOn:
        break;
      case Step::kRecord:
        return Result::kRecord;
      case Step::kBad:
        return Result::kBad;
      case Step::kMore:
        return last_ ? AtLast() : Result::kMore;
    }
  }
}

Splitter::Step Splitter::TakeOne() {
  const Unit unit = At(at_);
  if (unit.size == 0) return Step::kMore;
  switch (state_) {
    case State::kFieldStart:
      field_ = {at_, at_, false, false};
      if (dialect_.quote && unit.code == *dialect_.quote) {
        at_ += unit.size;
        field_ = {at_, at_, true, false};
        state_ = State::kQuoted;
        return Step::kGoOn;
      }
      state_ = State::kPlain;
      return TakePlain(unit);
    case State::kPlain:
      return TakePlain(unit);
    case State::kQuoted:
      return TakeQuoted(unit);
    case State::kQuoteSeen:
      return TakeQuoteSeen(unit);
  }
  return Step::kBad;
}

Splitter::Step Splitter::TakePlain(Unit unit) {
  if (unit.code == static_cast<uint8_t>(dialect_.separator)) {
    EndField(at_);
    at_ += unit.size;
    return fields_.size() > kMostColumns ? Step::kRecord : Step::kGoOn;
  }
  if (unit.code == '\r' || unit.code == '\n') {
    const Unit end = LineEndAt(unit);
    if (end.size == 0) return Step::kMore;
    if (end.code == 0) return Bad("holds a line end of another kind outside of quotes");
    EndField(at_);
    return EndRecord(end);
  }
  if (unit.code == 0) return Bad("holds a NUL outside of quotes");
  if (dialect_.quote && unit.code == *dialect_.quote && !dialect_.stray_quotes)
    return Bad("holds a quote but does not begin with one");
  if (dialect_.backslash && unit.code == '\\') return TakeBackslash(unit);
  at_ += unit.size;
  SkipPlain();
  return Step::kGoOn;
}

Splitter::Step Splitter::TakeQuoted(Unit unit) {
  if (unit.code == *dialect_.quote) {
    field_.end = at_;
    at_ += unit.size;
    state_ = State::kQuoteSeen;
    return Step::kGoOn;
  }
  if (unit.code == '\r' || unit.code == '\n') {
    if (!dialect_.quoted_line_ends) return Bad("is quoted and not closed at the line's end");
    CountLine(unit);
    at_ += unit.size;
    return Step::kGoOn;
  }
  if (dialect_.backslash && unit.code == '\\') return TakeBackslash(unit);
  at_ += unit.size;
  SkipPlain();
  return Step::kGoOn;
}

Splitter::Step Splitter::TakeQuoteSeen(Unit unit) {
  if (unit.code == *dialect_.quote) {
    field_.escaped = true;
    at_ += unit.size;
    after_cr_ = false;
    state_ = State::kQuoted;
    return Step::kGoOn;
  }
  if (unit.code == static_cast<uint8_t>(dialect_.separator)) {
    EndField(field_.end);
    at_ += unit.size;
    return fields_.size() > kMostColumns ? Step::kRecord : Step::kGoOn;
  }
  if (unit.code == '\r' || unit.code == '\n') {
    const Unit end = LineEndAt(unit);
    if (end.size == 0) return Step::kMore;
    if (end.code != 0) {
      EndField(field_.end);
      return EndRecord(end);
    }
  }
  return Bad("holds text behind its closing quote");
}

// The backslash and what it makes plain, as one.
Splitter::Step Splitter::TakeBackslash(Unit unit) {
  const Unit next = At(at_ + unit.size);
  if (next.size == 0) {
    if (!last_ || at_ + unit.size < bytes_.size()) return Step::kMore;
    return Bad("ends in a backslash, and so does the file");
  }
  field_.escaped = true;
  at_ += unit.size;
  if (next.code == '\r' || next.code == '\n') {
    if (!dialect_.quoted_line_ends) return Bad("holds a line end behind a backslash");
    CountLine(next);
  } else {
    after_cr_ = false;
  }
  at_ += next.size;
  return Step::kGoOn;
}

Splitter::Unit Splitter::LineEndAt(Unit unit) const {
  const LineEnds ends = dialect_.line_ends;
  if (unit.code == '\n') {
    const bool ends_line = ends != LineEnds::kCrLf && ends != LineEnds::kCr;
    return {static_cast<uint8_t>(ends_line), unit.size};
  }
  if (ends == LineEnds::kCr) return {1, unit.size};
  if (ends == LineEnds::kLf) return {0, unit.size};
  const Unit next = At(at_ + unit.size);
  if (next.size == 0 && !last_) return {};
  if (next.size != 0 && next.code == '\n') return {1, static_cast<uint8_t>(unit.size + next.size)};
  return {static_cast<uint8_t>(ends == LineEnds::kAny), unit.size};
}

Splitter::Step Splitter::EndRecord(Unit unit) {
  at_ += unit.size;
  ++lines_;
  return Step::kRecord;
}

// CR, LF and CRLF are one line each, as an editor counts them.
void Splitter::CountLine(Unit unit) {
  if (unit.code == '\r' || !after_cr_) ++lines_;
  after_cr_ = unit.code == '\r';
}

void Splitter::EndField(size_t end) {
  field_.end = end;
  at_end_of_field_ = end;
  fields_.push_back(field_);
  state_ = State::kFieldStart;
}

Splitter::Step Splitter::Bad(const char* mistake) {
  mistake_ = mistake;
  return Step::kBad;
}

// The bytes end inside of a record, or before one.
Splitter::Result Splitter::AtLast() {
  if (at_ == 0 && fields_.empty() && state_ == State::kFieldStart) return Result::kEnd;
  if (state_ == State::kQuoted) {
    mistake_ = "is quoted and never closed";
    return Result::kBad;
  }
  if (state_ == State::kFieldStart) field_ = {at_, at_, false, false};
  if (dialect_.needs_last_line_end) {
    mistake_ = "ends without a line end, as if the file were cut short";
    return Result::kBad;
  }
  EndField(state_ == State::kQuoteSeen ? field_.end : at_);
  ++lines_;
  return Result::kRecord;
}

}  // namespace sluice::adapters::delimited
