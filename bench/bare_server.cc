// A gRPC server over mutual TLS that looks rows up in SQLite, or echoes, with neither policy nor
// audit: what the gateway's price is measured against. Prints "listening PORT" when it does; ends
// on SIGTERM.
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "bare.grpc.pb.h"

namespace sluice::bench {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench_bare_server: " << what << "\n";
  std::exit(1);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Table {
  std::string database, table, key;
  std::vector<std::string> columns;
};

// One connection and its statement; a thread has its own, so nobody waits for a lock.
class Lookups {
 public:
  explicit Lookups(const Table& table) : columns_(table.columns) {
    if (sqlite3_open_v2(table.database.c_str(), &database_,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK)
      Fail(table.database + ": " + sqlite3_errmsg(database_));
    std::string sql = "SELECT ";
    for (size_t i = 0; i < columns_.size(); ++i) sql += (i == 0 ? "" : ", ") + columns_[i];
    sql += " FROM " + table.table + " WHERE " + table.key + " = ?1";
    if (sqlite3_prepare_v3(database_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement_,
                           nullptr) != SQLITE_OK)
      Fail(sql + ": " + sqlite3_errmsg(database_));
  }
  ~Lookups() {
    sqlite3_finalize(statement_);
    sqlite3_close(database_);
  }

  bool Find(const std::string& key, v1::RowBatch& reply) {
    for (const std::string& name : columns_) {
      v1::Column* column = reply.add_columns();
      column->set_name(name);
      column->mutable_type()->set_type(v1::FIELD_TYPE_UTF8);
    }
    sqlite3_bind_text(statement_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    int result = sqlite3_step(statement_);
    for (; result == SQLITE_ROW; result = sqlite3_step(statement_)) AddRow(reply);
    sqlite3_reset(statement_);
    return result == SQLITE_DONE;
  }

 private:
  void AddRow(v1::RowBatch& reply) {
    v1::Row* row = reply.add_rows();
    for (int i = 0; i < sqlite3_column_count(statement_); ++i) {
      v1::Value* value = row->add_values();
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, i));
      if (text != nullptr)
        value->set_string_value(text, static_cast<size_t>(sqlite3_column_bytes(statement_, i)));
    }
  }

  const std::vector<std::string> columns_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

class BareService : public Bare::CallbackService {
 public:
  explicit BareService(Table table) : table_(std::move(table)) {}

  // The rows lie in memory: a lookup is over sooner than another thread could be told of it.
  grpc::ServerUnaryReactor* Lookup(grpc::CallbackServerContext* context,
                                   const LookupRequest* request, v1::RowBatch* reply) override {
    thread_local Lookups lookups(table_);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(lookups.Find(request->key(), *reply)
                        ? grpc::Status::OK
                        : grpc::Status(grpc::StatusCode::INTERNAL, "SQLite failed"));
    return reactor;
  }

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest* request,
                                 EchoReply* reply) override {
    reply->mutable_payload()->assign(static_cast<size_t>(request->reply_bytes()), 'x');
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const Table table_;
};

// The gateway's own options, but for its verifier.
std::shared_ptr<grpc::ServerCredentials> Credentials(const std::string& certificate,
                                                     const std::string& key,
                                                     const std::string& authorities) {
  namespace tls = grpc::experimental;
  const tls::IdentityKeyCertPair pair{ReadFile(key), ReadFile(certificate)};
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::StaticDataCertificateProvider>(
      ReadFile(authorities), std::vector<tls::IdentityKeyCertPair>{pair}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return tls::TlsServerCredentials(options);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  CLI::App app("A bare gRPC server over mutual TLS, to measure a gateway against.");
  std::string listen = "127.0.0.1:0", certificate, key, authorities;
  Table table;
  app.add_option("--listen", listen);
  app.add_option("--certificate", certificate)->required();
  app.add_option("--key", key)->required();
  app.add_option("--authorities", authorities)->required();
  app.add_option("--database", table.database)->required();
  app.add_option("--table", table.table)->required();
  app.add_option("--key-column", table.key)->required();
  app.add_option("--columns", table.columns)->required()->delimiter(',');
  CLI11_PARSE(app, argc, argv);

  // Before any thread is made, so that all leave the signal to this one.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  BareService service(table);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(listen, Credentials(certificate, key, authorities), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) Fail("cannot listen on " + listen);
  std::cout << "listening " << port << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return 0;
}
