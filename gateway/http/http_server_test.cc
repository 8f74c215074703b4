#include "gateway/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http/http_client_testing.h"

namespace sluice::http {
namespace {

using testing::HasSubstr;
using testing::Not;

HttpResponse Echo(const HttpRequest& request) {
  HttpResponse response;
  response.body = request.path;
  return response;
}

std::unique_ptr<HttpServer> Serve(HttpHandler handler = Echo, HttpLimits limits = {}) {
  auto server = HttpServer::Start("127.0.0.1:0", limits, std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

TEST(HttpServerTest, AnswersOneRequestAfterTheOtherOnAConnection) {
  const auto server = Serve();
  BareClient client(server->address());

  client.Send("GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("/two"), HasSubstr("\r\n\r\n/one"));
  client.Send("HEAD /three HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = client.ReadToEnd();

  EXPECT_THAT(all, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(all, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(all, Not(HasSubstr("/three"))) << "HEAD has no body";
  EXPECT_THAT(all, Not(HasSubstr("x=1")));
}

TEST(HttpServerTest, RefusesWhatIsNoRequestForIt) {
  const auto server = Serve();
  struct Case {
    std::string request;
    int status;
  };
  const Case cases[] = {
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405},
      {"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       413},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"GET / HTTP/9.9\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x01 a TLS client\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", 431},
      {"GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n", 431}};
  for (const Case& one : cases)
    EXPECT_EQ(StatusOf(Ask(server->address(), one.request)), one.status)
        << one.request.substr(0, 100);
  EXPECT_EQ(BodyOf(Get(server->address(), "/still/there")), "/still/there");
}

TEST(HttpServerTest, ARequestThatDoesNotComeInTimeIsCut) {
  HttpLimits limits;
  limits.request = 50 * kMillisecond;
  const auto server = Serve(Echo, limits);
  BareClient silent(server->address()), half(server->address()), dripping(server->address());

  half.Send("GET / HTTP/1.1\r\nHost:");
  EXPECT_TRUE(silent.IsClosed());
  EXPECT_TRUE(half.IsClosed());
  // A byte now and then does not lengthen it.
  EXPECT_LT(dripping.Drip('G'), 1000);
  EXPECT_TRUE(dripping.IsClosed());
  EXPECT_EQ(BodyOf(Get(server->address(), "/x")), "/x");
}

TEST(HttpServerTest, AnAnswerThatIsNotTakenIsCut) {
  HttpLimits limits;
  limits.response = 50 * kMillisecond;
  constexpr size_t kLarge = 64 << 20;
  const auto server = Serve(
      [](const HttpRequest& request) {
        HttpResponse response;
        response.body.assign(request.path == "/large" ? kLarge : 1, 'x');
        return response;
      },
      limits);
  BareClient slow(server->address(), 4096);
  slow.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  slow.ReadUntil("HTTP/1.1 200");
  // Others are answered meanwhile, until the slow one is gone.
  for (int i = 0; i < 50; ++i) EXPECT_EQ(BodyOf(Get(server->address(), "/small")), "x");

  EXPECT_LT(slow.ReadToEnd().size(), kLarge);
}

TEST(HttpServerTest, ConnectionsAreBounded) {
  HttpLimits limits;
  limits.connections = 8;
  limits.connections_per_address = 2;
  const auto server = Serve(Echo, limits);
  BareClient first(server->address()), second(server->address());
  // Served, so that they are counted before the third comes.
  for (BareClient* client : {&first, &second}) {
    client->Send("GET /in HTTP/1.1\r\nHost: x\r\n\r\n");
    client->ReadUntil("/in");
  }
  BareClient third(server->address());

  EXPECT_TRUE(third.IsClosed());
  EXPECT_TRUE(second.Send("GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(second.ReadToEnd(), HasSubstr("/again"));
}

TEST(HttpServerTest, RequestsOfAConnectionAreCounted) {
  HttpLimits limits;
  limits.requests_per_connection = 2;
  const auto server = Serve(Echo, limits);
  BareClient client(server->address());

  for (int i = 0; i < 3; ++i) client.Send(absl::StrCat("GET /", i, " HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string all = client.ReadToEnd();

  EXPECT_THAT(all, HasSubstr("/1"));
  EXPECT_THAT(all, HasSubstr("Connection: close"));
  EXPECT_THAT(all, Not(HasSubstr("/2")));
}

TEST(HttpServerTest, RequestsWaitForThreadsWithinBounds) {
  std::promise<void> let_go;
  const std::shared_future<void> gone = let_go.get_future().share();
  std::promise<void> begun;
  HttpLimits limits;
  limits.threads = 1;
  limits.waiting = 1;
  std::atomic<bool> first{true};
  const auto server = Serve(
      [&](const HttpRequest& request) {
        if (first.exchange(false)) begun.set_value();
        gone.wait();
        return Echo(request);
      },
      limits);
  BareClient works(server->address()), second(server->address()), third(server->address());
  works.Send("GET /works HTTP/1.1\r\nHost: x\r\n\r\n");
  begun.get_future().wait();
  // One of the two waits, the other is told to come back.
  second.Send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  third.Send("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string fourth = Get(server->address(), "/c");
  EXPECT_EQ(StatusOf(fourth), 503);
  EXPECT_THAT(fourth, HasSubstr("Retry-After: 1"));
  let_go.set_value();

  EXPECT_THAT(works.ReadUntil("/works"), HasSubstr("200 OK"));
  const int a = StatusOf(second.ReadToEnd()), b = StatusOf(third.ReadToEnd());
  EXPECT_EQ(a + b, 200 + 503);
}

TEST(HttpServerTest, StopWaitsForNoClient) {
  HttpLimits limits;
  limits.request = limits.response = kHour;
  const auto server = Serve(
      [](const HttpRequest&) {
        HttpResponse response;
        response.body.assign(64 << 20, 'x');
        return response;
      },
      limits);
  BareClient idle(server->address()), half(server->address()), slow(server->address(), 4096);
  half.Send("GET / HT");
  slow.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  slow.ReadUntil("HTTP/1.1 200");

  server->Stop();
  server->Stop();
  SUCCEED() << "it returned";
}

TEST(HttpServerTest, TellsLoopbackFromTheRest) {
  for (const char* address : {"127.0.0.1:9464", "127.8.8.8:1", "[::1]:80", "127.0.0.1:0"})
    EXPECT_TRUE(IsLoopback(address)) << address;
  for (const char* address :
       {"0.0.0.0:9464", "10.0.0.1:80", "[::]:80", "localhost:80", "127.0.0.1",
        "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:80x", "127.0.0.1.example:80", "", ":", ":80"})
    EXPECT_FALSE(IsLoopback(address)) << address;
}

TEST(HttpServerTest, APortThatIsTakenIsToldByName) {
  const auto server = Serve();
  const auto second = HttpServer::Start(server->address(), {}, Echo);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(server->address()));
}

}  // namespace
}  // namespace sluice::http
