#include "net/http_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <thread>

#include "base/guarded.h"
#include "net/http_client.h"

namespace tidegate::net {
namespace {

// Responders and streams are shared with the server, as the face demands.
// Echoes; /stream sends three chunks and ends; /endless sends until the peer goes; /silent never answers; /watched
// answers when told to and says when the peer has gone.
class EchoHandler final : public HttpHandler {
 public:
  void handle(HttpRequest request, std::shared_ptr<HttpResponder> responder) override {
    HttpResponse response;
    response.content_type = "text/plain";
    if (request.path == "/stream") {
      const auto stream = responder->stream(std::move(response), nullptr);
      for (const char* chunk : {"one,", "two,", "three"}) stream->write(chunk);
      return stream->close();
    }
    if (request.path == "/endless") {
      auto opened = responder->stream(std::move(response), [this] {
        ++closed_;
        closed_.notify_all();
      });
      opened->write("first");
      *held_.lock() = std::move(opened);
      return;
    }
    if (request.path == "/silent") return;
    if (request.path == "/watched") {
      responder->on_gone([this] { count(gone_); });
      *waiting_.lock() = std::move(responder);
      return count(watched_);
    }
    response.body = request.method + " " + request.path + " " + request.body;
    responder->respond(std::move(response));
  }
  void wait_closed() { closed_.wait(0); }
  void wait_watched() { watched_.wait(0); }
  void wait_gone() { gone_.wait(0); }
  [[nodiscard]] int gone() const { return gone_; }
  void answer_watched() {
    HttpResponse response;
    response.body = "at last";
    waiting_.lock()->get()->respond(std::move(response));
  }

 private:
  static void count(std::atomic<int>& events) {
    ++events;
    events.notify_all();
  }
  std::atomic<int> closed_{0};
  std::atomic<int> watched_{0};
  std::atomic<int> gone_{0};
  Guarded<std::shared_ptr<HttpResponder>> waiting_;
  Guarded<std::shared_ptr<HttpStream>> held_;
};

int raw_connection(uint16_t port, std::string_view bytes) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(socket >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(socket, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return socket;
}

// Sends the bytes and reads until the server closes the connection.
std::string raw_exchange(uint16_t port, std::string_view bytes) {
  const int socket = raw_connection(port, bytes);
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
    out.append(buffer, static_cast<size_t>(got));
  ::close(socket);
  return out;
}

struct Fixture {
  explicit Fixture(HttpServerOptions options = {}) {
    auto started = HttpServer::start(std::move(options), handler, clock);
    REQUIRE(started);
    server = std::move(*started);
  }
  std::unique_ptr<HttpClient> client() {
    auto made = HttpClient::create({.base_url = "http://127.0.0.1:" + std::to_string(server->port())});
    REQUIRE(made);
    return std::move(*made);
  }
  EchoHandler handler;
  io::SystemClock clock;
  std::unique_ptr<HttpServer> server;
};

}  // namespace

TEST_CASE("requests keep one connection alive") {
  Fixture fixture;
  const auto client = fixture.client();
  for (int i = 0; i < 50; ++i) {
    const auto reply = client->send({.method = "POST", .target = "/a%20b?c=d", .body = std::string(1000, 'x')});
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->body == "POST /a b " + std::string(1000, 'x'));
    CHECK(reply->header("x-content-type-options") == "nosniff");
  }
  CHECK(fixture.server->counters().accepted == 1);
  CHECK(fixture.server->counters().requests == 50);
}

TEST_CASE("HEAD has the length but no body") {
  Fixture fixture;
  const auto reply = fixture.client()->send({.method = "HEAD", .target = "/x"});
  REQUIRE(reply);
  CHECK(reply->header("content-length") == "7");
  CHECK(reply->body.empty());
}

TEST_CASE("a body over the limit is refused from its length") {
  Fixture fixture({.max_body_bytes = 1000});
  const auto client = fixture.client();
  const auto reply = client->send({.method = "POST", .target = "/x", .body = std::string(300'000, 'x')});
  REQUIRE(reply);
  CHECK(reply->status == 413);
  CHECK(reply->body.find("\"code\":4003") != std::string::npos);
  CHECK(client->send({.target = "/x"})->status == 200);
}

TEST_CASE("a stream arrives in pieces and ends") {
  Fixture fixture;
  std::string all;
  const auto reply = fixture.client()->stream({.target = "/stream"}, [&](std::string_view chunk) {
    all += chunk;
    return true;
  });
  REQUIRE(reply);
  CHECK(all == "one,two,three");
}

TEST_CASE("a reader that leaves closes its stream") {
  Fixture fixture;
  {
    const auto client = fixture.client();
    CHECK(client->stream({.target = "/endless"}, [](std::string_view) { return false; }));
  }
  fixture.handler.wait_closed();
}

TEST_CASE("stopping ends streams") {
  Fixture fixture;
  const auto client = fixture.client();
  const auto reply = client->stream({.target = "/endless"}, [&](std::string_view) {
    std::thread([&] { fixture.server->stop(); }).join();
    return true;
  });
  CHECK(reply);
  fixture.handler.wait_closed();
}

TEST_CASE("a request without an answer is answered") {
  Fixture fixture;
  CHECK(fixture.client()->send({.target = "/silent"})->status == 500);
}

TEST_CASE("who goes away before the answer is told of, once") {
  Fixture fixture;
  const int socket = raw_connection(fixture.server->port(), "GET /watched HTTP/1.1\r\nHost: x\r\n\r\n");
  fixture.handler.wait_watched();
  CHECK(fixture.handler.gone() == 0);
  ::close(socket);
  fixture.handler.wait_gone();
  fixture.handler.answer_watched();  // nobody is there, and nothing happens
  CHECK(fixture.client()->send({.target = "/a"})->status == 200);
  CHECK(fixture.handler.gone() == 1);
}

TEST_CASE("what is sent behind a watched request waits for its answer") {
  Fixture fixture;
  std::string answers;
  std::thread peer([&] {
    answers = raw_exchange(fixture.server->port(),
                           "GET /watched HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n"
                           "Connection: close\r\n\r\n");
  });
  fixture.handler.wait_watched();
  fixture.handler.answer_watched();
  peer.join();
  const size_t first = answers.find("at last");
  REQUIRE(first != std::string::npos);
  CHECK(answers.find("GET /next", first) != std::string::npos);
  CHECK(fixture.handler.gone() == 0);
}

TEST_CASE("who drips its request head is cut off, and pipelined requests are answered in order") {
  HttpServerOptions options;
  options.header_timeout_ms = 100;
  Fixture fixture(options);
  const std::string two = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HT";
  const std::string answers = raw_exchange(fixture.server->port(), two);
  const size_t first = answers.find("GET /1 ");
  const size_t second = answers.find("GET /2 ");
  REQUIRE(second != std::string::npos);
  CHECK(first < second);
  CHECK(answers.find("GET /3") == std::string::npos);
}

TEST_CASE("plain text off loopback and taken ports are refused") {
  EchoHandler handler;
  const io::SystemClock clock;
  CHECK(HttpServer::start({.address = "0.0.0.0"}, handler, clock).error().code == ErrorCode::InsecureRefused);
  CHECK(HttpServer::start({.address = "nowhere"}, handler, clock).error().code == ErrorCode::ConfigInvalid);
  Fixture fixture;
  const auto second = HttpServer::start({.port = fixture.server->port()}, handler, clock);
  REQUIRE(!second);
  CHECK(second.error().code == ErrorCode::AddressInUse);
  CHECK(!second.error().hint.empty());
}

TEST_CASE("cancel ends a stream that waits") {
  Fixture fixture;
  const auto client = fixture.client();
  std::thread other;
  const auto reply = client->stream({.target = "/endless"}, [&](std::string_view) {
    other = std::thread([&] { client->cancel(); });
    return true;
  });
  other.join();
  REQUIRE(!reply);
  CHECK(reply.error().code == ErrorCode::Cancelled);
}

}  // namespace tidegate::net
