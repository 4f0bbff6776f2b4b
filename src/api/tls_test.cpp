// The HTTP server and client over TLS, with certificates of an authority of their own.
#include <doctest/doctest.h>

#include "crypto/certificates.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace tidegate::api {
namespace {

// Answers with the fingerprint of the client's certificate. Responders are shared with the server by its face.
class FingerprintHandler final : public net::HttpHandler {
 public:
  void handle(net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) override {
    net::HttpResponse response;
    response.body = request.certificate_fingerprint.value_or("none");
    responder->respond(std::move(response));
  }
};

template <class T>
T must(Result<T> result) {
  REQUIRE(result);
  return std::move(*result);
}

}  // namespace

TEST_CASE("TLS: the server is verified, and a client's certificate is seen") {
  io::SystemRandom random;
  const io::SystemClock clock;
  const auto authority = must(crypto::make_authority("test", clock.now_us(), random));
  const auto stranger = must(crypto::make_authority("stranger", clock.now_us(), random));
  const auto own = must(crypto::issue_server_certificate(authority, {}, clock.now_us(), random));
  const auto device = must(crypto::issue_client_certificate(authority, "meter", clock.now_us(), random));
  FingerprintHandler handler;
  net::HttpServerOptions options;
  options.tls = net::TlsServerOptions{.certificate_pem = own.certificate_pem,
                                      .key_pem = own.private_key_pem,
                                      .client_ca_pem = authority.certificate_pem};
  const auto server = must(net::HttpServer::start(std::move(options), handler, clock));
  const std::string url = "https://127.0.0.1:" + std::to_string(server->port());

  const auto plain = must(net::HttpClient::create({.base_url = url, .ca_pem = authority.certificate_pem}));
  for (int i = 0; i < 3; ++i) {
    const auto reply = must(plain->send({.target = "/"}));
    CHECK(reply.body == "none");
    CHECK(reply.header("strict-transport-security") == "max-age=31536000");
  }
  CHECK(server->counters().accepted == 1);

  const auto with_certificate = must(net::HttpClient::create({.base_url = url,
                                                              .ca_pem = authority.certificate_pem,
                                                              .certificate_pem = device.certificate_pem,
                                                              .key_pem = device.private_key_pem}));
  CHECK(must(with_certificate->send({.target = "/"})).body ==
        must(crypto::certificate_fingerprint(device.certificate_pem)));

  const auto fooled = must(net::HttpClient::create({.base_url = url, .ca_pem = stranger.certificate_pem}));
  const auto refused = fooled->send({.target = "/"});
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::TlsFailed);
}

}  // namespace tidegate::api
