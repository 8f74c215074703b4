// A real MariaDB server for tests: its own data folder, loopback and a free port, gone when the
// test process ends however it ends. What mariadb-install-db makes is kept in the build folder and
// copied, so that a start takes a fraction of a second.
//
//   MariadbDatabase database;              // skips nothing by itself: see Installed
//   database.Exec("CREATE TABLE t (id int PRIMARY KEY)");
//   OpenOdbc(database.settings());
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "adapters/adapter.h"
#include "adapters/odbc/session.h"

namespace sluice::adapters::odbc {

// Whether unixODBC knows the driver, by its name in odbcinst.ini.
bool DriverInstalled(const std::string& name);

class MariadbServer {
 public:
  // Whether Debian's packages mariadb-server and odbc-mariadb are here; else tests are skipped, and
  // say so.
  static bool Installed();
  static constexpr char kNotInstalled[] =
      "SKIPPED: mariadb-server or odbc-mariadb is not installed";
  // The one of this process: started when first asked for, and again where it was ended.
  static MariadbServer& Shared();
  ~MariadbServer();
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;

  // As an owner would write them: the account `reader`, its password in a file.
  Settings settings() const;
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  int port() const { return port_; }

  // As the owner, over a Unix socket. A failure fails the test.
  void Exec(const std::string& sql, const std::string& database = "");
  // The first value of the first row; empty for null and for no row.
  std::string Value(const std::string& sql, const std::string& database = "");

  // What the general log has since the mark: every statement, as the server took it.
  size_t LogMark() const;
  std::string LogSince(size_t mark) const;

  // Ends at once, as after a power cut.
  void Stop();
  void Start();
  void Signal(int signal) const;

  // The owner's session, for many statements and for parameters.
  Session& owner(const std::string& database);

 private:
  MariadbServer();
  pid_t Launch() const;
  bool Answers() const;

  std::string folder_;
  int port_ = 0;
  pid_t process_ = -1;
  OdbcSettings owner_settings_;
  std::unique_ptr<Session> owner_;
};

// A database of its own in the shared server, which `reader` may read. Dropped at the end.
class MariadbDatabase {
 public:
  MariadbDatabase();
  ~MariadbDatabase();
  MariadbDatabase(const MariadbDatabase&) = delete;
  MariadbDatabase& operator=(const MariadbDatabase&) = delete;

  const std::string& name() const { return name_; }
  Settings settings() const;
  void Exec(const std::string& sql);

 private:
  std::string name_;
};

// The settings of an ODBC source on adapters/postgres' test server, given that kind's own.
Settings OverOdbc(const Settings& postgres);
inline constexpr char kPostgresDriver[] = "PostgreSQL Unicode";
inline constexpr char kMariadbDriver[] = "MariaDB Unicode";
inline constexpr char kSqliteDriver[] = "SQLite3";

}  // namespace sluice::adapters::odbc
