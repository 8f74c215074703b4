#include "gateway/http/http_client_testing.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gateway/base/view.h"

namespace sluice::http {

BareClient::BareClient(const std::string& address, int window) {
  const size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::atoi(address.substr(colon + 1).c_str())));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (window > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
  // A listener that hangs fails the test, rather than hanging it.
  const timeval limit{.tv_sec = 30, .tv_usec = 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0) << address;
}

BareClient::~BareClient() { close(socket_); }

bool BareClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

int BareClient::Drip(char byte) {
  int sent = 0;
  pollfd closed{.fd = socket_, .events = POLLIN | POLLRDHUP, .revents = 0};
  while (poll(&closed, 1, 2) == 0 && Send({&byte, 1})) ++sent;
  return sent;
}

std::string BareClient::ReadUntil(std::string_view text) {
  char buffer[1 << 14];
  while (text.empty() || seen_.find(text) == std::string::npos) {
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "nothing came";
    if (got <= 0) break;
    seen_.append(buffer, static_cast<size_t>(got));
  }
  return seen_;
}

std::string BareClient::ReadToEnd() {
  seen_before_ = seen_;
  return ReadUntil("");
}

std::string Ask(const std::string& address, std::string_view request) {
  BareClient client(address);
  client.Send(request);
  return client.ReadToEnd();
}

std::string Get(const std::string& address, std::string_view path) {
  return Ask(address,
             absl::StrCat("GET ", View(path), " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
}

int StatusOf(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::atoi(std::string(answer.substr(9, 3)).c_str()) : 0;
}

std::string BodyOf(std::string_view answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? "" : std::string(answer.substr(end + 4));
}

}  // namespace sluice::http
