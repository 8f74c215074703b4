#include "adapters/postgres/connection.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/postgres/errors.h"
#include "adapters/postgres/identifiers.h"
#include "gateway/base/error.h"

namespace sluice::adapters::postgres {
namespace {

constexpr int kSliceMs = 10;  // how soon somebody who gives up is heard
// Beyond the server's own timeout: one that has not even said that it passed is not there.
constexpr int kGraceMs = 5'000;

absl::StatusOr<std::string> ReadPassword(const PostgresSettings& settings) {
  if (!settings.password_env.empty()) {
    const char* const value = std::getenv(settings.password_env.c_str());
    if (value == nullptr)
      return Unavailable("the environment variable that password_env names is not set");
    return std::string(value);
  }
  if (settings.password_file.empty()) return std::string();
  struct stat info = {};
  if (::stat(settings.password_file.c_str(), &info) != 0)
    return Unavailable("the file password_file cannot be read");
  if ((info.st_mode & S_IRWXO) != 0)
    return Unavailable("the file password_file can be read by everybody: chmod 600");
  std::ifstream file(settings.password_file, std::ios::binary);
  std::string password{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return Unavailable("the file password_file cannot be read");
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r'))
    password.pop_back();
  return password;
}

const char* NameOf(Tls tls) {
  switch (tls) {
    case Tls::kVerifyFull:
      return "verify-full";
    case Tls::kVerifyCa:
      return "verify-ca";
    case Tls::kDisable:
      return "disable";
  }
  return "verify-full";
}

// Everything that libpq would otherwise take from its environment or its user's folder.
class Options {
 public:
  Options(const PostgresSettings& settings, const std::string& password)
      : port_(absl::StrCat(settings.port)) {
    constexpr const char* kNoFile = "/dev/null/none";
    const auto or_none = [](const std::string& file) {
      return file.empty() ? kNoFile : file.c_str();
    };
    Add("host", settings.host.c_str());
    Add("port", port_.c_str());
    Add("dbname", settings.database.c_str());
    Add("user", settings.user.c_str());
    Add("password", password.c_str());
    Add("passfile", kNoFile);
    Add("sslmode", NameOf(settings.tls));
    Add("sslrootcert", or_none(settings.root_certificate));
    Add("sslcrl", or_none(settings.revocation_list));
    Add("sslcert", or_none(settings.certificate));
    Add("sslkey", or_none(settings.key));
    Add("ssl_min_protocol_version", "TLSv1.2");
    Add("gssencmode", "disable");
    Add("target_session_attrs", "any");
    Add("application_name", settings.application_name.c_str());
    Add("client_encoding", "UTF8");
    // Notices a machine that went away without a word.
    Add("keepalives", "1");
    Add("keepalives_idle", "10");
    Add("keepalives_interval", "5");
    Add("keepalives_count", "3");
    Add("options", " ");
    Add(nullptr, nullptr);
  }
  PGconn* Start() const { return PQconnectStartParams(names_.data(), values_.data(), 0); }

 private:
  void Add(const char* name, const char* value) {
    names_.push_back(name);
    values_.push_back(value);
  }
  const std::string port_;
  std::vector<const char*> names_, values_;
};

bool IsTrue(const ResultPtr& result, int column) { return ValueAt(result, 0, column) == "t"; }

}  // namespace

std::string_view ValueAt(const ResultPtr& result, int row, int column) {
  return {PQgetvalue(result.get(), row, column),
          static_cast<size_t>(PQgetlength(result.get(), row, column))};
}

Connection::~Connection() { PQfinish(connection_); }

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const PostgresSettings& settings,
                                                             const Watch& watch) {
  std::unique_ptr<Connection> connection(new Connection(settings));
  SLUICE_RETURN_IF_ERROR(connection->Connect(watch));
  SLUICE_RETURN_IF_ERROR(connection->Prepare(watch));
  if (!settings.allow_writing_role) SLUICE_RETURN_IF_ERROR(connection->CheckRole(watch));
  return connection;
}

absl::Status Connection::Connect(const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const std::string password, ReadPassword(settings_));
  connection_ = Options(settings_, password).Start();
  if (connection_ == nullptr) return absl::ResourceExhaustedError("postgres: no memory");
  // Why it is refused comes as a code; nothing else of what the server says is ever wanted.
  PQsetErrorVerbosity(connection_, PQERRORS_SQLSTATE);
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  if (PQstatus(connection_) == CONNECTION_BAD) return ConnectionError(connection_);
  int left_ms = settings_.connect_timeout_ms;
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
       state = PQconnectPoll(connection_)) {
    if (state == PGRES_POLLING_FAILED) return ConnectionError(connection_);
    pollfd socket = {PQsocket(connection_),
                     static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    while (::poll(&socket, 1, kSliceMs) == 0) {
      SLUICE_RETURN_IF_ERROR(watch.Check());
      left_ms -= kSliceMs;
      if (left_ms <= 0) return Unavailable("the source does not answer: no session in time");
    }
  }
  if (PQsetnonblocking(connection_, 1) != 0) return ConnectionError(connection_);
  return absl::OkStatus();
}

absl::Status Connection::Prepare(const Watch& watch) {
  // Names in our own statements are the catalogue's whatever a schema holds; those in the owner's
  // functions are found as the owner wrote them. A statement whose client is gone ends within a
  // second, where the server can look for that.
  static const char* const kSql =
      "SELECT pg_catalog.current_setting('server_version'),"
      " pg_catalog.current_setting('server_encoding') = 'UTF8',"
      " (SELECT d.datcollate IN ('C', 'POSIX') FROM pg_catalog.pg_database AS d"
      "  WHERE d.datname = pg_catalog.current_database()),"
      " pg_catalog.current_setting('track_commit_timestamp') = 'on',"
      " pg_catalog.pg_is_in_recovery(),"
      " pg_catalog.set_config('default_transaction_read_only', 'on', false),"
      " pg_catalog.set_config('statement_timeout', $1, false),"
      " pg_catalog.set_config('lock_timeout', $2, false),"
      " pg_catalog.set_config('idle_in_transaction_session_timeout', $3, false),"
      " pg_catalog.set_config('search_path', $4, false),"
      " pg_catalog.set_config('TimeZone', 'UTC', false),"
      " pg_catalog.set_config('DateStyle', 'ISO, YMD', false),"
      " pg_catalog.set_config('IntervalStyle', 'iso_8601', false),"
      " pg_catalog.set_config('extra_float_digits', '1', false),"
      " pg_catalog.set_config('bytea_output', 'hex', false),"
      " (SELECT pg_catalog.set_config(s.name, '1000', false) FROM pg_catalog.pg_settings AS s"
      "  WHERE s.name = 'client_connection_check_interval'"
      "  AND pg_catalog.version() LIKE '%linux%')";
  SLUICE_ASSIGN_OR_RETURN(
      const ResultPtr facts,
      Query(kSql,
            {absl::StrCat(settings_.statement_timeout_ms), absl::StrCat(settings_.lock_timeout_ms),
             absl::StrCat(settings_.idle_timeout_ms),
             absl::StrCat("pg_catalog, ", Quoted(settings_.schema))},
            watch));
  const std::string_view version = ValueAt(facts, 0, 0);
  facts_.version = version.substr(0, version.find(' '));
  facts_.utf8 = IsTrue(facts, 1);
  facts_.c_collation = IsTrue(facts, 2);
  facts_.tells_commits = IsTrue(facts, 3);
  facts_.standby = IsTrue(facts, 4);
  return absl::OkStatus();
}

absl::Status Connection::CheckRole(const Watch& watch) {
  static const char* const kSql =
      "SELECT CASE"
      " WHEN r.rolsuper THEN 'is a superuser'"
      " WHEN r.rolcreaterole OR r.rolcreatedb THEN 'may create roles or databases'"
      " WHEN EXISTS (SELECT FROM pg_catalog.pg_roles AS w WHERE w.rolname IN"
      "  ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program')"
      "  AND pg_catalog.pg_has_role(w.oid, 'MEMBER')) THEN 'is a member of a role that may write'"
      " WHEN EXISTS (SELECT FROM pg_catalog.pg_class AS c"
      "  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
      "  WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^(pg_|information_schema$)'"
      "  AND (pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
      "   OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE')))"
      "  THEN 'may write into a table'"
      " WHEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')"
      "  OR EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname !~ '^pg_'"
      "   AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')) THEN 'may create tables'"
      " END FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user";
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr found, Query(kSql, {}, watch));
  if (PQntuples(found.get()) == 1 && PQgetisnull(found.get(), 0, 0) == 1) return absl::OkStatus();
  const std::string what(PQntuples(found.get()) == 1 ? ValueAt(found, 0, 0) : "is not known");
  return Unavailable(absl::StrCat("the gateway's role ", what,
                                  ": give it one that only reads, or set allow_writing_role"));
}

absl::Status Connection::Wait(bool for_write, int most_ms, const Watch& watch) {
  pollfd socket = {PQsocket(connection_), static_cast<short>(POLLIN | (for_write ? POLLOUT : 0)),
                   0};
  for (int waited_ms = 0; waited_ms < most_ms; waited_ms += kSliceMs) {
    const int ready = ::poll(&socket, 1, kSliceMs);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Unavailable("the connection to the source failed");
    SLUICE_RETURN_IF_ERROR(watch.Check());
  }
  return Unavailable("the source does not answer");
}

absl::Status Connection::Flush(const Watch& watch) {
  for (;;) {
    const int left = PQflush(connection_);
    if (left == 0) return absl::OkStatus();
    if (left < 0) return ConnectionError(connection_);
    SLUICE_RETURN_IF_ERROR(Wait(true, settings_.statement_timeout_ms + kGraceMs, watch));
    if (PQconsumeInput(connection_) == 0) return ConnectionError(connection_);
  }
}

absl::StatusOr<ResultPtr> Connection::NextResult(const Watch& watch) {
  while (PQisBusy(connection_) == 1) {
    SLUICE_RETURN_IF_ERROR(Wait(false, settings_.statement_timeout_ms + kGraceMs, watch));
    if (PQconsumeInput(connection_) == 0) return ConnectionError(connection_);
  }
  ResultPtr result(PQgetResult(connection_));
  // What libpq makes up itself has no SQLSTATE: the connection broke.
  if (result != nullptr && PQresultStatus(result.get()) == PGRES_FATAL_ERROR &&
      StateOf(result).empty())
    return ConnectionError(connection_);
  return result;
}

absl::StatusOr<int> Connection::NextCopyData(char** row, const Watch& watch) {
  for (;;) {
    const int size = PQgetCopyData(connection_, row, 1);
    if (size == -2) return ConnectionError(connection_);
    if (size != 0) return size;
    SLUICE_RETURN_IF_ERROR(Wait(false, settings_.statement_timeout_ms + kGraceMs, watch));
    if (PQconsumeInput(connection_) == 0) return ConnectionError(connection_);
  }
}

absl::StatusOr<ResultPtr> Connection::OnlyResult(const Watch& watch) {
  SLUICE_RETURN_IF_ERROR(Flush(watch));
  ResultPtr kept;
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(ResultPtr result, NextResult(watch));
    if (result == nullptr) break;
    if (kept == nullptr || StatusOf(kept).ok()) kept = std::move(result);
  }
  if (kept == nullptr) return absl::InternalError("postgres: a statement without a result");
  SLUICE_RETURN_IF_ERROR(StatusOf(kept));
  return kept;
}

absl::StatusOr<ResultPtr> Connection::Query(const std::string& sql,
                                            const std::vector<std::string>& parameters,
                                            const Watch& watch) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0)
    return ConnectionError(connection_);
  return OnlyResult(watch);
}

absl::Status Connection::Parse(const std::string& name, const std::string& sql,
                               const Watch& watch) {
  if (PQsendPrepare(connection_, name.c_str(), sql.c_str(), 0, nullptr) == 0)
    return ConnectionError(connection_);
  return OnlyResult(watch).status();
}

absl::StatusOr<ResultPtr> Connection::DescribeStatement(const std::string& name,
                                                        const Watch& watch) {
  if (PQsendDescribePrepared(connection_, name.c_str()) == 0) return ConnectionError(connection_);
  return OnlyResult(watch);
}

std::string_view Connection::StateOf(const ResultPtr& result) {
  const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string_view() : state;
}

absl::Status Connection::StatusOf(const ResultPtr& result) {
  switch (PQresultStatus(result.get())) {
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
      return StateError(StateOf(result));
    default:
      return absl::OkStatus();
  }
}

bool Connection::CanServe() const {
  return PQstatus(connection_) == CONNECTION_OK &&
         PQtransactionStatus(connection_) == PQTRANS_IDLE &&
         PQpipelineStatus(connection_) == PQ_PIPELINE_OFF;
}

bool Connection::WentStale() const {
  pollfd socket = {PQsocket(connection_), POLLIN, 0};
  return ::poll(&socket, 1, 0) != 0;
}

}  // namespace sluice::adapters::postgres
