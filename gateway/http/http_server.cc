#include "gateway/http/http_server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <map>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/executor.h"

namespace sluice::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

// How long the listener rests where no descriptor is left for a connection.
constexpr auto kRest = std::chrono::milliseconds(200);
// How long a client may take to notice that a connection is at its end.
constexpr auto kLinger = std::chrono::seconds(1);

std::chrono::microseconds Span(Micros micros) { return std::chrono::microseconds(micros); }

// The address and port of "127.0.0.1:80" or "[::1]:80".
std::optional<tcp::endpoint> EndpointOf(std::string_view listen) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string host(listen.substr(0, colon));
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const std::string port(listen.substr(colon + 1));
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const int number = std::stoi(port);
  error_code error;
  const auto address = net::ip::make_address(host, error);
  if (error || number > 65535) return std::nullopt;
  return tcp::endpoint(address, static_cast<uint16_t>(number));
}

std::string PeerName(const tcp::endpoint& peer) {
  const bool v4 = peer.address().is_v4();
  return absl::StrCat(v4 ? "ipv4:" : "ipv6:[", peer.address().to_string(),
                      v4 ? ":" : "]:", peer.port());
}

HttpResponse Plain(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text);
  return response;
}

}  // namespace

bool IsAddress(std::string_view listen) { return EndpointOf(listen).has_value(); }

bool IsLoopback(std::string_view listen) {
  const auto endpoint = EndpointOf(listen);
  return endpoint && endpoint->address().is_loopback();
}

class HttpServer::Listener {
 public:
  Listener(HttpLimits limits, HttpHandler handler, TlsSource tls)
      : limits_(limits),
        handler_(std::move(handler)),
        tls_(std::move(tls)),
        pool_(limits.threads, limits.waiting) {}
  ~Listener() { Stop(); }

  absl::StatusOr<std::string> Start(const std::string& listen);
  void Stop();

 private:
  template <class Stream>
  class Connection;
  void Accept();
  void Take(tcp::socket socket);

  const HttpLimits limits_;
  const HttpHandler handler_;
  const TlsSource tls_;
  // The io thread's alone. They outlive the connections, which end with `io_` at the latest.
  int connections_ = 0;
  std::map<net::ip::address, int> by_address_;
  net::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  net::steady_timer rest_{io_};
  std::thread thread_;
  ThreadPool pool_;
};

// One connection: a request, its answer, the next request. Lives as long as something of it is
// under way.
template <class Stream>
class HttpServer::Listener::Connection
    : public std::enable_shared_from_this<HttpServer::Listener::Connection<Stream>> {
 public:
  static constexpr bool kTls = !std::is_same_v<Stream, PlainStream>;
  template <class... With>
  Connection(Listener& listener, const tcp::endpoint& peer, tcp::socket socket, With&&... with)
      : listener_(listener),
        stream_(std::move(socket), std::forward<With>(with)...),
        address_(peer.address()),
        peer_(PeerName(peer)) {
    ++listener_.connections_;
    ++listener_.by_address_[address_];
  }
  ~Connection() {
    --listener_.connections_;
    const auto of_address = listener_.by_address_.find(address_);
    if (--of_address->second == 0) listener_.by_address_.erase(of_address);
  }

  void Begin() {
    if constexpr (kTls) {
      Lowest().expires_after(Span(listener_.limits_.handshake));
      stream_.async_handshake(net::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (error) return;
                                self->leaf_pem_ = PeerLeaf(self->stream_.native_handle());
                                self->Read();
                              });
    } else {
      Read();
    }
  }

 private:
  beast::tcp_stream& Lowest() { return beast::get_lowest_layer(stream_); }

  void Read() {
    parser_.emplace();
    parser_->header_limit(listener_.limits_.header_bytes);
    parser_->body_limit(listener_.limits_.body_bytes);
    Lowest().expires_after(Span(listener_.limits_.request));
    bhttp::async_read(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, size_t) { self->HaveRead(error); });
  }

  void HaveRead(error_code error) {
    // Ended between two requests, gone, or too slow.
    if (error == bhttp::error::end_of_stream || error == beast::error::timeout) return Close();
    if (error.category() == bhttp::make_error_code(bhttp::error::bad_method).category()) {
      keep_alive_ = false;
      head_ = false;
      if (error == bhttp::error::header_limit)
        return Write(Plain(431, "the request's headers are too large\n"));
      if (error == bhttp::error::body_limit || error == bhttp::error::unexpected_body)
        return Write(Plain(413, listener_.limits_.body_bytes == 0
                                    ? "a request has no body here\n"
                                    : "the request's body is too large\n"));
      return Write(Plain(400, "this is no HTTP request\n"));
    }
    if (error) return Close();
    const auto& request = parser_->get();
    head_ = request.method() == bhttp::verb::head;
    keep_alive_ = request.keep_alive() && ++requests_ < listener_.limits_.requests_per_connection;
    const bool posts = listener_.limits_.body_bytes > 0;
    HttpRequest asked;
    asked.is_post = request.method() == bhttp::verb::post;
    if (asked.is_post ? !posts : !head_ && request.method() != bhttp::verb::get) {
      keep_alive_ = false;
      HttpResponse refused = Plain(405, posts ? "only GET, HEAD and POST are answered\n"
                                              : "only GET and HEAD are answered\n");
      refused.headers.emplace_back("Allow", posts ? "GET, HEAD, POST" : "GET, HEAD");
      return Write(std::move(refused));
    }
    asked.body = std::move(parser_->get().body());
    asked.path.assign(request.target().data(), request.target().size());
    asked.path = asked.path.substr(0, asked.path.find('?'));
    asked.peer = peer_;
    asked.leaf_pem = leaf_pem_;
    const bool taken =
        listener_.pool_.TrySubmit([self = this->shared_from_this(), asked]() mutable {
          HttpResponse response = self->listener_.handler_(asked);
          // The last to let go of a connection is the io thread.
          net::io_context& io = self->listener_.io_;
          net::post(io, [self = std::move(self), response = std::move(response)]() mutable {
            self->Write(std::move(response));
          });
        });
    if (taken) return;
    HttpResponse busy = Plain(503, "too many requests wait\n");
    busy.headers.emplace_back("Retry-After", "1");
    Write(std::move(busy));
  }

  void Write(HttpResponse answer) {
    response_.emplace(static_cast<bhttp::status>(answer.status), 11);
    response_->set(bhttp::field::content_type, answer.content_type);
    response_->set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers) response_->set(name, value);
    if (response_->find(bhttp::field::cache_control) == response_->end())
      response_->set(bhttp::field::cache_control, "no-store");
    response_->content_length(answer.body.size());
    response_->keep_alive(keep_alive_);
    if (!head_) response_->body() = std::move(answer.body);
    Lowest().expires_after(Span(listener_.limits_.response));
    bhttp::async_write(stream_, *response_,
                       [self = this->shared_from_this()](error_code error, size_t) {
                         if (error || !self->keep_alive_) return self->Close();
                         self->response_.reset();
                         self->Read();
                       });
  }

  // Takes what is on its way for a moment: a close with bytes unread would take the answer along.
  void Close() {
    Lowest().expires_after(kLinger);
    if constexpr (kTls) {
      stream_.async_shutdown([self = this->shared_from_this()](error_code) {});
    } else {
      error_code gone;
      stream_.socket().shutdown(tcp::socket::shutdown_send, gone);
      if (!gone) Discard();
    }
  }
  void Discard() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = this->shared_from_this()](error_code error, size_t) {
                              if (!error) self->Discard();
                            });
  }

  Listener& listener_;
  Stream stream_;
  const net::ip::address address_;
  const std::string peer_;
  std::string leaf_pem_;
  beast::flat_buffer buffer_{16 << 10};
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  std::optional<bhttp::response<bhttp::string_body>> response_;
  int requests_ = 0;
  bool keep_alive_ = false, head_ = false;
};

absl::StatusOr<std::string> HttpServer::Listener::Start(const std::string& listen) {
  const auto endpoint = EndpointOf(listen);
  if (!endpoint)
    return absl::InvalidArgumentError(
        absl::StrCat(listen, " is no address and port, such as 127.0.0.1:9464"));
  error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
  if (error)
    return absl::UnavailableError(
        absl::StrCat("cannot bind ", listen, ": ", error.message(), "; is another process on it?"));
  const tcp::endpoint bound = acceptor_.local_endpoint(error);
  Accept();
  thread_ = std::thread([this] { io_.run(); });
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", bound.port());
}

void HttpServer::Listener::Accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == net::error::operation_aborted) return;
    if (!error) {
      Take(std::move(socket));
      return Accept();
    }
    rest_.expires_after(kRest);
    rest_.async_wait([this](error_code stopped) {
      if (!stopped) Accept();
    });
  });
}

void HttpServer::Listener::Take(tcp::socket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error || connections_ >= limits_.connections) return;
  const auto of_address = by_address_.find(peer.address());
  if (of_address != by_address_.end() && of_address->second >= limits_.connections_per_address)
    return;
  if (tls_ == nullptr)
    return std::make_shared<Connection<PlainStream>>(*this, peer, std::move(socket))->Begin();
  // The context of OpenSSL is counted; this one lets go of its count at once.
  const std::shared_ptr<const TlsContext> tls = tls_();
  SSL_CTX_up_ref(tls->native());
  net::ssl::context context(tls->native());
  std::make_shared<Connection<TlsStream>>(*this, peer, std::move(socket), context)->Begin();
}

void HttpServer::Listener::Stop() {
  if (!thread_.joinable()) return;
  io_.stop();
  thread_.join();
  pool_.Close();
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& listen,
                                                              HttpLimits limits,
                                                              HttpHandler handler, TlsSource tls) {
  std::unique_ptr<HttpServer> server(new HttpServer());
  server->listener_ = std::make_unique<Listener>(limits, std::move(handler), std::move(tls));
  auto address = server->listener_->Start(listen);
  if (!address.ok()) return address.status();
  server->address_ = *std::move(address);
  return server;
}

HttpServer::~HttpServer() = default;

void HttpServer::Stop() { listener_->Stop(); }

}  // namespace sluice::http
