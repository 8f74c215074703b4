// Where a source's files are, if on another machine, and what proves that it is that one.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::adapters::files {

struct RemoteSettings {
  // sftp://user@host:22/path/, ftps://…, https://…: a folder where it ends in a slash. No password,
  // no query.
  std::string url;
  std::string
      list;  // a file of the folder that names its files, one a line; empty: they are asked for
  std::string password_file, private_key_file, passphrase_file;
  std::string client_certificate_file, client_key_file;
  std::string ca_file;
  std::string host_key;  // SHA-256 of it in base64, without "SHA256:" and padding
  std::string known_hosts_file;
  int64_t connect_timeout_s = 10;
  int64_t stall_timeout_s = 30;
  int64_t check_every_s = 60;
  // Of one file, and of all that are kept.
  int64_t most_fetched_bytes = int64_t{8} << 30;
  std::string work_folder = "/var/tmp";

  bool Is(const char* scheme) const { return url.starts_with(scheme); }
  bool IsFolder() const { return url.ends_with('/'); }
};

}  // namespace sluice::adapters::files
