#include "adapters/registry.h"

#include "adapters/copybook/copybook_adapter.h"
#include "adapters/dbf/dbf_adapter.h"
#include "adapters/delimited/delimited_adapter.h"
#include "adapters/fixed/fixed_adapter.h"
#include "adapters/odbc/odbc_adapter.h"
#include "adapters/postgres/postgres_adapter.h"
#include "adapters/remote/remote_adapter.h"
#include "adapters/sqlite/sqlite_adapter.h"
#include "adapters/xlsx/xlsx_adapter.h"

namespace sluice::adapters {

const std::vector<Kind>& Kinds() {
  static const auto* const kinds = new std::vector<Kind>{
      {"copybook", &OpenCopybook, &CheckCopybookSettings},
      {"dbf", &OpenDbf, &CheckDbfSettings},
      {"delimited", &OpenDelimited, &CheckDelimitedSettings},
      {"fixed", &OpenFixed, &CheckFixedSettings},
      {"odbc", &OpenOdbc, &CheckOdbcSettings},
      {"postgres", &OpenPostgres, &CheckPostgresSettings},
#ifndef SLUICE_WITHOUT_GRPC
      {"remote", &OpenRemote, &CheckRemoteSettings},
#endif
      {"sqlite", &OpenSqlite, &CheckSqliteSettings},
      {"xlsx", &OpenXlsx, &CheckXlsxSettings},
  };
  return *kinds;
}

const Kind* FindKind(const std::vector<Kind>& kinds, std::string_view name) {
  for (const Kind& kind : kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

const Kind* FindKind(std::string_view name) { return FindKind(Kinds(), name); }

}  // namespace sluice::adapters
