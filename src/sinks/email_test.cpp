#include <doctest/doctest.h>
#include <fmt/format.h>

#include "catalog/remote_connectors.h"
#include "crypto/mac.h"
#include "sinks/internal/email_outlet.h"
#include "sinks/internal/fake_log.h"
#include "sinks/internal/mail_message.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {
namespace {

using columnar::Schema;
using columnar::TypeKind;

struct MailServer {
  std::vector<egress::Mail> mails;
  std::function<Result<egress::MailAnswer>()> answer = [] { return egress::MailAnswer{true, 250, true, "250 ok"}; };
};

class FakeClient final : public egress::EgressClient {
 public:
  explicit FakeClient(MailServer& server) : server_(server) {}
  Result<egress::WebAnswer> post(const egress::WebPost&) override { return fail(ErrorCode::Bug, "no web here"); }
  Result<egress::MailAnswer> send(const egress::Mail& mail) override {
    auto answer = server_.answer();
    if (answer && answer->taken) server_.mails.push_back(mail);
    return answer;
  }
  void cancel() override {}

 private:
  MailServer& server_;
};

struct Fixture {
  FakeLog log;
  io::ManualClock clock{1'700'000'000 * kMicrosPerSecond};
  io::SeededRandom random{1};
  columnar::StringPool devices;
  MailServer server;
  std::map<std::string, std::string> options{{"url", "smtps://mail.example.org"},
                                             {"user", "tidegate"},
                                             {"secret", "mail"},
                                             {"from", "tidegate@example.org"},
                                             {"to", "duty@example.org, boss@example.org"}};
  columnar::SchemaPtr schema =
      std::make_shared<const Schema>(Schema{{{"device", TypeKind::kString, false}, {"level", TypeKind::kInt, true}}});
  std::unique_ptr<SinkRunner> runner;

  void start() {
    SinkRunner::Options with;
    with.rules = *egress::EgressRules::parse({"mail.example.org"});
    with.read_secret = [](std::string_view) -> Result<std::string> { return "pass word"; };
    with.make_client = [this](const egress::EgressOptions&) -> Result<std::unique_ptr<egress::EgressClient>> {
      return std::make_unique<FakeClient>(server);
    };
    with.own_thread = false;
    runner = SinkRunner::create(log, clock, random, devices, std::move(with));
    const auto added = runner->add_sink(table(), nullptr);
    if (!added) MESSAGE(added.error().to_string());
    REQUIRE(added);
  }
  std::shared_ptr<catalog::StreamDefinition> table() const {
    auto stream = std::make_shared<catalog::StreamDefinition>();
    stream->id = FakeLog::kStream;
    stream->name = "alarms";
    stream->schema = schema;
    stream->connector = catalog::kEmailConnector;
    stream->options = options;
    return stream;
  }
  void append(std::string_view device, int level) {
    columnar::BatchBuilder rows(schema);
    rows.column(0).append_string(device);
    rows.column(1).append<int32_t>(level);
    rows.end_row();
    log.append(FakeLog::kStream, rows.finish(), [](const Result<>&) {});
  }
  void run() {
    while (runner->run_round()) {
    }
  }
  [[nodiscard]] SinkStatus status() const { return runner->status().at(0); }
};

std::string body_of(const egress::Mail& mail) {
  std::string encoded = mail.message.substr(mail.message.find("\r\n\r\n") + 4);
  std::erase_if(encoded, [](char c) { return c == '\r' || c == '\n'; });
  return crypto::from_base64(encoded).value();
}

std::string headers_of(const egress::Mail& mail) { return mail.message.substr(0, mail.message.find("\r\n\r\n") + 2); }

}  // namespace

TEST_CASE("a record becomes a mail with the texts of the table, to all recipients, and says who sent it") {
  Fixture fixture;
  fixture.options["subject"] = "{device} is at {level}";
  fixture.options["body"] = "Level {level} at {{{device}}}";
  fixture.start();
  fixture.append("pump", 7);
  fixture.run();
  REQUIRE(fixture.server.mails.size() == 1);
  const egress::Mail& mail = fixture.server.mails[0];
  CHECK(mail.user == "tidegate");
  CHECK(mail.password == "pass word");
  CHECK(mail.to == std::vector<std::string>{"duty@example.org", "boss@example.org"});
  CHECK(headers_of(mail) ==
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: <tidegate@example.org>\r\n"
        "To: <duty@example.org>,\r\n <boss@example.org>\r\nMessage-ID: <tidegate.alarms.0-0@example.org>\r\n"
        "Subject: pump is at 7\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n");
  CHECK(body_of(mail) == "Level 7 at {pump}\r\n");
}

TEST_CASE("no value can add a header, end the mail or break a line") {
  Fixture fixture;
  fixture.options["subject"] = "{device}";
  fixture.start();
  const std::string evil = "a\r\nBcc: spy@example.net\r\n\r\n.\r\nQUIT\r\n=?UTF-8?Q?x?= \xff\xc3";
  fixture.append(evil, 1);
  fixture.append(std::string(5000, 'x'), 1);
  fixture.append("Pumpe in Köln: Überlauf, überall, über und über, mehr als eine Zeile fassen kann €", 1);
  fixture.run();
  REQUIRE(fixture.server.mails.size() == 3);
  for (const egress::Mail& mail : fixture.server.mails) {
    const std::string headers = headers_of(mail);
    CHECK(headers.find("\nBcc") == std::string::npos);
    size_t start = 0;
    for (size_t end = headers.find("\r\n"); end != std::string::npos; end = headers.find("\r\n", start)) {
      CHECK(end - start <= 78);
      start = end + 2;
    }
    for (const char c : mail.message) CHECK((c == '\r' || c == '\n' || (c >= 0x20 && c < 0x7f)));
    CHECK(mail.message.find("\r\n.") == std::string::npos);
  }
  CHECK(headers_of(fixture.server.mails[2]).find("Subject: =?UTF-8?B?UHVtcGUgaW4gS8O2bG46") != std::string::npos);
}

TEST_CASE("a digest: the first record at once, what follows together when its time has come, over a restart too") {
  Fixture fixture;
  fixture.options["digest"] = "10 min";
  fixture.options["subject"] = "alarm of {device}";
  fixture.start();
  fixture.append("a", 1);
  fixture.run();
  CHECK(fixture.server.mails.size() == 1);
  fixture.append("b", 2);
  fixture.append("c", 3);
  fixture.run();
  CHECK(fixture.server.mails.size() == 1);
  CHECK(fixture.status().state == SinkState::kWaiting);
  CHECK(fixture.status().due_in_us == 600 * kMicrosPerSecond);
  fixture.clock.advance_us(599 * kMicrosPerSecond);
  fixture.start();
  fixture.run();
  CHECK(fixture.server.mails.size() == 1);
  fixture.clock.advance_us(kMicrosPerSecond);
  fixture.run();
  REQUIRE(fixture.server.mails.size() == 2);
  CHECK(headers_of(fixture.server.mails[1]).find("Subject: alarm of b (and 1 more)\r\n") != std::string::npos);
  CHECK(body_of(fixture.server.mails[1]) == "device: b\r\nlevel: 2\r\n\r\ndevice: c\r\nlevel: 3\r\n");
  CHECK(fixture.status().state == SinkState::kIdle);
}

TEST_CASE("more records than the rate allows share the last mail, and later ones wait") {
  Fixture fixture;
  fixture.options["max_per_hour"] = "6";
  fixture.start();
  for (int level = 0; level < 100; ++level) fixture.append("a", level);
  fixture.run();
  REQUIRE(fixture.server.mails.size() == 6);
  CHECK(body_of(fixture.server.mails[0]) == "device: a\r\nlevel: 0\r\n");
  CHECK(body_of(fixture.server.mails[5]).find("level: 99\r\n") != std::string::npos);
  CHECK(fixture.status().lag_rows == 0);
  fixture.append("a", 100);
  fixture.run();
  CHECK(fixture.status().state == SinkState::kWaiting);
  CHECK(fixture.status().due_in_us <= 600 * kMicrosPerSecond + 2);
  fixture.start();
  fixture.run();
  CHECK(fixture.server.mails.size() == 6);
  fixture.clock.advance_us(fixture.status().due_in_us);
  fixture.run();
  CHECK(fixture.server.mails.size() == 7);
}

TEST_CASE("a mail server that is away or refuses the sender is tried again; a mail that it refuses is given up") {
  Fixture fixture;
  fixture.start();
  fixture.append("a", 1);
  fixture.server.answer = [] { return egress::MailAnswer{false, 550, false, "550 no such mailbox"}; };
  for (int attempt = 0; attempt < 20; ++attempt) {
    fixture.run();
    CHECK(fixture.status().last_error.find("550 no such mailbox") != std::string::npos);
    fixture.clock.advance_us(fixture.status().due_in_us);
  }
  CHECK(fixture.status().lag_rows == 1);
  fixture.server.answer = [] { return egress::MailAnswer{true, 250, true, "250 ok"}; };
  fixture.run();
  CHECK(fixture.server.mails.size() == 1);
}

TEST_CASE("options that cannot be used are refused") {
  Fixture fixture;
  fixture.start();
  const auto refused = [&](std::string key, std::string value) {
    auto table = fixture.table();
    table->options[std::move(key)] = std::move(value);
    const auto checked = fixture.runner->check(*table);
    return !checked && checked.error().code == ErrorCode::SqlInvalidOption;
  };
  CHECK(fixture.runner->check(*fixture.table()));
  CHECK(refused("url", "https://mail.example.org"));
  CHECK(refused("from", "no address"));
  CHECK(refused("from", "a@b, c@d"));
  CHECK(refused("to", ""));
  CHECK(refused("to", "a@b\r\nRCPT TO:<x@y>"));
  CHECK(refused("to", "<a@b>"));
  CHECK(refused("secret", ""));
  CHECK(refused("subject", "{nothing}"));
  CHECK(refused("body", "{device"));
  CHECK(refused("digest", "2 d"));
  CHECK(refused("max_per_hour", "0"));
  auto elsewhere = fixture.table();
  elsewhere->options["url"] = "smtps://other.example.org";
  CHECK(fixture.runner->check(*elsewhere).error().code == ErrorCode::NotAuthorized);
}

}  // namespace tidegate::sinks
