#include "adapters/odbc/odbc_adapter.h"

#include <utility>

#include "adapters/odbc/pool.h"
#include "adapters/odbc/reader.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace {

using odbc::Lease;
using odbc::Pool;
using odbc::Watch;

class OdbcAdapter : public Adapter {
 public:
  explicit OdbcAdapter(odbc::OdbcSettings settings)
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
    return std::make_unique<odbc::OdbcReader>(pool_, std::move(request), context);
  }

  absl::Status Probe(const CallContext& context) override {
    const Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
    const std::string sql = lease->dialect().probe;
    if (sql.empty()) return absl::OkStatus();  // that a session was to be had is all that is known
    return Judged(lease, watch, lease->Query(sql, {}, watch)).status();
  }

 private:
  // Where a person or the deadline ended it, that is the answer, and the source is told.
  template <class Result>
  static Result Judged(Lease& lease, const Watch& watch, Result result) {
    if (result.ok()) return result;
    if (lease->left_behind()) lease.Abandon();
    SLUICE_RETURN_IF_ERROR(watch.Check());
    return result;
  }

  absl::StatusOr<std::vector<TableDescription>> DescribeWith(Lease& lease, const std::string& table,
                                                             const Watch& watch) {
    std::vector<std::string> names = {table};
    if (table.empty()) {
      SLUICE_ASSIGN_OR_RETURN(names, odbc::ReadTableNames(*lease, pool_->settings(), watch));
    }
    std::vector<TableDescription> descriptions;
    for (const std::string& name : names) {
      const auto info = odbc::ReadTable(*lease, pool_->settings(), name, watch);
      // Among many, one that no longer stands on anything hides no other.
      if (table.empty() && ReasonOf(info.status()) == v1::REASON_SCHEMA_DRIFT) continue;
      if (!info.ok()) return info.status();
      if (*info == nullptr && !table.empty())
        return absl::NotFoundError("the source has no table of that name");
      if (*info == nullptr) continue;  // dropped since its name was read
      descriptions.push_back(odbc::Describe(**info, pool_->settings().zone_is_utc));
      descriptions.back().version.version = lease->facts().version;
    }
    return descriptions;
  }

  const std::shared_ptr<Pool> pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Adapter>> OpenOdbc(const Settings& settings) {
  SLUICE_ASSIGN_OR_RETURN(odbc::OdbcSettings parsed, odbc::ParseSettings(settings));
  auto adapter = std::make_unique<OdbcAdapter>(std::move(parsed));
  SLUICE_RETURN_IF_ERROR(adapter->Probe(CallContext{}));
  return adapter;
}

absl::Status CheckOdbcSettings(const Settings& settings) {
  return odbc::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
