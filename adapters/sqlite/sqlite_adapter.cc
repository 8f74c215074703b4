#include "adapters/sqlite/sqlite_adapter.h"

#include <utility>

#include "adapters/sqlite/errors.h"
#include "adapters/sqlite/pool.h"
#include "adapters/sqlite/version.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace {

using sqlite::Lease;
using sqlite::Pool;
using sqlite::Watch;

class SqliteAdapter : public Adapter {
 public:
  SqliteAdapter(sqlite::SqliteSettings settings, sqlite::Budgets budgets)
      : pool_(std::make_shared<Pool>(std::move(settings))), budgets_(budgets) {}

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext& context) override {
    Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    SLUICE_ASSIGN_OR_RETURN(const Lease lease, pool_->Acquire(watch));
    auto described = DescribeWith(lease, table);
    if (!described.ok()) SLUICE_RETURN_IF_ERROR(watch.Check());
    return described;
  }

  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext& context) override {
    if (request.after && request.after->size() != request.key.size())
      return absl::InvalidArgumentError("a position has a value for each column of the key");
    return std::make_unique<sqlite::SqliteReader>(pool_, std::move(request), context, budgets_);
  }

  absl::Status Probe(const CallContext& context) override {
    Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
    const int code =
        sqlite3_exec(lease->db(), "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return absl::OkStatus();
    if (sqlite::SpoilsConnection(code)) lease.Spoil();
    SLUICE_RETURN_IF_ERROR(watch.Check());
    return sqlite::SqliteError(lease->db(), code);
  }

  void Rest() override { pool_->Rest(); }

 private:
  absl::StatusOr<std::vector<TableDescription>> DescribeWith(const Lease& lease,
                                                             const std::string& table) {
    SLUICE_ASSIGN_OR_RETURN(const SourceVersion version, sqlite::ReadVersion(lease, pool_->path()));
    std::vector<std::string> names = {table};
    if (table.empty()) {
      SLUICE_ASSIGN_OR_RETURN(names, sqlite::ReadTableNames(lease->db()));
    }
    std::vector<TableDescription> descriptions;
    for (const std::string& name : names) {
      const auto info = lease->Table(name);
      // Among many, a view that no longer stands on anything hides no other.
      if (table.empty() && ReasonOf(info.status()) == v1::REASON_SCHEMA_DRIFT) continue;
      if (!info.ok()) return info.status();
      if (*info == nullptr && !table.empty())
        return absl::NotFoundError("the source has no table of that name");
      if (*info == nullptr) continue;  // dropped since its name was read
      descriptions.push_back(sqlite::Describe(**info));
      descriptions.back().version = version;
    }
    return descriptions;
  }

  const std::shared_ptr<Pool> pool_;
  const sqlite::Budgets budgets_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Adapter>> OpenSqlite(const Settings& settings,
                                                    const sqlite::Budgets& budgets) {
  SLUICE_ASSIGN_OR_RETURN(sqlite::SqliteSettings parsed, sqlite::ParseSettings(settings));
  auto adapter = std::make_unique<SqliteAdapter>(std::move(parsed), budgets);
  SLUICE_RETURN_IF_ERROR(adapter->Probe(CallContext{}));
  return adapter;
}

absl::StatusOr<std::unique_ptr<Adapter>> OpenSqlite(const Settings& settings) {
  return OpenSqlite(settings, sqlite::Budgets());
}

absl::Status CheckSqliteSettings(const Settings& settings) {
  return sqlite::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
