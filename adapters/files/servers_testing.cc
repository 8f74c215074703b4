#include "adapters/files/servers_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/base/process_testing.h"
#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

constexpr char kNginx[] = "/usr/sbin/nginx", kSshd[] = "/usr/sbin/sshd",
               kVsftpd[] = "/usr/sbin/vsftpd";
constexpr int kStartMs = 20'000;

bool IsProgram(const char* path) { return access(path, X_OK) == 0; }

void RunIn(const std::string& folder, const std::string& command) {
  const int status =
      std::system(absl::StrCat("cd ", folder, " && ", command, " >/dev/null 2>&1").c_str());
  ASSERT_EQ(status, 0) << command;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  close(listener);
  return ntohs(address.sin_port);
}

std::string FingerprintOf(const TestFolder& folder, const std::string& key) {
  RunIn(folder.path(), absl::StrCat("(ssh-keygen -l -f ", key, ".pub > fingerprint)"));
  const std::vector<std::string> words = absl::StrSplit(folder.Read("fingerprint"), ' ');
  return words.at(1);
}

// Those that the process started, and theirs: some leave its group.
std::vector<pid_t> Descendants(pid_t of) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    std::ifstream file(entry.path() / "stat");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::vector<std::string> words = absl::StrSplit(text.substr(text.rfind(')') + 1), ' ');
    if (words.size() < 3 || words[2] != absl::StrCat(of)) continue;
    found.push_back(pid);
    for (const pid_t below : Descendants(pid)) found.push_back(below);
  }
  return found;
}

// Two authorities; of the first the server's certificate and the client's, of the other a
// stranger's.
void MakeTlsFiles(const std::string& folder) {
  const auto ca = [&](const std::string& name) {
    RunIn(folder,
          absl::StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                       "-days 30 -subj /CN=",
                       name, " -keyout ", name, ".key -out ", name, ".crt"));
  };
  const auto leaf = [&](const std::string& name, const std::string& ca) {
    std::ofstream(folder + "/names") << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    RunIn(folder,
          absl::StrCat("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                       "-subj /CN=",
                       name, " -keyout ", name, ".key -out ", name,
                       ".csr && openssl x509 -req -in ", name, ".csr -CA ", ca, ".crt -CAkey ", ca,
                       ".key -CAcreateserial -days 30 -extfile names "
                       "-out ",
                       name, ".crt"));
  };
  ca("ca");
  ca("other-ca");
  leaf("server", "ca");
  leaf("client", "ca");
  leaf("stranger", "other-ca");
}

}  // namespace

TestFileServer::TestFileServer() {
  // Servers that give up their account read it all the same.
  chmod(own_.path().c_str(), 0755);
  chmod(served_.path().c_str(), 0755);
}

TestFileServer::~TestFileServer() { Stop(); }

void TestFileServer::Put(const std::string& name, const std::string& bytes, int seconds_ago) {
  served_.WriteInPlace(".arriving", bytes);
  const std::string path = served_.PathOf(".arriving");
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const timespec then = {now.tv_sec - seconds_ago, 0};
  const timespec times[] = {then, then};
  EXPECT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  std::filesystem::rename(path, served_.PathOf(name));
}

void TestFileServer::Remove(const std::string& name) const {
  std::filesystem::remove(served_.PathOf(name));
}

void TestFileServer::WriteSecret(const std::string& name, const std::string& text) const {
  own_.WriteInPlace(name, text);
  EXPECT_EQ(chmod(file(name).c_str(), 0600), 0);
}

std::string TestFileServer::log() const {
  if (process_ >= 0) ThreadsBecome(process_, "SIZ");
  return own_.Read("log");
}

std::string TestFileServer::Host() const { return absl::StrCat("127.0.0.1:", port_); }

bool TestFileServer::Answers() const {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port_);
  const bool answers =
      connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(client);
  return answers;
}

void TestFileServer::Start() {
  const bool again = port_ != 0;
  // Whoever takes the port first: another try finds another.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (!again) port_ = FreePort();
    const std::vector<std::string> words = Prepare();
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    arguments.push_back(nullptr);
    const int log = open(file("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const pid_t parent = getpid();
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      dup2(log, STDOUT_FILENO);
      dup2(log, STDERR_FILENO);
      execv(arguments[0], const_cast<char* const*>(arguments.data()));
      _exit(1);
    }
    close(log);
    for (int waited = 0; waited < kStartMs; waited += 5) {
      if (waitpid(process_, nullptr, WNOHANG) == process_) break;  // the port was taken
      if (Answers()) return;
      poll(nullptr, 0, 5);
    }
    process_ = -1;
  }
  FAIL() << "no server: " << log();
}

void TestFileServer::Stop() {
  if (process_ < 0) return;
  const std::vector<pid_t> started = Descendants(process_);
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  for (const pid_t pid : started) kill(pid, SIGKILL);
  process_ = -1;
}

bool TestHttpsServer::Installed() { return IsProgram(kNginx); }

TestHttpsServer::TestHttpsServer() {
  MakeTlsFiles(own_.path());
  own_.WriteInPlace("users", "reader:{PLAIN}correct horse\n");
  Start();
}

std::vector<std::string> TestHttpsServer::Prepare() {
  const std::string text = absl::StrReplaceAll(R"(
daemon off;
master_process off;
USER
error_log OWN/log warn;
pid OWN/pid;
events {}
http {
  log_format line '$request_method $request_uri $status $http_range';
  access_log OWN/log line;
  client_body_temp_path OWN/body;
  proxy_temp_path OWN/proxy;
  fastcgi_temp_path OWN/fastcgi;
  uwsgi_temp_path OWN/uwsgi;
  scgi_temp_path OWN/scgi;
  server {
    listen 127.0.0.1:PORT ssl;
    listen 127.0.0.2:PORT ssl;
    ssl_certificate OWN/server.crt;
    ssl_certificate_key OWN/server.key;
    ssl_client_certificate OWN/ca.crt;
    ssl_verify_client optional;
    root SERVED;
    location /private/ { auth_basic files; auth_basic_user_file OWN/users; alias SERVED/; }
    location /certified/ { if ($ssl_client_verify != SUCCESS) { return 403; } alias SERVED/; }
    location /slow/ { limit_rate 64k; alias SERVED/; }
    location /moved/ { return 302 /; }
    location /untold/ { etag off; add_header Last-Modified ""; alias SERVED/; }
  }
})",
                                               {{"USER", geteuid() == 0 ? "user root;" : ""},
                                                {"OWN", own_.path()},
                                                {"SERVED", served_.path()},
                                                {"PORT", absl::StrCat(port())}});
  own_.WriteInPlace("nginx.conf", text);
  return {kNginx, "-e", file("log"), "-c", file("nginx.conf")};
}

std::string TestHttpsServer::url(const std::string& path, const std::string& host,
                                 const std::string& user) const {
  return absl::StrCat("https://", user, user.empty() ? "" : "@", host, ":", port(), "/", path);
}

bool TestSftpServer::Installed() { return IsProgram(kSshd); }

TestSftpServer::TestSftpServer() {
  for (const char* key : {"host", "reader", "stranger"})
    RunIn(own_.path(), absl::StrCat("ssh-keygen -q -t ed25519 -N '' -C '' -f ", key));
  RunIn(own_.path(), "ssh-keygen -q -t rsa -b 3072 -N '' -C '' -f reader-rsa");
  RunIn(own_.path(),
        "cp reader locked && chmod 600 locked && "
        "ssh-keygen -q -p -P '' -N 'correct horse' -f locked && "
        "(cat reader.pub reader-rsa.pub > authorized)");
  // Where it puts those who are not let in yet; Debian makes it at boot.
  if (geteuid() == 0) std::filesystem::create_directories("/run/sshd");
  Start();
}

std::vector<std::string> TestSftpServer::Prepare() {
  own_.WriteInPlace("sshd_config",
                    absl::StrCat("Port ", port(),
                                 "\nListenAddress 127.0.0.1\nListenAddress 127.0.0.2\n"
                                 "HostKey ",
                                 file("host"), "\nAuthorizedKeysFile ", file("authorized"),
                                 "\nStrictModes no\nUsePAM no\nPidFile none\n"
                                 "PermitRootLogin yes\nLogLevel VERBOSE\n"
                                 "Subsystem sftp internal-sftp\n"));
  return {kSshd, "-D", "-e", "-f", file("sshd_config")};
}

std::string TestSftpServer::url(const std::string& name) const {
  const char* const user = geteuid() == 0 ? "root" : getenv("USER");
  return absl::StrCat("sftp://", user, "@", Host(), served_.path(), "/", name);
}

std::string TestSftpServer::Fingerprint(const std::string& key) const {
  return FingerprintOf(own_, key);
}

std::string TestSftpServer::KnownHost(const std::string& key) const {
  const std::vector<std::string> words = absl::StrSplit(own_.Read(key + ".pub"), ' ');
  return absl::StrCat("[127.0.0.1]:", port(), " ", words.at(0), " ",
                      std::string(absl::StripAsciiWhitespace(words.at(1))), "\n");
}

bool TestPasswordServer::Installed() {
  return std::system("/usr/bin/python3 -c 'import asyncssh' >/dev/null 2>&1") == 0;
}

TestPasswordServer::TestPasswordServer() {
  RunIn(own_.path(), "ssh-keygen -q -t ed25519 -N '' -C '' -f host");
  own_.WriteInPlace("server.py", R"(import asyncio, sys, asyncssh
port, host_key, served = sys.argv[1:]

class Door(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True
    def password_auth_supported(self):
        return True
    def validate_password(self, username, password):
        return username == 'reader' and password == 'correct horse'

async def serve():
    await asyncssh.listen('127.0.0.1', int(port), server_factory=Door, server_host_keys=[host_key],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=served))
    await asyncio.Event().wait()

asyncio.run(serve())
)");
  Start();
}

std::vector<std::string> TestPasswordServer::Prepare() {
  return {"/usr/bin/python3", file("server.py"), absl::StrCat(port()), file("host"),
          served_.path()};
}

std::string TestPasswordServer::url(const std::string& name) const {
  return absl::StrCat("sftp://reader@", Host(), "/", name);
}

std::string TestPasswordServer::Fingerprint() const { return FingerprintOf(own_, "host"); }

bool TestFtpsServer::Installed() { return IsProgram(kVsftpd); }

TestFtpsServer::TestFtpsServer() {
  MakeTlsFiles(own_.path());
  own_.WriteInPlace("passwords", "correct horse\n");
  std::filesystem::create_directory(file("empty"));
  Start();
}

std::vector<std::string> TestFtpsServer::Prepare() {
  own_.WriteInPlace(
      "vsftpd.conf",
      absl::StrReplaceAll(
          "background=NO\nlisten=YES\nlisten_address=127.0.0.1\nlisten_port=PORT\n"
          "anonymous_enable=YES\nlocal_enable=NO\nwrite_enable=NO\nanon_root=SERVED\n"
          "secure_email_list_enable=YES\nemail_password_file=OWN/passwords\n"
          "secure_chroot_dir=OWN/empty\nrun_as_launching_user=YES\nftp_username=nobody\n"
          "ssl_enable=YES\nimplicit_ssl=YES\nallow_anon_ssl=YES\nssl_tlsv1=YES\n"
          "force_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\nrequire_ssl_reuse=NO\n"
          "ssl_ciphers=HIGH\nrsa_cert_file=OWN/server.crt\nrsa_private_key_file=OWN/server.key\n"
          "seccomp_sandbox=NO\nxferlog_enable=YES\nvsftpd_log_file=OWN/log\n"
          "pasv_address=127.0.0.1\n",
          {{"OWN", own_.path()}, {"SERVED", served_.path()}, {"PORT", absl::StrCat(port())}}));
  return {kVsftpd, file("vsftpd.conf")};
}

std::string TestFtpsServer::url(const std::string& name, const std::string& host) const {
  return absl::StrCat("ftps://anonymous@", host, ":", port(), "/", name);
}

}  // namespace sluice::adapters::files
