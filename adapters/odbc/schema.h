// Reads tables, views and the owner's queries from the source's catalogue and from what the driver
// says of a statement's columns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/odbc/session.h"
#include "adapters/odbc/table.h"

namespace sluice::adapters::odbc {

// Of the schema that the settings name, and the owner's queries.
absl::StatusOr<std::vector<std::string>> ReadTableNames(Session& session,
                                                        const OdbcSettings& settings,
                                                        const Watch& watch);
// Null where there is no such table.
absl::StatusOr<std::shared_ptr<const TableInfo>> ReadTable(Session& session,
                                                           const OdbcSettings& settings,
                                                           const std::string& table,
                                                           const Watch& watch);

TableDescription Describe(const TableInfo& table, bool zone_is_utc);

}  // namespace sluice::adapters::odbc
