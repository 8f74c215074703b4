// A real PostgreSQL server for tests: its own data folder and certificates, loopback and a free
// port, gone when the test process ends however it ends. What initdb makes is kept in the build
// folder and copied, so that a start takes a fraction of a second.
//
//   TestSchema schema;                    // skips nothing by itself: see Installed
//   schema.Exec("CREATE TABLE t (id int PRIMARY KEY)");
//   OpenPostgres(schema.settings());
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "libpq-fe.h"

namespace sluice::adapters::postgres {

class TestServer {
 public:
  // Whether Debian's package postgresql-15 is here; else tests are skipped, and say so.
  static bool Installed();
  static constexpr char kNotInstalled[] = "SKIPPED: postgresql-15 is not installed";
  // The one of this process: started when first asked for, and again where it was ended.
  static TestServer& Shared();
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // As an owner would write them: the role `reader`, its password in a file, TLS.
  Settings settings() const;
  // Of its certificates: ca.crt, server.crt, reader.crt and .key, other-ca.crt, stranger.crt and
  // .key (of another authority).
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  int port() const { return port_; }

  // As the owner, over a Unix socket. A failure fails the test.
  void Exec(const std::string& sql, const std::string& database = "postgres");
  // The first value of the first row.
  std::string Value(const std::string& sql, const std::string& database = "postgres");
  PGconn* owner();

  // What the server wrote into its log since the mark.
  size_t LogMark() const;
  std::string LogSince(size_t mark) const;

  // Ends at once, as after a power cut.
  void Stop();
  void Start();
  // The server's processes; the first one takes connections.
  std::vector<pid_t> Processes() const;
  void SignalAll(int signal) const;

 private:
  TestServer();
  pid_t Launch() const;
  bool Answers() const;

  std::string folder_;
  int port_ = 0;
  pid_t process_ = -1;
  PGconn* owner_ = nullptr;
};

// A schema of its own in the shared server, which the role `reader` may read. Dropped at the end.
class TestSchema {
 public:
  explicit TestSchema(std::string database = "postgres");
  ~TestSchema();
  TestSchema(const TestSchema&) = delete;
  TestSchema& operator=(const TestSchema&) = delete;

  const std::string& name() const { return name_; }
  Settings settings() const;
  // With the search path on the schema.
  void Exec(const std::string& sql);

 private:
  const std::string database_;
  std::string name_;
};

}  // namespace sluice::adapters::postgres
