#include "adapters/postgres/row_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/postgres/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::postgres {
namespace {

absl::Status NotAsSpoken() { return Unavailable("the source's answer breaks off or is malformed"); }

// The rest of a statement's results, until it is over.
absl::Status ReadToEnd(Connection& connection, const Watch& watch) {
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const ResultPtr result, connection.NextResult(watch));
    if (result == nullptr) return absl::OkStatus();
  }
}

size_t ColumnsOf(const Plan& plan) { return std::max<size_t>(plan.results.size(), 1); }

// Whether a statement gives what was planned for: a column may have become another since.
bool TypesAre(const ResultPtr& described, const Plan& plan) {
  if (PQnfields(described.get()) != static_cast<int>(ColumnsOf(plan))) return false;
  for (size_t i = 0; i < plan.results.size(); ++i) {
    if (PQftype(described.get(), static_cast<int>(i)) != ResultOid(plan.results[i].column->type))
      return false;
  }
  return true;
}

class PreparedStream : public RowStream {
 public:
  PreparedStream(Connection& connection, const Plan& plan)
      : connection_(connection), plan_(plan), values_(ColumnsOf(plan)) {}

  absl::StatusOr<const RowValues*> Next(const Watch& watch) override {
    SLUICE_ASSIGN_OR_RETURN(row_, connection_.NextResult(watch));
    if (row_ == nullptr) return nullptr;
    switch (PQresultStatus(row_.get())) {
      case PGRES_SINGLE_TUPLE:
        break;
      case PGRES_TUPLES_OK:
        SLUICE_RETURN_IF_ERROR(ReadToEnd(connection_, watch));
        return nullptr;
      default: {
        absl::Status status = Failed(row_);
        SLUICE_RETURN_IF_ERROR(ReadToEnd(connection_, watch));
        return status.ok() ? NotAsSpoken() : status;
      }
    }
    if (!std::exchange(begun_, true) && !TypesAre(row_, plan_)) {
      SetState(kSchemaChanged);
      return Drift("the source's schema is changing");
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      const int column = static_cast<int>(i);
      const bool null = PQgetisnull(row_.get(), 0, column) == 1;
      values_[i].data = null ? nullptr : PQgetvalue(row_.get(), 0, column);
      values_[i].size = null ? 0 : PQgetlength(row_.get(), 0, column);
    }
    return &values_;
  }

 private:
  Connection& connection_;
  const Plan& plan_;
  ResultPtr row_;
  bool begun_ = false;
  RowValues values_;
};

struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};

// https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format".
class CopyStream : public RowStream {
 public:
  CopyStream(Connection& connection, const Plan& plan)
      : connection_(connection), values_(ColumnsOf(plan)) {}

  absl::StatusOr<const RowValues*> Next(const Watch& watch) override {
    if (rest_.empty()) {
      char* row = nullptr;
      SLUICE_ASSIGN_OR_RETURN(const int size, connection_.NextCopyData(&row, watch));
      message_.reset(row);
      if (size < 0) return End(watch);
      rest_ = {row, static_cast<size_t>(size)};
    }
    if (!begun_ && !TakeHeader()) return NotAsSpoken();
    int16_t columns = 0;
    if (!Take(columns)) return NotAsSpoken();
    if (columns == -1) {
      rest_ = {};
      ended_ = true;
      return Next(watch);
    }
    if (ended_ || static_cast<size_t>(columns) != values_.size()) return NotAsSpoken();
    for (Value& value : values_)
      if (!TakeValue(value)) return NotAsSpoken();
    return &values_;
  }

 private:
  template <class Number>
  bool Take(Number& number) {
    if (rest_.size() < sizeof(number)) return false;
    std::memcpy(&number, rest_.data(), sizeof(number));
    if constexpr (sizeof(number) == 2) number = static_cast<Number>(__builtin_bswap16(number));
    if constexpr (sizeof(number) == 4) number = static_cast<Number>(__builtin_bswap32(number));
    rest_.remove_prefix(sizeof(number));
    return true;
  }

  bool TakeHeader() {
    constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
    int32_t flags = 0, extension = 0;
    if (rest_.substr(0, kSignature.size()) != kSignature) return false;
    rest_.remove_prefix(kSignature.size());
    begun_ = true;
    if (!Take(flags) || !Take(extension) || extension < 0) return false;
    if (flags != 0 || rest_.size() < static_cast<size_t>(extension)) return false;
    rest_.remove_prefix(extension);
    return true;
  }

  bool TakeValue(Value& value) {
    int32_t size = 0;
    if (!Take(size) || size < -1) return false;
    value = {};
    if (size == -1) return true;
    if (rest_.size() < static_cast<size_t>(size)) return false;
    value.data = rest_.data();
    value.size = size;
    rest_.remove_prefix(size);
    return true;
  }

  absl::StatusOr<const RowValues*> End(const Watch& watch) {
    SLUICE_ASSIGN_OR_RETURN(const ResultPtr result, connection_.NextResult(watch));
    if (result == nullptr) return NotAsSpoken();
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      absl::Status status = Failed(result);
      SLUICE_RETURN_IF_ERROR(ReadToEnd(connection_, watch));
      return status.ok() ? NotAsSpoken() : status;
    }
    if (!ended_) return NotAsSpoken();
    SLUICE_RETURN_IF_ERROR(ReadToEnd(connection_, watch));
    SLUICE_RETURN_IF_ERROR(connection_.Query("COMMIT", {}, watch).status());
    return nullptr;
  }

  Connection& connection_;
  std::unique_ptr<char, FreeMemory> message_;
  std::string_view rest_;  // of the message
  bool begun_ = false, ended_ = false;
  RowValues values_;
};

// Sets the parameters for this transaction alone.
std::string SetParameters(size_t count) {
  std::string sql = "SELECT TRUE";
  for (size_t i = 1; i <= count; ++i)
    absl::StrAppend(&sql, ", pg_catalog.set_config('", SettingName(static_cast<int>(i)), "', $", i,
                    ", true)");
  return sql;
}

std::vector<const char*> Pointers(const std::vector<std::string>& parameters) {
  std::vector<const char*> pointers;
  pointers.reserve(parameters.size());
  for (const std::string& parameter : parameters) pointers.push_back(parameter.c_str());
  return pointers;
}

// One flight: the transaction begins, its parameters are set, the statement is parsed and tells its
// types. The last result is the description.
absl::StatusOr<ResultPtr> BeginCopy(Connection& connection, const Plan& plan,
                                    const std::vector<std::string>& parameters, const Watch& watch,
                                    std::string& state) {
  PGconn* const raw = connection.raw();
  const std::vector<const char*> values = Pointers(parameters);
  const bool sent =
      PQenterPipelineMode(raw) == 1 &&
      PQsendQueryParams(raw, "BEGIN", 0, nullptr, nullptr, nullptr, nullptr, 0) == 1 &&
      PQsendQueryParams(raw, SetParameters(values.size()).c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), nullptr, nullptr, 0) == 1 &&
      PQsendPrepare(raw, "", plan.sql.c_str(), 0, nullptr) == 1 &&
      PQsendDescribePrepared(raw, "") == 1 && PQpipelineSync(raw) == 1;
  if (!sent) return ConnectionError(raw);
  SLUICE_RETURN_IF_ERROR(connection.Flush(watch));
  ResultPtr described;
  absl::Status status;
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(ResultPtr result, connection.NextResult(watch));
    if (result == nullptr) continue;  // between one statement's results and the next's
    const ExecStatusType kind = PQresultStatus(result.get());
    if (kind == PGRES_PIPELINE_SYNC) break;
    if (kind == PGRES_PIPELINE_ABORTED) continue;
    if (status.ok()) {
      state = Connection::StateOf(result);
      status = Connection::StatusOf(result);
    }
    described = std::move(result);
  }
  if (PQexitPipelineMode(raw) != 1) return ConnectionError(raw);
  SLUICE_RETURN_IF_ERROR(status);
  return described;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowStream>> RunPrepared(Connection& connection,
                                                       const std::string& name, const Plan& plan,
                                                       const std::vector<std::string>& parameters,
                                                       const Watch& watch) {
  const std::vector<const char*> values = Pointers(parameters);
  PGconn* const raw = connection.raw();
  if (PQsendQueryPrepared(raw, name.c_str(), static_cast<int>(values.size()), values.data(),
                          nullptr, nullptr, 1) == 0)
    return ConnectionError(raw);
  if (PQsetSingleRowMode(raw) == 0) return absl::InternalError("postgres: no single-row mode");
  SLUICE_RETURN_IF_ERROR(connection.Flush(watch));
  return std::unique_ptr<RowStream>(std::make_unique<PreparedStream>(connection, plan));
}

absl::StatusOr<std::unique_ptr<RowStream>> RunCopy(Connection& connection, const Plan& plan,
                                                   const std::vector<std::string>& parameters,
                                                   const Watch& watch, std::string& state) {
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr described,
                          BeginCopy(connection, plan, parameters, watch, state));
  if (!TypesAre(described, plan)) {
    state = kSchemaChanged;
    return Drift("the source's schema is changing");
  }
  const std::string copy = absl::StrCat("COPY (", plan.sql, ") TO STDOUT (FORMAT binary)");
  PGconn* const raw = connection.raw();
  if (PQsendQueryParams(raw, copy.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0)
    return ConnectionError(raw);
  SLUICE_RETURN_IF_ERROR(connection.Flush(watch));
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr begun, connection.NextResult(watch));
  if (begun == nullptr || PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
    if (begun == nullptr) return NotAsSpoken();
    state = Connection::StateOf(begun);
    absl::Status status = Connection::StatusOf(begun);
    return status.ok() ? NotAsSpoken() : status;
  }
  return std::unique_ptr<RowStream>(std::make_unique<CopyStream>(connection, plan));
}

}  // namespace sluice::adapters::postgres
