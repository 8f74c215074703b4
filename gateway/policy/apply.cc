#include "gateway/policy/apply.h"

#include <algorithm>
#include <numeric>

#include "gateway/base/crypto.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/records/row_batch.h"

namespace sluice::policy {
namespace {

// Masked columns by granted field, each made at most once.
class MaskedColumns {
 public:
  MaskedColumns(const Plan& plan, const records::RecordBatch& scanned,
                const audit::Pseudonyms& pseudonyms)
      : plan_(plan),
        scanned_(scanned),
        pseudonyms_(pseudonyms),
        columns_(plan.grant->granted.size()) {}

  const records::Column& Raw(int field) const {
    const auto at = std::find(plan_.scan_fields.begin(), plan_.scan_fields.end(), field);
    return scanned_.column(static_cast<size_t>(at - plan_.scan_fields.begin()));
  }
  const records::Column& Masked(int granted) {
    auto& column = columns_[static_cast<size_t>(granted)];
    if (!column) {
      const int field = plan_.grant->granted[static_cast<size_t>(granted)];
      column = ApplyMask(plan_.grant->mask(granted), Raw(field), *plan_.dataset, field,
                         plan_.grant->definition.consumer_agency(), pseudonyms_);
    }
    return *column;
  }

 private:
  const Plan& plan_;
  const records::RecordBatch& scanned_;
  const audit::Pseudonyms& pseudonyms_;
  std::vector<std::optional<records::Column>> columns_;
};

}  // namespace

absl::StatusOr<Applied> Apply(const Plan& plan, const records::RecordBatch& scanned, int64_t most,
                              const audit::Pseudonyms& pseudonyms) {
  if (scanned.columns().size() != plan.scan_fields.size())
    return absl::InternalError("a scanned batch has other columns than were asked for");
  const int fields = static_cast<int>(plan.dataset->schema->size());
  MaskedColumns before(plan, scanned, pseudonyms);
  records::ColumnView view(static_cast<size_t>(fields) + plan.grant->granted.size(), nullptr);
  for (int field : records::FieldsOf(plan.predicate)) {
    view[static_cast<size_t>(field)] =
        field < fields ? &before.Raw(field) : &before.Masked(field - fields);
  }
  std::vector<int64_t> kept = records::Evaluate(plan.predicate, view, scanned.rows());
  if (static_cast<int64_t>(kept.size()) > most) kept.resize(static_cast<size_t>(most));

  // Only rows that leave are masked.
  const records::RecordBatch rows = scanned.Take(kept);
  MaskedColumns masked(plan, rows, pseudonyms);
  std::vector<records::Column> output;
  for (const OutputField& field : plan.output) output.push_back(masked.Masked(field.granted));
  const auto count = static_cast<int64_t>(kept.size());
  return Applied{records::RecordBatch(plan.output_schema, std::move(output), count),
                 std::move(kept)};
}

std::vector<int64_t> ShuffleOrder(const records::RecordBatch& output, std::string_view key) {
  std::vector<Hash> digests;
  for (int64_t row = 0; row < output.rows(); ++row)
    digests.push_back(HmacSha256(key, records::EncodeRowBatch(output.Take({row}))));
  std::vector<int64_t> order(static_cast<size_t>(output.rows()));
  std::iota(order.begin(), order.end(), 0);
  // Equal rows cannot be told apart, so their order says nothing.
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return digests[a] < digests[b]; });
  return order;
}

}  // namespace sluice::policy
