#include "tests/system/through_gateway.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/row_batch.h"
#include "tests/system/deployment.h"
#include "tests/system/filter_of_predicate.h"

namespace sluice::system_test {
namespace {

using adapters::Adapter;
using adapters::CallContext;
using adapters::RecordReader;
using adapters::ScanRequest;
using adapters::conformance::AdapterUnderTest;
using adapters::conformance::TableData;

// One gateway for all cases, made when the first needs it.
Deployment& Shared() {
  static auto* const gateway = [] {
    auto* made = new Deployment();
    made->Replace("sluiced.yaml", "max_page_rows: 1000", "max_page_rows: 10000");
    made->Start();
    return made;
  }();
  return *gateway;
}

// A dataset that asks for what a scan asks for.
struct Offer {
  std::string dataset;
  std::vector<std::string> names;  // of its fields
};

bool IsFieldName(const std::string& name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

class GatewayReader : public RecordReader {
 public:
  GatewayReader(v1::QueryRequest query, ScanRequest request, CallContext context)
      : query_(std::move(query)), request_(std::move(request)), context_(std::move(context)) {}

  absl::StatusOr<std::optional<records::RecordBatch>> Next() override {
    if (cancelled_.stopped() || (context_.stop != nullptr && context_.stop->stopped()))
      return Error(v1::REASON_CANCELLED, "the consumer gave up.");
    if (ended_) return std::nullopt;
    SLUICE_ASSIGN_OR_RETURN(const v1::QueryResponse reply,
                            Call(Shared().As("relief"), cli::kQuery, query_));
    query_.set_page_token(reply.next_page_token());
    ended_ = reply.next_page_token().empty();
    bad_values_ += reply.applied().bad_values();
    version_.version = reply.applied().source_version();
    if (reply.rows() == 0) return std::nullopt;
    SLUICE_ASSIGN_OR_RETURN(const records::RecordBatch batch,
                            records::DecodeRowBatch(reply.payload()));
    std::vector<records::Field> fields;
    for (const adapters::FieldRequest& field : request_.fields) fields.push_back(field.field);
    return records::RecordBatch(std::make_shared<const records::Schema>(std::move(fields)),
                                batch.columns(), batch.rows());
  }
  void Cancel() override { cancelled_.Stop(); }
  adapters::SourceVersion version() const override { return version_; }
  int64_t bad_values() const override { return bad_values_; }
  // Consumers are told how many, not which.
  const std::vector<adapters::BadCell>& bad_cells() const override { return bad_cells_; }

 private:
  v1::QueryRequest query_;
  const ScanRequest request_;
  const CallContext context_;
  adapters::StopToken cancelled_;
  adapters::SourceVersion version_;
  int64_t bad_values_ = 0;
  const std::vector<adapters::BadCell> bad_cells_;
  bool ended_ = false;
};

class GatewayAdapter : public Adapter {
 public:
  explicit GatewayAdapter(std::string source) : source_(std::move(source)) {}

  absl::StatusOr<std::vector<adapters::TableDescription>> Describe(const std::string&,
                                                                   const CallContext&) override {
    return absl::NotFoundError("consumers see the catalogue, not the source's tables");
  }

  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext& context) override {
    SLUICE_ASSIGN_OR_RETURN(const Offer* offer, OfferFor(request));
    v1::QueryRequest query;
    query.set_dataset(offer->dataset);
    query.set_purpose("relief");
    std::vector<records::Field> fields;
    for (const adapters::FieldRequest& field : request.fields) fields.push_back(field.field);
    SetFilter(request.predicate, fields, offer->names, query);
    last_ = query;
    return std::make_unique<GatewayReader>(std::move(query), std::move(request), context);
  }

  // As far as a consumer can tell.
  absl::Status Probe(const CallContext&) override {
    if (!last_) return absl::OkStatus();
    v1::QueryRequest query = *last_;
    query.clear_page_token();
    return Call(Shared().As("relief"), cli::kQuery, query).status();
  }

 private:
  absl::StatusOr<const Offer*> OfferFor(const ScanRequest& request) {
    v1::Dataset dataset;
    dataset.mutable_title()->set_en("A case of the conformance suite");
    dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
    dataset.add_purposes("relief");
    dataset.set_update_cycle(v1::UPDATE_CYCLE_REALTIME);
    dataset.set_source(source_);
    dataset.set_table(request.table);
    dataset.set_on_bad_value(request.on_bad_value == adapters::OnBadValue::kStop
                                 ? v1::ON_BAD_VALUE_STOP
                                 : v1::ON_BAD_VALUE_NULL_AND_COUNT);
    Offer offer;
    for (size_t i = 0; i < request.fields.size(); ++i) {
      const records::Field& wanted = request.fields[i].field;
      v1::DatasetField& field = *dataset.add_fields();
      field.set_name(IsFieldName(wanted.name) ? wanted.name : absl::StrCat("f", i));
      field.set_column(request.fields[i].column);
      *field.mutable_type() = records::ToProto(wanted.type);
      field.set_field_class(v1::FIELD_CLASS_L1_OPEN);
      field.set_not_null(!wanted.nullable);
      if (wanted.type.id == records::TypeId::kTimestamp && !wanted.type.utc)
        dataset.set_time_zone("Asia/Shanghai");
      offer.names.push_back(field.name());
    }
    for (const int field : request.key) dataset.add_key(offer.names[field]);
    const std::string same = dataset.SerializeAsString();
    if (const auto found = offers_.find(same); found != offers_.end()) return &found->second;

    offer.dataset = absl::StrCat("public-security/", source_, "-", offers_.size());
    dataset.set_name(offer.dataset);
    v1::ApplyDatasetRequest apply;
    *apply.mutable_dataset() = dataset;
    SLUICE_RETURN_IF_ERROR(
        Call(Shared().As("residents-owner"), cli::kApplyDataset, apply).status());
    SLUICE_RETURN_IF_ERROR(Allow(dataset));
    return &offers_.emplace(same, std::move(offer)).first->second;
  }

  static absl::Status Allow(const v1::Dataset& dataset) {
    v1::ApplyGrantRequest apply;
    v1::Grant& grant = *apply.mutable_grant();
    grant.set_dataset(dataset.name());
    grant.set_consumer_agency("civil-affairs");
    grant.add_purposes("relief");
    grant.mutable_basis()->set_law("示例");
    grant.mutable_basis()->set_article("第一条");
    for (const v1::DatasetField& field : dataset.fields())
      grant.add_fields()->set_name(field.name());
    grant.add_modes(v1::MODE_QUERY);
    grant.mutable_expires()->set_seconds(MakeSystemClock()->Now() / kSecond + 86'400);
    return Call(Shared().As("residents-owner"), cli::kApplyGrant, apply).status();
  }

  const std::string source_;
  std::map<std::string, Offer> offers_;
  std::optional<v1::QueryRequest> last_;
};

class SourceThroughGateway : public AdapterUnderTest {
 public:
  explicit SourceThroughGateway(std::unique_ptr<AdapterUnderTest> source)
      : source_(std::move(source)) {}

  void Make(const TableData& table) override { source_->Make(table); }
  void SpoilValue(const TableData& table, int field, int64_t row) override {
    source_->SpoilValue(table, field, row);
  }
  void Break() override { source_->Break(); }
  Source AsSource() const override { return source_->AsSource(); }

  std::unique_ptr<Adapter> Open() override {
    static int number = 0;
    const Source definition = AsSource();
    v1::ApplySourceRequest apply;
    v1::Source& source = *apply.mutable_source();
    source.set_id(absl::StrCat("case-", number++));
    source.set_owner_agency("public-security");
    source.set_kind(definition.kind);
    for (const auto& [name, value] : definition.settings)
      (*source.mutable_settings())[name] = value;
    const auto applied = Call(Shared().As("operator"), cli::kApplySource, apply);
    EXPECT_TRUE(applied.ok()) << applied.status();
    return std::make_unique<GatewayAdapter>(source.id());
  }

 private:
  const std::unique_ptr<AdapterUnderTest> source_;
};

}  // namespace

adapters::conformance::KindUnderTest ThroughGateway(adapters::conformance::KindUnderTest kind) {
  const auto make = kind.make;
  kind.make = [make] { return std::make_unique<SourceThroughGateway>(make()); };
  const std::string position = "consumers go on by sealed page tokens, not by positions";
  for (const char* name :
       {"AScanGoesOnBehindEachPosition", "APositionThatNoRowHasIsAPlaceBetween",
        "PagesOfAnySizeJoinWithoutGapOrRepeat", "PushDownAndPositionHoldTogether",
        "CancelWhileNextRunsHarmsNoOtherScan"})
    kind.deviations[name] = position;
  for (const char* name : {"DescribesTablesWithColumnsAndKeys", "TheOwnersCheckFindsNothingWrong",
                           "TheOwnersCheckNamesAKeyThatIsNone"})
    kind.deviations[name] = "consumers see the catalogue, not the source's tables";
  kind.deviations["TheDeadlineEndsTheScan"] = "a consumer's deadline is its own, on its own clock";
  kind.tells_cells = false;
  kind.no_key_of = {records::TypeId::kBinary, records::TypeId::kFloat64};
  kind.deviations["ABadValueInTheKeyAlwaysStops"] =
      "the catalogue takes no key that the source does not state to be unique";
  kind.deviations["ARowOverOneMebibyteIsABatchOfItsOwn"] =
      "no message is over 1 MiB: ROW_TOO_LARGE";
  return kind;
}

}  // namespace sluice::system_test
