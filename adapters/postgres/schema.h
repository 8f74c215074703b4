// Reads tables, views and the owner's queries from the server's catalogue.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/postgres/connection.h"
#include "adapters/postgres/table.h"

namespace sluice::adapters::postgres {

// Of the schema that the settings name, those that the gateway's role may read, and the owner's
// queries.
absl::StatusOr<std::vector<std::string>> ReadTableNames(Connection& connection,
                                                        const PostgresSettings& settings,
                                                        const Watch& watch);
// Null where there is no such table.
absl::StatusOr<std::shared_ptr<const TableInfo>> ReadTable(Connection& connection,
                                                           const PostgresSettings& settings,
                                                           const std::string& table,
                                                           const Watch& watch);

TableDescription Describe(const TableInfo& table);

}  // namespace sluice::adapters::postgres
