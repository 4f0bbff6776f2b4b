#include "bench/mqtt_load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "bench/workload.h"

namespace tidegate::bench {
namespace {

constexpr std::string_view kTopic = "bench/readings";
constexpr size_t kBufferBytes = 64 * 1024;
constexpr double kGiveUpSeconds = 60;  // without any progress

[[noreturn]] void die(const char* what) {
  fmt::print(stderr, "benchmark: {}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

// Appends a PUBLISH (MQTT 3.1.1, section 3.3). The packet id is left out for QoS 0.
void append_publish(std::string& out, std::string_view payload, int qos, uint16_t packet_id) {
  const size_t length = 2 + kTopic.size() + (qos > 0 ? 2 : 0) + payload.size();
  out += static_cast<char>(0x30 | (qos << 1));
  out += static_cast<char>((length & 0x7f) | (length >= 128 ? 0x80 : 0));
  if (length >= 128) out += static_cast<char>(length >> 7);
  out += static_cast<char>(kTopic.size() >> 8);
  out += static_cast<char>(kTopic.size() & 0xff);
  out += kTopic;
  if (qos > 0) {
    out += static_cast<char>(packet_id >> 8);
    out += static_cast<char>(packet_id & 0xff);
  }
  out += payload;
}

struct Connection {
  int socket = -1;
  std::string out;  // bytes not yet taken by the kernel, from `written` on
  size_t written = 0;
  uint32_t unacknowledged = 0;
  uint16_t next_id = 1;
  size_t unread = 0;  // bytes of an acknowledgement cut by the last read
};

class Generator {
 public:
  Generator(const LoadOptions& options, const std::function<void(uint32_t, int64_t)>& on_probe)
      : options_(options), on_probe_(on_probe), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (const Reading& reading : make_readings(20'000, options.devices)) {
      const std::string device = options.accounts.empty() ? device_name(reading.device) : std::string();
      payloads_.push_back(fmt::format(R"({{{}{}{}"ts":{},"temperature":{:5.2f},"unit":"C"}})",
                                      device.empty() ? "" : R"("device":")", device, device.empty() ? "" : R"(",)",
                                      reading.time_ms, reading.value));
    }
    for (int number = 0; number < options.connections; ++number) connections_.push_back(connect(number));
  }
  ~Generator() {
    for (const Connection& connection : connections_) ::close(connection.socket);
    ::close(epoll_);
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  LoadResult run() {
    start_us_ = monotonic_us();
    int64_t progress_us = start_us_;
    uint64_t before = 0;
    while (!finished()) {
      for (Connection& connection : connections_) fill_and_write(connection);
      poll_once();
      const uint64_t now = sent_ + acknowledged_;
      if (now != before) {
        before = now;
        progress_us = monotonic_us();
      } else if (static_cast<double>(monotonic_us() - progress_us) > kGiveUpSeconds * 1e6) {
        break;
      }
    }
    return {sent_, acknowledged_, static_cast<double>(monotonic_us() - start_us_) * 1e-6};
  }

 private:
  Connection connect(int number) {
    Connection connection;
    connection.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
    const int one = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    std::string hello("\x10\0\0\4MQTT\4\2\0\0", 12);  // clean session, no keep-alive
    const auto append_text = [&hello](const std::string& text) {
      hello += '\0';
      hello += static_cast<char>(text.size());
      hello += text;
    };
    append_text(fmt::format("load-{}", number));
    if (!options_.accounts.empty()) {
      const DeviceAccount& account = options_.accounts[static_cast<size_t>(number) % options_.accounts.size()];
      hello[9] = static_cast<char>(hello[9] | 0xc0);  // user name and password
      append_text(account.name);
      append_text(account.token);
    }
    hello[1] = static_cast<char>(hello.size() - 2);
    char answer[4];
    if (::send(connection.socket, hello.data(), hello.size(), 0) < 0) die("send");
    if (::recv(connection.socket, answer, 4, MSG_WAITALL) != 4 || answer[3] != 0)
      die("the server refused a connection");
    ::fcntl(connection.socket, F_SETFL, O_NONBLOCK);
    epoll_event event{EPOLLIN, {.u32 = static_cast<uint32_t>(number)}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
    return connection;
  }

  [[nodiscard]] bool finished() const {
    const auto limit_us = static_cast<int64_t>(options_.seconds * 1e6);
    if (limit_us > 0 && monotonic_us() - start_us_ >= limit_us) return true;
    return sent_ == options_.messages && pending_bytes_ == 0 && (options_.qos == 0 || acknowledged_ == sent_);
  }

  [[nodiscard]] uint64_t due() const {
    if (options_.messages_per_s <= 0) return options_.messages;
    const double elapsed_s = static_cast<double>(monotonic_us() - start_us_) * 1e-6;
    return std::min(options_.messages, static_cast<uint64_t>(elapsed_s * options_.messages_per_s));
  }

  void fill_and_write(Connection& connection) {
    const uint64_t due_now = due();
    // At a set rate a write takes a share of what is due, so that connections take turns.
    size_t limit = kBufferBytes;
    if (options_.messages_per_s > 0) limit = 4096;
    while (sent_ < due_now && connection.out.size() < limit &&
           (options_.qos == 0 || connection.unacknowledged < options_.in_flight)) {
      append_next(connection);
    }
    if (connection.written < connection.out.size()) write(connection);
  }

  void append_next(Connection& connection) {
    const size_t before = connection.out.size();
    if (options_.probe_every > 0 && sent_ % options_.probe_every == 0) {
      const auto number = static_cast<uint32_t>(sent_ / options_.probe_every);
      const double intended_us = static_cast<double>(sent_) / options_.messages_per_s * 1e6;
      if (on_probe_) on_probe_(number, start_us_ + static_cast<int64_t>(intended_us));
      append_publish(connection.out,
                     fmt::format(R"({{"device":"probe","ts":1700000000000,"temperature":{},"unit":"C"}})", number),
                     options_.qos, connection.next_id);
    } else {
      append_publish(connection.out, payloads_[sent_ % payloads_.size()], options_.qos, connection.next_id);
    }
    connection.next_id = connection.next_id == 65'535 ? 1 : connection.next_id + 1;
    ++connection.unacknowledged;
    ++sent_;
    pending_bytes_ += connection.out.size() - before;
  }

  void write(Connection& connection) {
    const ssize_t taken = ::send(connection.socket, connection.out.data() + connection.written,
                                 connection.out.size() - connection.written, MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) die("send");
    if (taken <= 0) return;
    connection.written += static_cast<size_t>(taken);
    pending_bytes_ -= static_cast<size_t>(taken);
    if (connection.written == connection.out.size()) {
      connection.out.clear();
      connection.written = 0;
    }
  }

  void poll_once() {
    epoll_event events[128];
    const bool idle = pending_bytes_ == 0 && (sent_ == options_.messages || options_.messages_per_s > 0);
    const int ready = ::epoll_wait(epoll_, events, 128, idle ? 1 : 0);
    for (int at = 0; at < ready; ++at) read(connections_[events[at].data.u32]);
  }

  // Only PUBACKs come: four bytes each.
  void read(Connection& connection) {
    static char block[65'536];
    const ssize_t got = ::recv(connection.socket, block, sizeof block, 0);
    if (got == 0) die("the server closed a connection");
    if (got < 0) return;
    const size_t bytes = connection.unread + static_cast<size_t>(got);
    connection.unread = bytes % 4;
    acknowledged_ += bytes / 4;
    connection.unacknowledged -= static_cast<uint32_t>(bytes / 4);
  }

  const LoadOptions& options_;
  const std::function<void(uint32_t, int64_t)>& on_probe_;
  int epoll_;
  std::vector<std::string> payloads_;
  std::vector<Connection> connections_;
  int64_t start_us_ = 0;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  size_t pending_bytes_ = 0;
};

}  // namespace

int64_t monotonic_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

LoadResult run_load(const LoadOptions& options, const std::function<void(uint32_t, int64_t)>& on_probe) {
  return Generator(options, on_probe).run();
}

}  // namespace tidegate::bench
