// A small HTTP client, over libcurl: one blocking request with bounds on time and size. HTTPS
// verifies certificate and name; no redirects.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"

namespace sluice {

// Of an https URL; PEM files, read at each request.
struct HttpTls {
  std::string authorities;  // who may have signed the server's certificate; empty: the system's
  std::string certificate, key;  // our own, where the server asks for one; empty: none
};

struct HttpCall {
  std::string url;
  std::optional<std::string> body;  // POSTed; none: GET
  Micros timeout = 10 * kSecond;    // of all of it
  size_t most_bytes = 1 << 20;      // of the answer's body
  HttpTls tls;
  const std::atomic<bool>* stop = nullptr;  // once true, the call is given up; may be null
};

struct HttpReply {
  int status = 0;
  std::string type;  // as the server says it
  std::string body;
};

// Any answer at all. UNAVAILABLE with the reason in words where there is none.
absl::StatusOr<HttpReply> HttpSend(const HttpCall& call);

// The body of a 200 answer. UNAVAILABLE for every other outcome, with the reason in words.
absl::StatusOr<std::string> HttpGet(const std::string& url, Micros timeout, size_t most_bytes,
                                    const HttpTls& tls = {});

}  // namespace sluice
