#include "adapters/remote/messages.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/records/row_batch.h"

namespace sluice::adapters::remote {
namespace {

using records::Op;
using records::Predicate;
using records::TypeId;

// Parsers of messages stop at a depth of 100.
constexpr int kMostDepth = 64;
// Of the predicate: what else is in a request is small.
constexpr size_t kMostPredicateBytes = kMostRequestBytes / 2;
constexpr size_t kMostInList = 1'000;
constexpr int kMostNotes = 32;
constexpr int kMostProposals = 512;
constexpr size_t kMostNoteBytes = 1'000;

absl::Status Wrong(std::string_view where, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(View(where), ": ", View(what)));
}

void SetTime(Micros time, google::protobuf::Timestamp* out) {
  Micros seconds = time / kSecond, rest = time % kSecond;
  if (rest < 0) --seconds, rest += kSecond;
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(rest * 1000));
}

// Op and PredicateOp in the same order.
v1::PredicateOp OpOf(Op op) {
  return static_cast<v1::PredicateOp>(static_cast<int>(op) + v1::PREDICATE_OP_TRUE);
}
static_assert(v1::PREDICATE_OP_TRUE == 1 + static_cast<int>(Op::kTrue));
static_assert(v1::PREDICATE_OP_NOT == 1 + static_cast<int>(Op::kNot));
static_assert(v1::PREDICATE_OP_EQUAL == 1 + static_cast<int>(Op::kEqual));
static_assert(v1::PREDICATE_OP_IN == 1 + static_cast<int>(Op::kIn));
static_assert(v1::PREDICATE_OP_STARTS_WITH == 1 + static_cast<int>(Op::kStartsWith));

bool IsLeaf(Op op) { return op >= Op::kEqual; }

// False where it is too deep.
bool WritePredicate(const Predicate& predicate, const std::vector<FieldRequest>& fields, int depth,
                    v1::Predicate& out) {
  if (depth > kMostDepth) return false;
  out.set_op(OpOf(predicate.op));
  if (IsLeaf(predicate.op)) {
    out.set_field(predicate.field);
    for (const records::Scalar& value : predicate.values)
      *out.add_values() = ToProto(value, fields[predicate.field].field.type);
  }
  for (const Predicate& child : predicate.children)
    if (!WritePredicate(child, fields, depth + 1, *out.add_children())) return false;
  return true;
}

bool HasAsMany(const v1::Predicate& predicate, size_t values, size_t children) {
  return static_cast<size_t>(predicate.values_size()) == values &&
         static_cast<size_t>(predicate.children_size()) == children;
}

bool WellFormed(const v1::Predicate& predicate, Op op) {
  const auto values = static_cast<size_t>(predicate.values_size());
  switch (op) {
    case Op::kTrue:
    case Op::kFalse:
      return HasAsMany(predicate, 0, 0);
    case Op::kAnd:
    case Op::kOr:
      return values == 0 && predicate.children_size() > 0;
    case Op::kNot:
      return HasAsMany(predicate, 0, 1);
    case Op::kIn:
      return values > 0 && values <= kMostInList && predicate.children_size() == 0;
    case Op::kIsNull:
      return HasAsMany(predicate, 0, 0);
    default:
      return HasAsMany(predicate, 1, 0);
  }
}

absl::StatusOr<Predicate> ReadPredicate(const v1::Predicate& predicate,
                                        const std::vector<FieldRequest>& fields) {
  if (predicate.op() < v1::PREDICATE_OP_TRUE || predicate.op() > v1::PREDICATE_OP_STARTS_WITH)
    return Wrong("predicate", "an operator that is not known");
  Predicate made;
  made.op = static_cast<Op>(predicate.op() - v1::PREDICATE_OP_TRUE);
  if (!WellFormed(predicate, made.op))
    return Wrong("predicate", "its operator takes another number of values or children");
  if (IsLeaf(made.op)) {
    if (predicate.field() < 0 || static_cast<size_t>(predicate.field()) >= fields.size())
      return Wrong("predicate", "a field that is none");
    made.field = predicate.field();
    const records::DataType& type = fields[made.field].field.type;
    if (made.op == Op::kStartsWith && type.id != TypeId::kUtf8)
      return Wrong("predicate", "a prefix of what is no text");
    for (const v1::Value& value : predicate.values()) {
      auto scalar = records::ScalarFromProto(value, type);
      if (!scalar.ok() || std::holds_alternative<std::monostate>(*scalar))
        return Wrong("predicate", "a value that is not of its field's type");
      made.values.push_back(*std::move(scalar));
    }
  }
  for (const v1::Predicate& child : predicate.children()) {
    SLUICE_ASSIGN_OR_RETURN(Predicate one, ReadPredicate(child, fields));
    made.children.push_back(std::move(one));
  }
  return made;
}

absl::StatusOr<KeyPosition> ReadPosition(const v1::KeyPosition& position, const ScanRequest& scan) {
  if (static_cast<size_t>(position.values_size()) != scan.key.size() || scan.key.empty())
    return Wrong("after", "not as many values as the key has");
  KeyPosition made;
  for (int i = 0; i < position.values_size(); ++i) {
    auto scalar = records::ScalarFromProto(position.values(i), scan.fields[scan.key[i]].field.type);
    if (!scalar.ok()) return Wrong("after", "a value that is not of its field's type");
    made.push_back(*std::move(scalar));
  }
  return made;
}

}  // namespace

v1::Value ToProto(const records::Scalar& value, const records::DataType& type) {
  v1::Value out;
  if (std::holds_alternative<std::monostate>(value)) return out;
  switch (type.id) {
    case TypeId::kBool:
      out.set_bool_value(std::get<bool>(value));
      break;
    case TypeId::kInt64:
      out.set_int64_value(std::get<int64_t>(value));
      break;
    case TypeId::kFloat64:
      out.set_double_value(std::get<double>(value));
      break;
    case TypeId::kDecimal128:
      out.set_decimal_value(
          records::FormatDecimal(std::get<records::Decimal128>(value), type.scale));
      break;
    case TypeId::kDate32:
      out.set_date_value(records::FormatDate(std::get<int32_t>(value)));
      break;
    case TypeId::kTimestamp:
      SetTime(std::get<int64_t>(value), out.mutable_timestamp_value());
      break;
    case TypeId::kUtf8:
      out.set_string_value(std::get<std::string>(value));
      break;
    case TypeId::kBinary:
      out.set_bytes_value(std::get<std::string>(value));
      break;
  }
  return out;
}

v1::ScanRequest ToProto(const ScanRequest& request, const std::string& source) {
  v1::ScanRequest out;
  out.set_source(source);
  out.set_table(request.table);
  for (const FieldRequest& field : request.fields) {
    v1::ScanField& one = *out.add_fields();
    one.set_column(field.column);
    one.set_name(field.field.name);
    *one.mutable_type() = records::ToProto(field.field.type);
    one.set_not_null(!field.field.nullable);
  }
  for (const int field : request.key) out.add_key(field);
  if (request.after) {
    out.mutable_after();
    for (size_t i = 0; i < request.after->size(); ++i)
      *out.mutable_after()->add_values() =
          ToProto((*request.after)[i], request.fields[request.key[i]].field.type);
  }
  if (request.predicate.op != Op::kTrue) {
    if (!WritePredicate(request.predicate, request.fields, 0, *out.mutable_predicate()) ||
        out.predicate().ByteSizeLong() > kMostPredicateBytes)
      out.clear_predicate();
  }
  out.set_rows_wanted(request.rows_wanted);
  out.set_null_bad_values(request.on_bad_value == OnBadValue::kNullAndCount);
  out.set_reject_bad_records(request.on_bad_record == OnBadRecord::kRejectAndCount);
  return out;
}

absl::StatusOr<ScanRequest> FromProto(const v1::ScanRequest& request) {
  ScanRequest scan;
  scan.table = request.table();
  for (const v1::ScanField& field : request.fields()) {
    const auto type = records::FromProto(field.type());
    if (!type.ok())
      return Wrong(absl::StrCat("fields[", scan.fields.size(), "]"), "a type that is none");
    scan.fields.push_back({field.column(), {field.name(), *type, !field.not_null()}});
  }
  if (scan.fields.empty()) return Wrong("fields", "is empty");
  for (const int field : request.key()) {
    if (field < 0 || static_cast<size_t>(field) >= scan.fields.size() ||
        std::count(scan.key.begin(), scan.key.end(), field) > 0)
      return Wrong("key", "a field that is none, or one twice");
    scan.key.push_back(field);
  }
  if (request.has_after()) {
    SLUICE_ASSIGN_OR_RETURN(scan.after, ReadPosition(request.after(), scan));
  }
  if (request.has_predicate()) {
    SLUICE_ASSIGN_OR_RETURN(scan.predicate, ReadPredicate(request.predicate(), scan.fields));
  }
  if (request.rows_wanted() < 0) return Wrong("rows_wanted", "is below zero");
  scan.rows_wanted = request.rows_wanted();
  scan.on_bad_value = request.null_bad_values() ? OnBadValue::kNullAndCount : OnBadValue::kStop;
  scan.on_bad_record =
      request.reject_bad_records() ? OnBadRecord::kRejectAndCount : OnBadRecord::kStop;
  return scan;
}

v1::TableDescription ToProto(const TableDescription& table) {
  v1::TableDescription out;
  out.set_table(table.table);
  for (const ColumnDescription& column : table.columns) {
    v1::ColumnDescription& one = *out.add_columns();
    one.set_name(column.name);
    *one.mutable_type() = records::ToProto(column.type);
    one.set_not_null(!column.nullable);
    one.set_source_type(column.source_type);
  }
  for (const std::vector<std::string>& key : table.unique_keys)
    out.add_unique_keys()->mutable_columns()->Add(key.begin(), key.end());
  out.set_snapshot(table.snapshot);
  *out.mutable_version() = ToProto(table.version);
  out.set_note(table.note);
  if (table.rows) out.set_rows(*table.rows);
  out.mutable_proposals()->Add(table.proposals.begin(), table.proposals.end());
  return out;
}

absl::StatusOr<TableDescription> FromProto(const v1::TableDescription& table) {
  TableDescription made;
  made.table = table.table();
  for (const v1::ColumnDescription& column : table.columns()) {
    const auto type = records::FromProto(column.type());
    if (!type.ok())
      return Wrong(absl::StrCat("table '", table.table(), "', column '", column.name(), "'"),
                   "a type that is none");
    made.columns.push_back({column.name(), *type, !column.not_null(), column.source_type()});
  }
  for (const v1::UniqueKey& key : table.unique_keys())
    made.unique_keys.emplace_back(key.columns().begin(), key.columns().end());
  made.snapshot = table.snapshot();
  made.version = FromProto(table.version());
  made.note = table.note().substr(0, kMostNoteBytes);
  if (table.has_rows() && table.rows() >= 0) made.rows = table.rows();
  for (const std::string& proposal : table.proposals())
    if (static_cast<int>(made.proposals.size()) < kMostProposals)
      made.proposals.push_back(proposal.substr(0, kMostNoteBytes));
  return made;
}

std::vector<std::string> NotesOf(const v1::ProbeResponse& response) {
  std::vector<std::string> notes;
  for (const std::string& note : response.notes())
    if (static_cast<int>(notes.size()) < kMostNotes)
      notes.push_back(note.substr(0, kMostNoteBytes));
  return notes;
}

v1::SourceVersion ToProto(const SourceVersion& version) {
  v1::SourceVersion out;
  out.set_version(version.version);
  out.set_rejected_records(version.rejected_records);
  if (version.as_of) SetTime(*version.as_of, out.mutable_as_of());
  return out;
}

SourceVersion FromProto(const v1::SourceVersion& version) {
  SourceVersion made;
  made.version = version.version();
  made.rejected_records = std::max<int64_t>(version.rejected_records(), 0);
  // A time that no clock shows is no time.
  constexpr int64_t kLatest = records::kMaxTimestamp / kSecond;
  if (version.has_as_of() && version.as_of().seconds() >= 0 &&
      version.as_of().seconds() <= kLatest && version.as_of().nanos() >= 0 &&
      version.as_of().nanos() < 1'000'000'000)
    made.as_of = version.as_of().seconds() * kSecond + version.as_of().nanos() / 1000;
  return made;
}

}  // namespace sluice::adapters::remote
