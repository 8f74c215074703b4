#include "adapters/odbc/server_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <odbcinst.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/process_testing.h"
#include "gtest/gtest.h"

namespace sluice::adapters::odbc {
namespace {

constexpr char kServer[] = "/usr/sbin/mariadbd";
constexpr char kInstall[] = "/usr/bin/mariadb-install-db";
constexpr char kPassword[] = "correct horse";
constexpr int kStartMs = 30'000;

// The server refuses to run as root: then it runs as the account of Debian's package.
const passwd* MysqlAccount() {
  // A copy: the next one who asks for an account gets the same place.
  static const auto* const account = [] {
    const passwd* const found = geteuid() == 0 ? getpwnam("mysql") : nullptr;
    return found == nullptr ? nullptr : new passwd(*found);
  }();
  return account;
}

void RunCommand(const std::string& command) {
  const int status = std::system((command + " >/dev/null 2>&1 </dev/null").c_str());
  ASSERT_EQ(status, 0) << command;
}

std::string MakeMysqlFolder() {
  std::string name = testing::TempDir() + "sluice-mariadb-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder for the test";
  if (MysqlAccount() != nullptr) {
    EXPECT_EQ(chown(name.c_str(), MysqlAccount()->pw_uid, MysqlAccount()->pw_gid), 0);
  }
  return name;
}

// What a fresh server needs, once for all test processes. The folder's name has all that it depends
// on.
std::string MariadbTemplate() {
  const std::string made = SLUICE_MARIADB_TEMPLATE;
  std::filesystem::create_directories(std::filesystem::path(made).parent_path());
  const int lock = open((made + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  flock(lock, LOCK_EX);
  if (!std::filesystem::exists(made)) {
    const std::string folder = MakeMysqlFolder();
    RunCommand(absl::StrCat(kInstall, " --no-defaults --datadir=", folder, "/data",
                            " --auth-root-authentication-method=normal --skip-test-db",
                            " --skip-name-resolve --innodb-log-file-size=4M",
                            MysqlAccount() == nullptr ? "" : " --user=mysql"));
    RunCommand(absl::StrCat("rm -rf ", made, ".part && cp -a ", folder, " ", made, ".part && mv ",
                            made, ".part ", made, " && rm -rf ", folder));
  }
  close(lock);
  return made;
}

int FreeMysqlPort() {
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

bool DriverInstalled(const std::string& name) {
  char library[1'024] = {};
  return SQLGetPrivateProfileString(name.c_str(), "Driver", "", library, sizeof(library),
                                    "odbcinst.ini") > 0 &&
         library[0] != '\0';
}

bool MariadbServer::Installed() {
  return access(kServer, X_OK) == 0 && access(kInstall, X_OK) == 0 &&
         DriverInstalled(kMariadbDriver);
}

MariadbServer& MariadbServer::Shared() {
  static MariadbServer server;
  if (server.process_ < 0) server.Start();
  return server;
}

MariadbServer::MariadbServer() {
  folder_ = MakeMysqlFolder();
  RunCommand(absl::StrCat("cp -a ", MariadbTemplate(), "/. ", folder_));
  std::ofstream(file("password")) << kPassword << "\n";
  std::ofstream(file("wrong-password")) << "battery staple\n";
  for (const char* name : {"password", "wrong-password"}) {
    EXPECT_EQ(chmod(file(name).c_str(), 0600), 0);
  }
  Start();
  Exec(absl::StrCat("CREATE USER reader@'127.0.0.1' IDENTIFIED BY '", kPassword, "'"));
}

MariadbServer::~MariadbServer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Settings MariadbServer::settings() const {
  return {{"driver", kMariadbDriver},          {"server", "127.0.0.1"},
          {"port", absl::StrCat(port_)},       {"user", "reader"},
          {"password_file", file("password")}, {"times_without_zone", "utc"}};
}

pid_t MariadbServer::Launch() const {
  const std::vector<std::string> arguments = {kServer,
                                              "--no-defaults",
                                              "--datadir=" + file("data"),
                                              "--socket=" + file("socket"),
                                              absl::StrCat("--port=", port_),
                                              "--bind-address=127.0.0.1",
                                              "--pid-file=" + file("pid"),
                                              "--skip-name-resolve",
                                              "--innodb-buffer-pool-size=32M",
                                              "--innodb-log-file-size=4M",
                                              "--innodb-flush-log-at-trx-commit=2",
                                              "--innodb-doublewrite=0",
                                              "--max-allowed-packet=64M",
                                              "--general-log=1",
                                              "--general-log-file=" + file("general")};
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  pointers.push_back(nullptr);
  const int log = open(file("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    if (MysqlAccount() != nullptr &&
        (setgroups(0, nullptr) != 0 || setgid(MysqlAccount()->pw_gid) != 0 ||
         setuid(MysqlAccount()->pw_uid) != 0))
      _exit(1);
    // Behind the change of account, which would forget it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(kServer, const_cast<char**>(pointers.data()));
    _exit(1);
  }
  close(log);
  return child;
}

bool MariadbServer::Answers() const {
  const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  file("socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  const bool answers =
      connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(client);
  return answers;
}

void MariadbServer::Start() {
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (port_ == 0) port_ = FreeMysqlPort();
    process_ = Launch();
    for (int waited = 0; waited < kStartMs; waited += 10) {
      if (waitpid(process_, nullptr, WNOHANG) == process_) break;  // the port was taken
      if (Answers()) return;
      poll(nullptr, 0, 10);
    }
    process_ = -1;
    port_ = 0;
  }
  FAIL() << "no server: " << file("log");
}

void MariadbServer::Stop() {
  owner_.reset();
  if (process_ < 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

void MariadbServer::Signal(int signal) const {
  if (process_ > 0) SendSignal(process_, signal);
}

Session& MariadbServer::owner(const std::string& database) {
  const CallContext context;
  if (owner_ == nullptr || !owner_->CanServe()) {
    owner_settings_.driver = kMariadbDriver;
    owner_settings_.user = "root";
    owner_settings_.attributes = {{"SOCKET", file("socket")}};
    owner_settings_.server = "localhost";
    owner_settings_.allow_writer = true;
    owner_settings_.statement_timeout_ms = 60'000;
    auto opened = Session::Open(owner_settings_, Watch(context), [](const Worker::Ended&) {});
    EXPECT_TRUE(opened.ok()) << opened.status() << OperatorNoteOf(opened.status());
    owner_ = *std::move(opened);
    EXPECT_TRUE(
        owner_->Query("SET SESSION TRANSACTION READ WRITE", {}, Watch(context)).status().ok());
  }
  if (!database.empty()) {
    EXPECT_TRUE(owner_->Query("USE " + database, {}, Watch(context)).status().ok());
  }
  return *owner_;
}

void MariadbServer::Exec(const std::string& sql, const std::string& database) {
  const CallContext context;
  const auto done = owner(database).Query(sql, {}, Watch(context));
  EXPECT_TRUE(done.ok()) << done.status() << " " << OperatorNoteOf(done.status()) << " in "
                         << sql.substr(0, 500);
}

std::string MariadbServer::Value(const std::string& sql, const std::string& database) {
  const CallContext context;
  const auto rows = owner(database).Query(sql, {}, Watch(context));
  EXPECT_TRUE(rows.ok()) << rows.status() << " in " << sql;
  return rows.ok() && !rows->empty() ? (*rows)[0][0].value_or("") : "";
}

size_t MariadbServer::LogMark() const {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(file("general"), ignored);
  return ignored ? 0 : size;
}

std::string MariadbServer::LogSince(size_t mark) const {
  std::ifstream log(file("general"), std::ios::binary);
  log.seekg(static_cast<std::streamoff>(mark));
  return {std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
}

MariadbDatabase::MariadbDatabase() {
  static int number = 0;
  name_ = absl::StrCat("d", getpid(), "_", number++);
  MariadbServer::Shared().Exec(
      absl::StrCat("CREATE DATABASE ", name_, " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"));
  MariadbServer::Shared().Exec(
      absl::StrCat("GRANT SELECT, SHOW VIEW ON ", name_, ".* TO reader@'127.0.0.1'"));
}

MariadbDatabase::~MariadbDatabase() {
  MariadbServer::Shared().Exec("DROP DATABASE " + name_);
  MariadbServer::Shared().Exec(
      absl::StrCat("REVOKE SELECT, SHOW VIEW ON ", name_, ".* FROM reader@'127.0.0.1'"));
}

Settings MariadbDatabase::settings() const {
  Settings settings = MariadbServer::Shared().settings();
  settings["database"] = name_;
  return settings;
}

void MariadbDatabase::Exec(const std::string& sql) { MariadbServer::Shared().Exec(sql, name_); }

Settings OverOdbc(const Settings& postgres) {
  Settings settings = {{"driver", kPostgresDriver}, {"server", postgres.at("host")}};
  for (const char* same : {"port", "database", "user", "password_file", "schema"})
    if (const auto found = postgres.find(same); found != postgres.end())
      settings[same] = found->second;
  settings["attribute.SSLmode"] = "verify-full";
  // psqlodbc hands it to libpq.
  settings["attribute.pqopt"] = "sslrootcert=" + postgres.at("root_certificate");
  return settings;
}

}  // namespace sluice::adapters::odbc
