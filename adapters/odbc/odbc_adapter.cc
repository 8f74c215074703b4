#include "adapters/odbc/odbc_adapter.h"

#include <utility>

#include "adapters/odbc/errors.h"
#include "adapters/odbc/pool.h"
#include "adapters/odbc/reader.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace {

using odbc::Lease;
using odbc::Pool;
using odbc::Session;
using odbc::Watch;

class OdbcAdapter : public Adapter {
 public:
  explicit OdbcAdapter(odbc::OdbcSettings settings)
      : pool_(std::make_shared<Pool>(std::move(settings))) {}

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext& context) override {
    const Watch watch(context);
    return WithSession<std::vector<TableDescription>>(
        watch, [&](Session& session) { return DescribeWith(session, table, watch); });
  }

  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext& context) override {
    if (request.after && request.after->size() != request.key.size())
      return absl::InvalidArgumentError("a position has a value for each column of the key");
    return std::make_unique<odbc::OdbcReader>(pool_, std::move(request), context);
  }

  absl::Status Probe(const CallContext& context) override {
    const Watch watch(context);
    const auto probe = [&](Session& session) -> absl::StatusOr<bool> {
      const std::string sql = session.dialect().probe;
      // That a session was to be had is all that is known of a dialect that says nothing.
      if (!sql.empty()) SLUICE_RETURN_IF_ERROR(session.Query(sql, {}, watch).status());
      return true;
    };
    return WithSession<bool>(watch, probe).status();
  }

 private:
  // Where a person or the deadline ended it, that is the answer, and the source is told. Where the
  // source ended a session while it was idle, another one is tried.
  template <class Result, class Function>
  absl::StatusOr<Result> WithSession(const Watch& watch, const Function& function) {
    for (;;) {
      SLUICE_RETURN_IF_ERROR(watch.Check());
      SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
      absl::StatusOr<Result> result = function(*lease);
      if (result.ok()) return result;
      if (lease->left_behind()) lease.Abandon();
      SLUICE_RETURN_IF_ERROR(watch.Check());
      if (!odbc::SaysSessionLost(result.status()) || !lease->served()) return result;
    }
  }

  absl::StatusOr<std::vector<TableDescription>> DescribeWith(Session& session,
                                                             const std::string& table,
                                                             const Watch& watch) {
    std::vector<std::string> names = {table};
    if (table.empty()) {
      SLUICE_ASSIGN_OR_RETURN(names, odbc::ReadTableNames(session, pool_->settings(), watch));
    }
    std::vector<TableDescription> descriptions;
    for (const std::string& name : names) {
      const auto info = odbc::ReadTable(session, pool_->settings(), name, watch);
      // Among many, one that no longer stands on anything hides no other.
      if (table.empty() && ReasonOf(info.status()) == v1::REASON_SCHEMA_DRIFT) continue;
      if (!info.ok()) return info.status();
      if (*info == nullptr && !table.empty())
        return absl::NotFoundError("the source has no table of that name");
      if (*info == nullptr) continue;  // dropped since its name was read
      descriptions.push_back(odbc::Describe(**info, pool_->settings().zone_is_utc));
      descriptions.back().version.version = session.facts().version;
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
