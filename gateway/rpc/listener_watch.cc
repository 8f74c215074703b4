#include "gateway/rpc/listener_watch.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::rpc {
namespace {

// The bytes that a TLS client says first.
std::string ClientHello() {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                            &SSL_CTX_free);
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  static constexpr unsigned char kProtocols[] = "\x02h2";
  SSL_set_alpn_protos(ssl.get(), kProtocols, 3);
  SSL_connect(ssl.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  return std::string(data, static_cast<size_t>(size));
}

bool WaitFor(int fd, short events, int milliseconds) {
  pollfd entry{fd, events, 0};
  return poll(&entry, 1, milliseconds) == 1;
}

bool Speak(int fd, const addrinfo& address, int milliseconds) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS) return false;
  if (!WaitFor(fd, POLLOUT, milliseconds)) return false;
  static const std::string hello = ClientHello();
  if (send(fd, hello.data(), hello.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(hello.size()))
    return false;
  char byte;
  return WaitFor(fd, POLLIN, milliseconds) && recv(fd, &byte, 1, 0) == 1;
}

}  // namespace

bool ListenerAnswers(const ListenerProbe& probe) {
  const size_t colon = probe.address.rfind(':');
  std::string host = probe.address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), probe.address.substr(colon + 1).c_str(), &hints, &found) != 0)
    return false;
  bool answers = false;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    answers = Speak(fd, *found, static_cast<int>(probe.timeout / kMillisecond));
    close(fd);
  }
  freeaddrinfo(found);
  return answers;
}

ListenerWatch::ListenerWatch(Options options, std::function<void()> lost)
    : options_(std::move(options)), lost_(std::move(lost)), thread_([this] { Run(); }) {}

ListenerWatch::~ListenerWatch() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void ListenerWatch::Run() {
  int failures = 0;
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (!stopped_) changed_.WaitFor(mutex_, std::chrono::microseconds(options_.interval));
      if (stopped_) return;
    }
    failures = ListenerAnswers(options_.probe) ? 0 : failures + 1;
    if (failures >= options_.failures) return lost_();
  }
}

SelfCall::SelfCall(grpc::Server& server, Micros interval)
    : channel_(server.InProcessChannel(grpc::ChannelArguments())),
      stub_(std::make_unique<grpc::GenericStub>(channel_)),
      thread_([this, interval] { Run(interval); }) {}

SelfCall::~SelfCall() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void SelfCall::Run(Micros interval) {
  struct OneCall {
    grpc::ClientContext context;
    grpc::ByteBuffer request, reply;
  };
  const auto wait = std::chrono::microseconds(interval);
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (!stopped_) changed_.WaitFor(mutex_, wait);
      if (stopped_) return;
    }
    auto call = std::make_shared<OneCall>();
    call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    // An empty HealthCheckRequest asks for the whole server.
    grpc::Slice empty;
    call->request = grpc::ByteBuffer(&empty, 1);
    stub_->UnaryCall(&call->context, "/grpc.health.v1.Health/Check", grpc::StubOptions(),
                     &call->request, &call->reply, [call](grpc::Status) {});
  }
}

}  // namespace sluice::rpc
