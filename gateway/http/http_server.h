// A small HTTP/1.1 listener, plain or over TLS, for answers that are made whole: GET and HEAD, and,
// where a limit allows bodies, POST. Everything that a client may take up is bounded by
// `HttpLimits`: it cannot hold a thread, and Stop waits for none. One thread does all input and
// output; a few others make the answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/http/tls.h"

namespace sluice::http {

struct HttpRequest {
  std::string path;      // as sent, up to "?"
  std::string peer;      // "ipv4:10.0.0.7:41522"
  std::string leaf_pem;  // over TLS, what the client proved to hold the key of; empty: none
  bool is_post = false;  // else GET, or HEAD, whose answer goes without its body
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those of type and length
};

// Called on a thread for answers; may block for as long as its own work takes.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpLimits {
  int connections = 64;  // more are closed at once
  int connections_per_address = 16;
  uint32_t header_bytes = 8 << 10;  // request line and headers; more is answered with 431
  uint64_t body_bytes = 0;          // of a POST; more is answered with 413. 0: there is no POST
  Micros handshake = 10 * kSecond;
  Micros request = 10 * kSecond;      // from the first wait for a request to its last byte
  Micros response = 30 * kSecond;     // until the client has taken an answer
  int requests_per_connection = 100;  // then it is closed
  int threads = 2;                    // for answers
  size_t waiting = 64;                // requests that wait for these; more are answered with 503
};

// "127.0.0.1:9464", "[::1]:0". Whether the host is a literal address that no other machine reaches.
bool IsLoopback(std::string_view listen);
// Whether it is a literal IP address and a port.
bool IsAddress(std::string_view listen);

class HttpServer {
 public:
  // UNAVAILABLE where the port cannot be bound. Whatever the handler uses outlives the server.
  // With `tls` it speaks HTTPS, each connection by what that gives when it begins; without, HTTP.
  using TlsSource = std::function<std::shared_ptr<const TlsContext>()>;
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& listen,
                                                           HttpLimits limits, HttpHandler handler,
                                                           TlsSource tls = nullptr);
  ~HttpServer();

  // With the real port.
  const std::string& address() const { return address_; }
  // Closes listener and connections; returns when the answers in the making are made. No handler is
  // called afterwards.
  void Stop();

 private:
  class Listener;
  HttpServer() = default;
  std::string address_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace sluice::http
