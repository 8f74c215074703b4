#include "adapters/copybook/rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::adapters::copybook {
namespace {

using records::TypeId;

// A number as people write it; nothing where the text is none.
std::optional<Number> NumberIn(const std::string& text) {
  const size_t point = text.find('.');
  Number number;
  number.scale = point == text.npos ? 0 : static_cast<int>(text.size() - point - 1);
  if (number.scale > 38) return std::nullopt;
  const auto value = records::ParseDecimal(text, 38, number.scale);
  if (!value.ok()) return std::nullopt;
  number.found = Found::kNumber;
  number.value = *value;
  return number;
}

bool SameNumber(const Number& a, const Number& b) {
  Decimal128 left = a.value, right = b.value;
  const int scale = std::max(a.scale, b.scale);
  return Rescale(left, a.scale, scale) && Rescale(right, b.scale, scale) && left == right;
}

bool MayBeShort(const RecordSettings& settings) {
  return settings.short_is_null.value_or(settings.format == RecordFormat::kLines);
}

bool WordSaysLength(RecordFormat format) {
  return format == RecordFormat::kRdw || format == RecordFormat::kBlocked;
}

bool IsBlocked(RecordFormat format) {
  return format == RecordFormat::kBlocked || format == RecordFormat::kFixedBlocked;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CopybookRows>> CopybookRows::Make(
    std::shared_ptr<const CopybookSettings> settings, std::shared_ptr<const Content> content,
    std::shared_ptr<const TableLayout> layout, std::string table,
    const std::vector<files::ColumnRequest>& columns) {
  SLUICE_ASSIGN_OR_RETURN(auto text, TextReader::Make(*settings));
  RecordStream stream(std::move(content), settings->records, layout->shape, table);
  std::unique_ptr<CopybookRows> rows(
      new CopybookRows(std::move(settings), std::move(layout), std::move(stream), std::move(text)));
  const RecordSettings& records = rows->settings_->records;
  rows->short_is_null_ = MayBeShort(records);
  rows->checks_size_ = rows->layout_->shape->moves() && WordSaysLength(records.format);
  rows->path_.assign(rows->layout_->path.size(), 0);
  if (rows->layout_->segment_leaf >= 0) {
    rows->segment_condition_ = {rows->layout_->segment_leaf, {}, rows->layout_->segment_values};
    rows->other_condition_ = {rows->layout_->segment_leaf, {}, rows->layout_->other_values};
    rows->segment_ = rows->TestOf(rows->segment_condition_);
    rows->other_segment_ = rows->TestOf(rows->other_condition_);
  }
  rows->parts_.reserve(columns.size());
  for (const files::ColumnRequest& column : columns) rows->AddPart(column, table);
  rows->FindFixed();
  return rows;
}

void CopybookRows::AddPart(const files::ColumnRequest& column, const std::string& table) {
  constexpr int64_t kFixed = 17;       // of the widest type, or an offset, and a bit of validity
  constexpr int64_t kNumberText = 42;  // 38 digits, a sign, a point and a zero before it
  Part& part = parts_.emplace_back();
  part.plan = &layout_->plans[column.column];
  most_bytes_ += kFixed;
  const bool text = column.type.id == TypeId::kUtf8 || column.type.id == TypeId::kBinary;
  static const Leaf* const number = new Leaf;
  part.leaf = number;
  if (part.plan->kind != ColumnPlan::Kind::kField) return;
  part.leaf = &layout_->shape->leaves()[part.plan->leaf];
  part.reader.emplace(*part.leaf, column.type, settings_->rules.RuleOf(table, column.name),
                      settings_->BinaryIsText(table, column.name), *text_);
  for (const Condition& condition : part.plan->holds) part.holds.push_back(TestOf(condition));
  if (part.plan->null_if) part.null_if = TestOf(*part.plan->null_if);
  part.plain = part.holds.empty() && !part.null_if && part.plan->guards.empty() &&
               part.plan->length_leaf < 0;
  if (text) most_bytes_ += std::max(kNumberText, part.leaf->size * settings_->page->expansion());
}

CopybookRows::Test CopybookRows::TestOf(const Condition& condition) const {
  Test test;
  test.condition = &condition;
  test.leaf = &layout_->shape->leaves()[condition.leaf];
  for (const std::string& value : condition.values) test.values.push_back({value, NumberIn(value)});
  return test;
}

// Where things lie that do so in every record, and who tells the others.
void CopybookRows::FindFixed() {
  const Shape& shape = *layout_->shape;
  std::vector<bool> leaves(shape.leaves().size(), false), tables(shape.tables().size(), false);
  for (const Part& part : parts_) {
    if (part.plan->kind != ColumnPlan::Kind::kField) continue;
    leaves[part.plan->leaf] = true;
    if (part.plan->length_leaf >= 0) leaves[part.plan->length_leaf] = true;
    for (const Condition& condition : part.plan->holds) leaves[condition.leaf] = true;
    if (part.plan->null_if) leaves[part.plan->null_if->leaf] = true;
    for (const Guard& guard : part.plan->guards) tables[guard.table] = true;
  }
  for (const int table : layout_->path) tables[table] = true;
  if (layout_->segment_leaf >= 0) leaves[layout_->segment_leaf] = true;
  locator_.emplace(layout_->shape, leaves, tables);
  if (shape.moves()) return;
  for (Part& part : parts_)
    if (part.plan->leaf >= 0 && part.plan->element.steps.empty())
      part.fixed = locator_->At(part.plan->leaf, part.plan->element.base);
}

void CopybookRows::Seek(const Place& place) {
  Place from = place;
  // A block's place is that of its first record; the table's first block begins with the first.
  const bool first = place.offset == layout_->rows.offset;
  if (first && IsBlocked(settings_->records.format)) from.number = layout_->rows.number;
  stream_.Seek(from);
  in_record_ = false;
  place_ = {-1, from.number, 0};
  sought_ = true;
  wanted_part_ = place.part;
  wanted_number_ = !first && IsBlocked(settings_->records.format) ? place.number : 0;
}

absl::StatusOr<bool> CopybookRows::Next(const Watch& watch) {
  // A bad record before the one that is sought, in the same block, is gone behind by another Next.
  const int64_t offset = stream_.NextPlace().offset;
  SLUICE_ASSIGN_OR_RETURN(bool any, NextRow(watch));
  if (!sought_) return any;
  while (any && place_.offset == offset && place_.part < wanted_part_) {
    SLUICE_ASSIGN_OR_RETURN(any, NextRow(watch));
  }
  sought_ = false;
  if (any && wanted_number_ > 0) {
    stream_.Renumber(wanted_number_);
    place_.number = wanted_number_;
  }
  return any;
}

absl::StatusOr<bool> CopybookRows::NextRow(const Watch& watch) {
  if (in_record_ && !path_.empty()) {
    ++path_.back();
    in_record_ = Settle(path_.size() - 1);
  } else {
    in_record_ = false;
  }
  if (!in_record_) {
    const absl::StatusOr<bool> any = NextRecord(watch);
    if (!any.ok()) StumbleAt(stream_.place());
    SLUICE_ASSIGN_OR_RETURN(in_record_, any);
    if (!in_record_) return false;
    occurrence_ = 0;
  }
  ++occurrence_;
  const Place& place = stream_.place();
  const bool same = place.offset == place_.offset;
  place_ = {place.offset, place.number, same ? place_.part + 1 : 0};
  return true;
}

// The record has no row: the block's next one has the place that this one would have had.
void CopybookRows::StumbleAt(const Place& place) {
  if (place.offset != place_.offset) place_ = {place.offset, place.number, -1};
  place_.number = place.number;
}

absl::StatusOr<bool> CopybookRows::NextRecord(const Watch& watch) {
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const bool any, stream_.Next(watch));
    if (!any) return false;
    record_ = stream_.record();
    const bool located = locator_->Locate(record_);
    SLUICE_RETURN_IF_ERROR(CheckLength());
    if (!located) {
      const Locator::Trouble& trouble = locator_->trouble();
      return stream_.Bad(absl::StrCat("'", trouble.counter->name, "' is ",
                                      trouble.too_many ? "more than its OCCURS has"
                                                       : "no number, and an OCCURS depends on it"));
    }
    SLUICE_ASSIGN_OR_RETURN(const bool here, BelongsHere());
    if (!here) continue;
    if (path_.empty()) return true;
    for (size_t level = 0; level < path_.size(); ++level) path_[level] = 0;
    if (CountAt(0) < 0)
      return stream_.Bad("the count of the OCCURS that rows are made of is no number of its own");
    if (Settle(0)) return true;
  }
}

absl::Status CopybookRows::CheckLength() const {
  if (short_is_null_ && settings_->records.cuts_long) return absl::OkStatus();
  const auto size = static_cast<int64_t>(record_.size());
  const Shape& shape = *layout_->shape;
  const int64_t least = checks_size_ ? locator_->size() : shape.least();
  if (size < (checks_size_ ? std::max(least, shape.least()) : least) && !short_is_null_)
    return stream_.Bad(absl::StrCat("its length is ", size, " bytes, and the copybook describes ",
                                    "more (short_records)"));
  if (checks_size_ && size > locator_->size() && !settings_->records.cuts_long)
    return stream_.Bad(
        absl::StrCat("its length is ", size, " bytes, and its OCCURS take fewer (long_records)"));
  return absl::OkStatus();
}

absl::StatusOr<bool> CopybookRows::BelongsHere() {
  if (!segment_) return true;
  if (Holds(*segment_)) return true;
  if (settings_->skips_other_segments || Holds(*other_segment_)) return false;
  return stream_.Bad("its segment is none of those in the settings (segment.NAME, other_segments)");
}

// How often the table of that level is there, within the occurrences of those around it.
int64_t CopybookRows::CountAt(size_t level) const {
  const Shape& shape = *layout_->shape;
  const Table& table = shape.tables()[layout_->path[level]];
  if (table.counter < 0 && !shape.moves()) return table.most;
  int64_t around = 0;
  for (size_t outer = 0; outer < level; ++outer)
    around = around * shape.tables()[layout_->path[outer]].most + path_[outer];
  return locator_->CountOf(layout_->path[level], around);
}

// The occurrence at that level, or the next one that there is.
bool CopybookRows::Settle(size_t level) {
  for (;;) {
    if (path_[level] < CountAt(level)) {
      if (level + 1 == path_.size()) return true;
      path_[++level] = 0;
    } else {
      if (level == 0) return false;
      ++path_[--level];
    }
  }
}

std::string_view CopybookRows::BytesAt(int64_t at, int64_t size) const {
  const int64_t there = std::clamp<int64_t>(static_cast<int64_t>(record_.size()) - at, 0, size);
  if (at < 0 || there == 0) return {};
  return record_.substr(static_cast<size_t>(at), static_cast<size_t>(there));
}

bool CopybookRows::Equals(const Leaf& leaf, int64_t at, const Test& test) {
  const std::string_view bytes = BytesAt(at, leaf.size);
  if (leaf.number() && leaf.item->picture) {
    if (static_cast<int64_t>(bytes.size()) < leaf.size) return false;
    const Number number = ReadNumber(leaf.form, bytes);
    if (number.found != Found::kNumber) return false;
    return std::any_of(test.values.begin(), test.values.end(), [&](const Test::Known& known) {
      return known.number && SameNumber(*known.number, number);
    });
  }
  const auto text = text_->Read(*leaf.item, bytes, Trim::kBoth);
  return text && std::any_of(test.values.begin(), test.values.end(),
                             [&](const Test::Known& known) { return known.text == *text; });
}

bool CopybookRows::Holds(const Test& test) {
  const int64_t at = locator_->At(test.condition->leaf, test.condition->element.At(path_));
  return Equals(*test.leaf, at, test);
}

std::optional<Value> CopybookRows::Read(size_t i) {
  Part& part = parts_[i];
  // The usual case: the field lies where it always does, and wholly.
  if (part.plain && part.fixed >= 0) {
    const auto at = static_cast<size_t>(part.fixed), size = static_cast<size_t>(part.leaf->size);
    if (at + size <= record_.size()) {
      auto value = part.reader->Read({record_.data() + at, size});
      if (!value) why_ = part.reader->why();
      return value;
    }
  }
  switch (part.plan->kind) {
    case ColumnPlan::Kind::kField:
      return ReadField(part);
    case ColumnPlan::Kind::kRecordNumber:
      return Value(place_.number);
    case ColumnPlan::Kind::kOccurrenceNumber:
      return Value(occurrence_);
    case ColumnPlan::Kind::kRecordLength:
      return Value(static_cast<int64_t>(record_.size()));
  }
  return std::nullopt;
}

std::optional<Value> CopybookRows::ReadField(Part& part) {
  why_ = "";
  const ColumnPlan& plan = *part.plan;
  const Leaf& leaf = *part.leaf;
  if (!part.plain) {
    for (const Test& test : part.holds)
      if (!Holds(test)) return Value();
    for (const Guard& guard : plan.guards) {
      const int64_t count = locator_->CountOf(guard.table, guard.around.At(path_));
      if (count < 0) {
        why_ = "the count of its OCCURS is no number, or more than there can be";
        return std::nullopt;
      }
      if (guard.index >= count) return Value();
    }
    if (part.null_if && Holds(*part.null_if)) return Value();
  }
  const int64_t at = part.fixed >= 0 ? part.fixed : locator_->At(plan.leaf, plan.element.At(path_));
  std::string_view raw = BytesAt(at, leaf.size);
  if (static_cast<int64_t>(raw.size()) < leaf.size) {
    // A text may be cut short, a number not.
    if (raw.empty() || part.reader->number()) return Value();
    const bool wide = leaf.item->usage == Usage::kNational || leaf.item->usage == Usage::kDbcs;
    if (wide && raw.size() % 2 != 0) raw.remove_suffix(1);
  }
  if (plan.length_leaf >= 0) {
    const Leaf& length = layout_->shape->leaves()[plan.length_leaf];
    const std::string_view bytes =
        BytesAt(locator_->At(plan.length_leaf, plan.length_element.At(path_)), length.size);
    Number number;
    if (static_cast<int64_t>(bytes.size()) == length.size && length.item->picture)
      number = ReadNumber(length.form, bytes);
    const bool wide = leaf.item->usage == Usage::kNational || leaf.item->usage == Usage::kDbcs;
    const Decimal128 size = number.value * (wide ? 2 : 1);
    if (number.found != Found::kNumber || number.scale != 0 || size < 0 ||
        size > static_cast<Decimal128>(raw.size())) {
      why_ = "the field that says its length holds none that fits";
      return std::nullopt;
    }
    raw = raw.substr(0, static_cast<size_t>(size));
  }
  auto value = part.reader->Read(raw);
  if (!value) why_ = part.reader->why();
  return value;
}

}  // namespace sluice::adapters::copybook
