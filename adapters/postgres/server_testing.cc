#include "adapters/postgres/server_testing.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "adapters/postgres/identifiers.h"
#include "gateway/base/process_testing.h"
#include "gtest/gtest.h"

namespace sluice::adapters::postgres {
namespace {

constexpr char kBinaries[] = "/usr/lib/postgresql/15/bin/";
constexpr char kPassword[] = "correct horse";
constexpr int kStartMs = 30'000;

// The server refuses to run as root: then it runs as the account of Debian's package.
const passwd* Account() {
  // A copy: the next one who asks for an account gets the same place.
  static const auto* const account = [] {
    const passwd* const found = geteuid() == 0 ? getpwnam("postgres") : nullptr;
    return found == nullptr ? nullptr : new passwd(*found);
  }();
  return account;
}

std::string AsAccount() {
  return Account() == nullptr ? "" : "setpriv --reuid=postgres --regid=postgres --clear-groups ";
}

void Run(const std::string& command) {
  const int status = std::system((command + " >/dev/null 2>&1").c_str());
  ASSERT_EQ(status, 0) << command;
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string MakeFolder() {
  std::string name = testing::TempDir() + "sluice-postgres-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder for the test";
  if (Account() != nullptr) {
    EXPECT_EQ(chown(name.c_str(), Account()->pw_uid, Account()->pw_gid), 0);
  }
  return name;
}

// Two authorities; of the first the server's certificate and the reader's, of the other a
// stranger's.
void MakeCertificates(const std::string& folder) {
  const auto ca = [&](const std::string& name) {
    Run(absl::StrCat("cd ", folder,
                     " && openssl req -x509 -newkey ec -pkeyopt "
                     "ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=",
                     name, " -keyout ", name, ".key -out ", name, ".crt"));
  };
  const auto leaf = [&](const std::string& name, const std::string& cn, const std::string& ca) {
    Write(folder + "/names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    Run(absl::StrCat("cd ", folder,
                     " && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
                     "-nodes -subj /CN=",
                     cn, " -keyout ", name, ".key -out ", name, ".csr && openssl x509 -req -in ",
                     name, ".csr -CA ", ca, ".crt -CAkey ", ca,
                     ".key -CAcreateserial -days 3650 -extfile names -out ", name, ".crt"));
  };
  ca("ca");
  ca("other-ca");
  leaf("server", "localhost", "ca");
  leaf("reader", "certified", "ca");
  leaf("stranger", "certified", "other-ca");
}

// What a fresh server needs, once for all test processes. The folder's name has all that it depends
// on.
std::string Template() {
  const std::string made = SLUICE_POSTGRES_TEMPLATE;
  std::filesystem::create_directories(std::filesystem::path(made).parent_path());
  const int lock = open((made + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  flock(lock, LOCK_EX);
  if (!std::filesystem::exists(made)) {
    const std::string folder = MakeFolder();
    Run(absl::StrCat("cd ", folder, " && ", AsAccount(), kBinaries, "initdb -D ", folder,
                     "/data -U owner -A trust -E UTF8 --locale=C --no-sync --wal-segsize=1"));
    MakeCertificates(folder);
    Run(absl::StrCat("rm -rf ", made, ".part && cp -a ", folder, " ", made, ".part && mv ", made,
                     ".part ", made, " && rm -rf ", folder));
  }
  close(lock);
  return made;
}

int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  close(listener);
  return ntohs(address.sin_port);
}

}  // namespace

bool TestServer::Installed() {
  return access((std::string(kBinaries) + "initdb").c_str(), X_OK) == 0;
}

TestServer& TestServer::Shared() {
  static TestServer server;
  if (server.process_ < 0) server.Start();
  return server;
}

TestServer::TestServer() {
  folder_ = MakeFolder();
  Run(absl::StrCat("cp -a ", Template(), "/. ", folder_));
  Write(file("hba.conf"),
        "local all owner trust\n"
        "local all all scram-sha-256\n"
        "hostssl all certified 127.0.0.0/8 cert\n"
        "hostssl all all 127.0.0.0/8 scram-sha-256\n");
  Write(file("password"), std::string(kPassword) + "\n");
  Write(file("wrong-password"), "battery staple\n");
  for (const char* name : {"password", "wrong-password", "reader.key", "stranger.key"}) {
    EXPECT_EQ(chmod(file(name).c_str(), 0600), 0);
  }
  if (Account() != nullptr) {
    for (const char* name : {"server.key", "server.crt", "ca.crt", "hba.conf"})
      EXPECT_EQ(chown(file(name).c_str(), Account()->pw_uid, Account()->pw_gid), 0);
  }
  EXPECT_EQ(chmod(file("server.key").c_str(), 0600), 0);
  Start();
  Exec(absl::StrCat("CREATE ROLE reader LOGIN PASSWORD '", kPassword,
                    "';"
                    "CREATE ROLE certified LOGIN; GRANT reader TO certified"));
}

TestServer::~TestServer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Settings TestServer::settings() const {
  return {{"host", "localhost"},
          {"port", absl::StrCat(port_)},
          {"database", "postgres"},
          {"user", "reader"},
          {"password_file", file("password")},
          {"root_certificate", file("ca.crt")}};
}

pid_t TestServer::Launch() const {
  const std::vector<std::string> options = {"listen_addresses=127.0.0.1,127.0.0.2",
                                            absl::StrCat("port=", port_),
                                            "unix_socket_directories=" + folder_,
                                            "hba_file=" + file("hba.conf"),
                                            "fsync=off",
                                            "full_page_writes=off",

                                            "autovacuum=off",
                                            "shared_buffers=32MB",
                                            "wal_level=minimal",
                                            "max_wal_senders=0",
                                            "max_connections=50",
                                            "ssl=on",
                                            "ssl_cert_file=" + file("server.crt"),
                                            "ssl_key_file=" + file("server.key"),
                                            "ssl_ca_file=" + file("ca.crt"),
                                            "log_statement=all",
                                            "track_commit_timestamp=on",
                                            "log_line_prefix=%p "};
  const std::string program = std::string(kBinaries) + "postgres", data = file("data");
  std::vector<const char*> arguments = {program.c_str(), "-D", data.c_str()};
  for (const std::string& option : options) {
    arguments.push_back("-c");
    arguments.push_back(option.c_str());
  }
  arguments.push_back(nullptr);
  const int log = open(file("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    if (Account() != nullptr && (setgroups(0, nullptr) != 0 || setgid(Account()->pw_gid) != 0 ||
                                 setuid(Account()->pw_uid) != 0))
      _exit(1);
    // Behind the change of account, which would forget it.
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent) _exit(1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(program.c_str(), const_cast<char* const*>(arguments.data()));
    _exit(1);
  }
  close(log);
  return child;
}

bool TestServer::Answers() const {
  return PQping(absl::StrCat("host=", folder_, " port=", port_, " dbname=postgres user=owner")
                    .c_str()) == PQPING_OK;
}

void TestServer::Start() {
  // Whoever holds the port stays away after a restart only by luck; another try finds another.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (port_ == 0) port_ = FreePort();
    process_ = Launch();
    for (int waited = 0; waited < kStartMs; waited += 5) {
      if (waitpid(process_, nullptr, WNOHANG) == process_) break;  // the port was taken
      if (Answers()) return;
      poll(nullptr, 0, 5);
    }
    process_ = -1;
    if (owner_ == nullptr) port_ = 0;
  }
  FAIL() << "no server: " << LogSince(0);
}

void TestServer::Stop() {
  PQfinish(owner_);
  owner_ = nullptr;
  if (process_ < 0) return;
  SignalAll(SIGCONT);
  kill(process_, SIGQUIT);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

PGconn* TestServer::owner() {
  // A server that ended says so only to those who listen: first why, then that.
  for (int i = 0; i < 2 && owner_ != nullptr; ++i) PQconsumeInput(owner_);
  if (owner_ == nullptr || PQstatus(owner_) != CONNECTION_OK) {
    PQfinish(owner_);
    owner_ = PQconnectdb(
        absl::StrCat("host=", folder_, " port=", port_, " dbname=postgres user=owner").c_str());
    PQsetNoticeProcessor(
        owner_, [](void*, const char*) {}, nullptr);
  }
  return owner_;
}

void TestServer::Exec(const std::string& sql, const std::string& database) {
  const bool own = database == "postgres";
  PGconn* const connection =
      own ? owner()
          : PQconnectdb(absl::StrCat("host=", folder_, " port=", port_, " dbname=", database,
                                     " user=owner client_encoding=UTF8")
                            .c_str());
  PGresult* const result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
      << PQerrorMessage(connection) << " in " << sql.substr(0, 500);
  PQclear(result);
  if (!own) PQfinish(connection);
}

std::string TestServer::Value(const std::string& sql, const std::string& database) {
  EXPECT_EQ(database, "postgres");
  PGresult* const result = PQexec(owner(), sql.c_str());
  EXPECT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQerrorMessage(owner()) << " in " << sql;
  std::string value = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  return value;
}

size_t TestServer::LogMark() const {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(file("log"), ignored);
  return ignored ? 0 : size;
}

std::string TestServer::LogSince(size_t mark) const {
  std::ifstream log(file("log"), std::ios::binary);
  log.seekg(static_cast<std::streamoff>(mark));
  return {std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
}

std::vector<pid_t> TestServer::Processes() const {
  std::vector<pid_t> processes;
  if (process_ < 0) return processes;
  processes.push_back(process_);
  const std::string task = absl::StrCat("/proc/", process_, "/task/", process_, "/children");
  std::ifstream children(task);
  for (pid_t child = 0; children >> child;) processes.push_back(child);
  return processes;
}

void TestServer::SignalAll(int signal) const {
  for (const pid_t process : Processes()) SendSignal(process, signal);
}

TestSchema::TestSchema(std::string database) : database_(std::move(database)) {
  static int number = 0;
  name_ = absl::StrCat("s", getpid(), "_", number++);
  const std::string role = "reader";
  TestServer::Shared().Exec(absl::StrCat("CREATE SCHEMA ", name_, "; GRANT USAGE ON SCHEMA ", name_,
                                         " TO ", role, "; ALTER DEFAULT PRIVILEGES IN SCHEMA ",
                                         name_, " GRANT SELECT ON TABLES TO ", role),
                            database_);
}

TestSchema::~TestSchema() {
  TestServer::Shared().Exec(absl::StrCat("DROP SCHEMA ", name_, " CASCADE"), database_);
}

Settings TestSchema::settings() const {
  Settings settings = TestServer::Shared().settings();
  settings["schema"] = name_;
  settings["database"] = database_;
  return settings;
}

void TestSchema::Exec(const std::string& sql) {
  TestServer::Shared().Exec(absl::StrCat("SET search_path = ", name_, ", public; ", sql),
                            database_);
}

}  // namespace sluice::adapters::postgres
