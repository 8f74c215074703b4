#include "adapters/odbc/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/odbc/errors.h"
#include "adapters/odbc/utf16.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::odbc {
namespace {

// Beyond the server's own timeout: one that has not even said that it passed is not there.
constexpr Micros kGrace = 5 * kSecond;
constexpr Micros kBetweenCancels = 100 * kMillisecond;
constexpr int kMostCancels = 20;
constexpr SQLULEN kKillSeconds = 2;

// Allocates both handles and connects; what the driver says stays with the handles.
absl::Status ConnectHandles(Handles& handles, const std::string& how, SQLULEN seconds) {
  if (!Succeeded(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &handles.environment)))
    return absl::ResourceExhaustedError("odbc: no environment");
  SQLSetEnvAttr(handles.environment, SQL_ATTR_ODBC_VERSION,
                reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3), 0);
  if (!Succeeded(SQLAllocHandle(SQL_HANDLE_DBC, handles.environment, &handles.connection)))
    return absl::ResourceExhaustedError("odbc: no connection handle");
  SQLSetConnectAttrW(handles.connection, SQL_ATTR_LOGIN_TIMEOUT,
                     reinterpret_cast<SQLPOINTER>(seconds), 0);
  std::u16string text = ToUtf16(how);
  const SQLRETURN code = SQLDriverConnectW(
      handles.connection, nullptr, reinterpret_cast<SQLWCHAR*>(text.data()),
      static_cast<SQLSMALLINT>(text.size()), nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
  // It holds the password.
  std::fill(text.begin(), text.end(), u'\0');
  if (Succeeded(code)) return absl::OkStatus();
  return ConnectError(DiagnosticsOf(SQL_HANDLE_DBC, handles.connection));
}

std::string InfoOf(SQLHDBC connection, SQLUSMALLINT what) {
  std::u16string text(256, u'\0');
  SQLSMALLINT bytes = 0;
  if (!Succeeded(SQLGetInfoW(connection, what, text.data(),
                             static_cast<SQLSMALLINT>(2 * text.size() - 2), &bytes)))
    return "";
  text.resize(std::min<size_t>(std::max<SQLSMALLINT>(bytes, 0) / 2, text.size() - 1));
  return FromUtf16(text);
}

// A statement of our own, without values, on a connection of its own.
void RunAlone(const std::string& how, const std::string& sql) {
  Handles handles;
  if (!ConnectHandles(handles, how, kKillSeconds).ok()) return;
  SQLHSTMT statement = SQL_NULL_HANDLE;
  if (Succeeded(SQLAllocHandle(SQL_HANDLE_STMT, handles.connection, &statement))) {
    std::u16string text = ToUtf16(sql);
    SQLExecDirectW(statement, reinterpret_cast<SQLWCHAR*>(text.data()),
                   static_cast<SQLINTEGER>(text.size()));
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
  }
  SQLDisconnect(handles.connection);
}

absl::Status RunOnce(const std::shared_ptr<Handles>& handles, const Driver& driver,
                     const std::string& sql) {
  Statement statement(handles, driver);
  return statement.Run(sql, {});
}

void SetStreaming(Handles& handles, const Driver& driver, bool on) {
  for (const Driver::Streaming& one : driver.streaming)
    SQLSetConnectAttrW(handles.connection, one.attribute,
                       reinterpret_cast<SQLPOINTER>(on ? one.on : one.off), 0);
}

const absl::Status& DoesNotAnswer() {
  static const auto* const status =
      new absl::Status(Unavailable("the source, or its driver, does not answer"));
  return *status;
}

// Where nobody but us ends a statement.
const absl::Status& TimeIsUp() {
  static const auto* const status =
      new absl::Status(Unavailable("the statement timeout passed, or the source does not answer"));
  return *status;
}

}  // namespace

Session::Session(const OdbcSettings& settings)
    : settings_(settings), driver_(DriverOf(settings.driver)) {}

Session::~Session() {
  worker_->Leave([handles = handles_, buried = std::move(buried_)]() mutable {
    for (const auto& statement : buried) statement->Close();
    buried.clear();
    if (handles->connection != SQL_NULL_HANDLE) SQLDisconnect(handles->connection);
  });
}

Micros Session::Patience() const {
  const Micros timeout = settings_.statement_timeout_ms * kMillisecond;
  return facts_.dialect != nullptr && facts_.dialect->ends_statements ? timeout + kGrace : timeout;
}

absl::Status Session::Do(std::function<absl::Status()> job, const Watch& watch) {
  const bool server = facts_.dialect != nullptr && facts_.dialect->ends_statements;
  absl::Status status =
      worker_->Do(std::move(job), watch, Patience(), server ? DoesNotAnswer() : TimeIsUp());
  if (ReasonOf(status) == v1::REASON_SOURCE_UNAVAILABLE) broken_ = true;
  return status;
}

absl::StatusOr<std::unique_ptr<Session>> Session::Open(
    const OdbcSettings& settings, const Watch& watch,
    const std::function<void(Worker::Ended)>& begun) {
  std::unique_ptr<Session> session(new Session(settings));
  begun(session->worker_->ended());
  SLUICE_RETURN_IF_ERROR(session->Connect(watch));
  SLUICE_RETURN_IF_ERROR(session->Prepare(watch));
  if (!settings.allow_writer) SLUICE_RETURN_IF_ERROR(session->CheckAccount(watch));
  return session;
}

absl::Status Session::Connect(const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const std::string how, ConnectionString(settings_));
  struct Said {
    std::string dbms, version, quote;
  };
  const auto said = std::make_shared<Said>();
  const auto seconds = static_cast<SQLULEN>((settings_.connect_timeout_ms + 999) / 1'000);
  const auto connect = [handles = handles_, how, seconds, said] {
    SLUICE_RETURN_IF_ERROR(ConnectHandles(*handles, how, seconds));
    said->dbms = InfoOf(handles->connection, SQL_DBMS_NAME);
    said->version = InfoOf(handles->connection, SQL_DBMS_VER);
    said->quote = InfoOf(handles->connection, SQL_IDENTIFIER_QUOTE_CHAR);
    return absl::OkStatus();
  };
  SLUICE_RETURN_IF_ERROR(
      worker_->Do(connect, watch, settings_.connect_timeout_ms * kMillisecond,
                  Unavailable("the source does not answer: no session in time")));
  facts_.dialect = settings_.dialect != nullptr ? settings_.dialect : &DialectOf(said->dbms);
  facts_.version = absl::StrCat(said->dbms, " ", said->version);
  facts_.quote = said->quote;
  return absl::OkStatus();
}

absl::Status Session::Prepare(const Watch& watch) {
  const Dialect& dialect = *facts_.dialect;
  const int ms = settings_.statement_timeout_ms, lock_ms = settings_.lock_timeout_ms;
  for (const char* form : dialect.session) {
    const std::string sql = Filled(
        form, {{"{ms}", absl::StrCat(ms)},
               {"{s}", absl::StrCat(ms / 1'000, ".", ms % 1'000 / 100, ms % 100 / 10, ms % 10)},
               {"{lock_ms}", absl::StrCat(lock_ms)},
               {"{lock_s}", absl::StrCat((lock_ms + 999) / 1'000)},
               {"{schema}", Quoted(dialect, settings_.schema.empty() ? dialect.default_schema
                                                                     : settings_.schema)}});
    SLUICE_RETURN_IF_ERROR(
        Do([handles = handles_, &driver = driver_, sql] { return RunOnce(handles, driver, sql); },
           watch));
  }
  if (*dialect.facts == '\0') return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TextRow> rows, Query(dialect.facts, {}, watch));
  if (rows.size() != 1 || rows[0].size() != 4)
    return Unavailable("the source is none of its dialect: the setting dialect says another");
  facts_.version = absl::StrCat(dialect.name, " ", rows[0][0].value_or(""));
  facts_.utf8 = rows[0][1] == "1";
  facts_.number = rows[0][3].value_or("");
  return absl::OkStatus();
}

absl::Status Session::CheckAccount(const Watch& watch) {
  if (*dialect().writer == '\0') return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TextRow> rows, Query(dialect().writer, {}, watch));
  if (rows.size() == 1 && rows[0].size() == 1 && !rows[0][0]) return absl::OkStatus();
  const std::string what = rows.size() == 1 && rows[0].size() == 1 ? *rows[0][0] : "is not known";
  return Unavailable(absl::StrCat("the gateway's account ", what,
                                  ": give it one that only reads, or set allow_writer"));
}

absl::StatusOr<std::vector<TextRow>> Session::Query(const std::string& sql,
                                                    const std::vector<std::string>& parameters,
                                                    const Watch& watch) {
  std::vector<Parameter> bound;
  for (const std::string& text : parameters) bound.push_back({.form = Form::kText, .bytes = text});
  const auto rows = std::make_shared<std::vector<TextRow>>();
  const auto job = [handles = handles_, &driver = driver_, sql, bound, rows]() -> absl::Status {
    Statement statement(handles, driver);
    SLUICE_RETURN_IF_ERROR(statement.Run(sql, bound));
    std::vector<ColumnFacts> columns;
    SLUICE_RETURN_IF_ERROR(statement.Columns(columns));
    if (columns.empty()) return absl::OkStatus();  // it gives no rows
    const std::vector<Reading> readings(columns.size(), Reading{Fetch::kText});
    SLUICE_RETURN_IF_ERROR(statement.Bind(readings, false));
    for (;;) {
      SLUICE_RETURN_IF_ERROR(statement.Fetch());
      if (statement.rows() == 0) return absl::OkStatus();
      for (size_t row = 0; row < statement.rows(); ++row) {
        TextRow& texts = rows->emplace_back();
        for (size_t i = 0; i < columns.size(); ++i) {
          auto& text = texts.emplace_back();
          if (statement.IsNull(row, i)) continue;
          const std::string_view bytes = statement.Bytes(row, i);
          if (!driver.wide) {
            text = std::string(bytes);
          } else {
            std::u16string units(bytes.size() / 2, u'\0');
            std::copy_n(bytes.data(), 2 * units.size(), reinterpret_cast<char*>(units.data()));
            text = FromUtf16(units);
          }
        }
      }
    }
  };
  SLUICE_RETURN_IF_ERROR(Do(job, watch));
  return std::move(*rows);
}

absl::StatusOr<std::vector<ColumnFacts>> Session::Describe(const std::string& sql,
                                                           const Watch& watch) {
  const auto columns = std::make_shared<std::vector<ColumnFacts>>();
  const auto job = [handles = handles_, &driver = driver_, sql, columns]() -> absl::Status {
    Statement statement(handles, driver);
    SLUICE_RETURN_IF_ERROR(statement.Run(sql, {}));
    return statement.Columns(*columns);
  };
  SLUICE_RETURN_IF_ERROR(Do(job, watch));
  return std::move(*columns);
}

absl::StatusOr<std::shared_ptr<Statement>> Session::Start(Scan scan, const Watch& watch) {
  const auto statement = std::make_shared<Statement>(handles_, driver_);
  const auto job = [handles = handles_, &driver = driver_, scan = std::move(scan), statement] {
    SetStreaming(*handles, driver, scan.streaming);
    SLUICE_RETURN_IF_ERROR(statement->Run(scan.sql, scan.parameters));
    SLUICE_RETURN_IF_ERROR(statement->Bind(scan.readings, scan.streaming));
    return statement->Fetch();
  };
  if (absl::Status status = Do(job, watch); !status.ok()) {
    Drop(statement, watch);
    return status;
  }
  return statement;
}

absl::Status Session::Fetch(const std::shared_ptr<Statement>& statement, const Watch& watch) {
  return Do([statement] { return statement->Fetch(); }, watch);
}

void Session::Drop(std::shared_ptr<Statement> statement, const Watch& watch) {
  if (CanServe() && Do(
                        [statement] {
                          statement->Close();
                          return absl::OkStatus();
                        },
                        watch)
                        .ok())
    return;
  Bury(std::move(statement));
}

void Session::Bury(std::shared_ptr<Statement> statement) {
  buried_.push_back(std::move(statement));
  abandoned_ = true;
}

std::function<void()> Session::Abandon() {
  abandoned_ = true;
  const Worker::Ended ended = worker_->ended();
  if (facts_.dialect == nullptr) return [] {};
  if (dialect().cancel == Cancel::kSqlCancel) {
    // What it meets may only be about to begin, so that it is tried again.
    return [handles = handles_, ended] {
      for (int i = 0; i < kMostCancels && !ended.Wait(i == 0 ? 0 : kBetweenCancels); ++i) {
        MutexLock lock(handles->mutex);
        if (handles->running != SQL_NULL_HANDLE) SQLCancel(handles->running);
      }
    };
  }
  const auto how = ConnectionString(settings_);
  if (!how.ok() || facts_.number.empty()) return [] {};
  const std::string sql = Filled(dialect().kill, {{"{id}", facts_.number}});
  return [how = *how, sql, ended] {
    for (int i = 0; i < kMostCancels && !ended.Wait(i == 0 ? 0 : kBetweenCancels); ++i)
      RunAlone(how, sql);
  };
}

}  // namespace sluice::adapters::odbc
