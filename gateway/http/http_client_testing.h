// A client for tests of a listener: a bare socket, so that it can be as hostile as it likes.
#pragma once

#include <string>
#include <string_view>

namespace sluice::http {

class BareClient {
 public:
  // "127.0.0.1:41733". `window`: the most bytes that the system takes in while nobody reads; 0
  // leaves it as it is.
  explicit BareClient(const std::string& address, int window = 0);
  ~BareClient();
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;

  // False where the other side is gone.
  bool Send(std::string_view bytes);
  // Sends a byte every few milliseconds, until the other side closes. How many went.
  int Drip(char byte);
  // Until the text has come, or the other side has closed. What came, all of it.
  std::string ReadUntil(std::string_view text);
  std::string ReadToEnd();
  // Whether the other side closes without a byte more.
  bool IsClosed() { return ReadToEnd() == seen_before_; }

 private:
  int socket_ = -1;
  std::string seen_, seen_before_;
};

// One request by itself: all of the answer.
std::string Ask(const std::string& address, std::string_view request);
std::string Get(const std::string& address, std::string_view path);
// "HTTP/1.1 200 OK" is 200.
int StatusOf(std::string_view answer);
std::string BodyOf(std::string_view answer);

}  // namespace sluice::http
