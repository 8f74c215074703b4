// Servers of files for tests, from Debian's packages: nginx, OpenSSH, asyncssh,
// vsftpd. Each has a folder of
// its own, listens at 127.0.0.1 and 127.0.0.2 on a free port, and is gone when the test process
// ends however it ends.
//
//   TestHttpsServer server;                   // skips nothing by itself: see Installed
//   server.Put("persons.csv", "name\nAnn\n");
//   OpenDelimited({{"url", server.url("persons.csv")}, {"ca_file", server.file("ca.crt")}});
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "adapters/files/files_testing.h"

namespace sluice::adapters::files {

class TestFileServer {
 public:
  virtual ~TestFileServer();
  TestFileServer(const TestFileServer&) = delete;
  TestFileServer& operator=(const TestFileServer&) = delete;

  // Into what it serves, by another name first; written so many seconds ago, as the server tells.
  void Put(const std::string& name, const std::string& bytes, int seconds_ago = 1'000);
  void Remove(const std::string& name) const;
  // What it serves.
  const TestFolder& served() const { return served_; }

  // A file of its own folder: certificates and keys, secrets.
  std::string file(const std::string& name) const { return own_.PathOf(name); }
  void WriteSecret(const std::string& name, const std::string& text) const;
  int port() const { return port_; }
  // What it wrote into its log, once it has nothing left to do: its line comes behind the answer.
  std::string log() const;
  // Ends at once, with what it started. Starts again at the same port.
  void Stop();
  void Start();

 protected:
  TestFileServer();
  // The program and its arguments; what it reads is written anew.
  virtual std::vector<std::string> Prepare() = 0;
  std::string Host() const;  // 127.0.0.1:PORT

  TestFolder own_, served_;

 private:
  bool Answers() const;

  int port_ = 0;
  pid_t process_ = -1;
};

// TLS, with certificates of its own authority: ca.crt, client.crt and .key; of another:
// other-ca.crt, stranger.crt and .key. 127.0.0.2 is no name of it.
class TestHttpsServer : public TestFileServer {
 public:
  static constexpr char kNotInstalled[] = "SKIPPED: nginx is not installed";
  static bool Installed();
  TestHttpsServer();
  // Below /private/ for `reader` with the password "correct horse", below /certified/ for the
  // client's certificate, below /slow/ at 64 KiB a second, below /moved/ elsewhere.
  std::string url(const std::string& path, const std::string& host = "127.0.0.1",
                  const std::string& user = "") const;

 private:
  std::vector<std::string> Prepare() override;
};

// Keys: host (its own), reader and reader-rsa (let in), stranger, each with .pub; locked is
// `reader` behind the passphrase "correct horse".
class TestSftpServer : public TestFileServer {
 public:
  static constexpr char kNotInstalled[] = "SKIPPED: openssh-server is not installed";
  static bool Installed();
  TestSftpServer();
  std::string url(const std::string& name) const;
  // "SHA256:…" of a key.
  std::string Fingerprint(const std::string& key) const;
  // A line of a known_hosts file: the server has that key.
  std::string KnownHost(const std::string& key) const;

 private:
  std::vector<std::string> Prepare() override;
};

// SFTP by a server that shares no code with OpenSSH and no accounts with the machine: lets `reader`
// in with the password "correct horse" only.
class TestPasswordServer : public TestFileServer {
 public:
  static constexpr char kNotInstalled[] = "SKIPPED: python3-asyncssh is not installed";
  static bool Installed();
  TestPasswordServer();
  std::string url(const std::string& name) const;
  std::string Fingerprint() const;

 private:
  std::vector<std::string> Prepare() override;
};

// Certificates as TestHttpsServer's; TLS from the first byte. Lets `anonymous` in with the password
// "correct horse" only.
class TestFtpsServer : public TestFileServer {
 public:
  static constexpr char kNotInstalled[] = "SKIPPED: vsftpd is not installed";
  static bool Installed();
  TestFtpsServer();
  std::string url(const std::string& name, const std::string& host = "127.0.0.1") const;

 private:
  std::vector<std::string> Prepare() override;
};

}  // namespace sluice::adapters::files
