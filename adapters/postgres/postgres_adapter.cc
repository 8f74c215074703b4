#include "adapters/postgres/postgres_adapter.h"

#include <utility>

#include "adapters/postgres/pool.h"
#include "adapters/postgres/reader.h"
#include "adapters/postgres/version.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace {

using postgres::Lease;
using postgres::Pool;
using postgres::Watch;

class PostgresAdapter : public Adapter {
 public:
  explicit PostgresAdapter(postgres::PostgresSettings settings)
      : pool_(std::make_shared<Pool>(std::move(settings))) {}

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext& context) override {
    const Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
    return Judged(lease, watch, DescribeWith(lease, table, watch));
  }

  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext& context) override {
    if (request.after && request.after->size() != request.key.size())
      return absl::InvalidArgumentError("a position has a value for each column of the key");
    return std::make_unique<postgres::PostgresReader>(pool_, std::move(request), context);
  }

  absl::Status Probe(const CallContext& context) override {
    const Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
    return Judged(lease, watch, lease->Query("SELECT TRUE", {}, watch)).status();
  }

 private:
  // Where a person or the deadline ended it, that is the answer, and the server is told.
  template <class Result>
  static Result Judged(Lease& lease, const Watch& watch, Result result) {
    if (result.ok()) return result;
    if (PQtransactionStatus(lease->raw()) == PQTRANS_ACTIVE) lease.Abandon();
    SLUICE_RETURN_IF_ERROR(watch.Check());
    return result;
  }

  absl::StatusOr<std::vector<TableDescription>> DescribeWith(Lease& lease, const std::string& table,
                                                             const Watch& watch) {
    SLUICE_ASSIGN_OR_RETURN(const SourceVersion version, postgres::ReadVersion(*lease, watch));
    std::vector<std::string> names = {table};
    if (table.empty()) {
      SLUICE_ASSIGN_OR_RETURN(names, postgres::ReadTableNames(*lease, pool_->settings(), watch));
    }
    std::vector<TableDescription> descriptions;
    for (const std::string& name : names) {
      const auto info = postgres::ReadTable(*lease, pool_->settings(), name, watch);
      // Among many, a query that no longer stands on anything hides no other.
      if (table.empty() && ReasonOf(info.status()) == v1::REASON_SCHEMA_DRIFT) continue;
      if (!info.ok()) return info.status();
      if (*info == nullptr && !table.empty())
        return absl::NotFoundError("the source has no table of that name");
      if (*info == nullptr) continue;  // dropped since its name was read
      descriptions.push_back(postgres::Describe(**info));
      descriptions.back().version = version;
    }
    return descriptions;
  }

  const std::shared_ptr<Pool> pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Adapter>> OpenPostgres(const Settings& settings) {
  SLUICE_ASSIGN_OR_RETURN(postgres::PostgresSettings parsed, postgres::ParseSettings(settings));
  auto adapter = std::make_unique<PostgresAdapter>(std::move(parsed));
  SLUICE_RETURN_IF_ERROR(adapter->Probe(CallContext{}));
  return adapter;
}

absl::Status CheckPostgresSettings(const Settings& settings) {
  return postgres::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
