// Reads from an HTTPS server that wants a certificate, one GET after the other over a connection
// that is kept. The server's certificate and name are verified; no redirection is followed, no
// proxy asked. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"

namespace sluice {

class HttpsReader {
 public:
  // Files in PEM. `timeout` is each answer's.
  struct Options {
    std::string certificate, key, authorities;
    Micros timeout = 30 * kSecond;
  };
  explicit HttpsReader(const Options& options);
  ~HttpsReader();
  HttpsReader(const HttpsReader&) = delete;
  HttpsReader& operator=(const HttpsReader&) = delete;

  // The body of a 200 answer of at most `most_bytes`. NOT_FOUND for 404, PERMISSION_DENIED for 401
  // and 403, RESOURCE_EXHAUSTED for more bytes, UNAVAILABLE for every other outcome, in words.
  absl::StatusOr<std::string> Get(const std::string& url, size_t most_bytes);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace sluice
