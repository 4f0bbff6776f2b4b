// One network thread: its connections, its lane, its read buffer. Everything but wake(), take_over(), adopt() and
// stop() is used on the thread itself.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <queue>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "net/internal/mqtt_handshakes.h"
#include "net/internal/mqtt_protocol.h"
#include "net/internal/mqtt_socket.h"
#include "net/mqtt_listener.h"

namespace tidegate::net {

inline constexpr size_t kReadBytes = 64U << 10;      // of one read of one socket
inline constexpr size_t kReadableBehind = 64;        // bytes behind a payload that a parser may touch
inline constexpr size_t kMaxWaitingAcks = 1U << 20;  // per thread; above it sockets are not read
inline constexpr int kStallPollMs = 2;               // how often a stalled thread asks whether it may go on
inline constexpr int kTickMs = 500;

class MqttIoThread final : public MqttMailbox {
 public:
  MqttIoThread(MqttCore& core, MqttHandler& handler, const MqttListenerOptions& options, bool first);
  ~MqttIoThread() override;

  void start();
  // A connection that was accepted for this thread's context(). `refuse`: its CONNECT is answered with "server busy".
  // Any thread.
  void adopt(boost::asio::ip::tcp::socket socket, const TlsContext* tls, bool refuse);
  void stop();  // any thread; join() afterwards
  void join();

  void wake(uint64_t connection) override;
  void take_over(uint64_t connection) override;

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] size_t connections() const { return connections_.load(); }

 private:
  struct Link {
    Link(boost::asio::ip::tcp::socket tcp, const TlsContext* tls) : socket(std::move(tcp), tls, true) {}
    MqttSocket socket;
    std::optional<MqttProtocol> protocol;  // once the handshake is over
    std::string partial;                   // the beginning of a packet that is not whole yet
    size_t needed = 0;                     // its size, if known
    size_t sent = 0;                       // of the protocol's output
    uint64_t id = 0;
    int64_t opened_us = 0;
    enum class Step : uint8_t { kNone, kQueued, kUnderWay } step = Step::kNone;  // of its TLS handshake
    bool refuse = false;
    bool reading = false;  // a wait for reading is under way
    bool writing = false;
    bool put_off = false;  // not read from for a while: a stall, or its sender's quota
    bool touched = false;  // something may have to be written at the round's end
  };
  // Outlives the thread for callbacks that come late; null once the thread is gone.
  using Back = Guarded<MqttIoThread*>;

  void run();
  Link* find(uint64_t id);
  void open(boost::asio::ip::tcp::socket socket, const TlsContext* tls, bool refuse);
  void begin_protocol(Link& link);
  void schedule_handshakes();
  void run_handshakes();
  void step_handshake(Link& link);
  void close(Link& link);
  void arm_read(Link& link);
  void arm_write(Link& link);
  void on_readable(uint64_t id);
  void go_on_reading(Link& link);
  bool take_bytes(Link& link);
  void parse(Link& link, size_t bytes);
  void parse_large(Link& link);
  void hold(Link& link);
  void schedule_release();
  void release_held();
  bool take_large(Link& link);
  void touch(Link& link);
  void open_round();
  void end_round();
  void on_flushed(uint64_t round, bool ok);
  void settle_ready();
  void write_touched();
  void write_out(Link& link);
  void read_mail();
  void tick();
  void schedule_tick();
  void check_stall();
  void resume_reading();
  void close_all();
  void post_mail(uint64_t connection, bool taken_over);

  MqttCore& core_;
  MqttHandler& handler_;
  const MqttListenerOptions& options_;
  const bool first_;  // also looks after wills and ended sessions
  boost::asio::io_context context_{1};
  boost::asio::steady_timer tick_timer_{context_};
  boost::asio::steady_timer stall_timer_{context_};
  boost::asio::steady_timer hold_timer_{context_};
  std::shared_ptr<Back> back_;  // shared with callbacks under way
  std::unique_ptr<MqttLane> lane_;
  std::unique_ptr<MqttThread> shared_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<uint32_t> free_slots_;
  uint32_t next_generation_ = 1;
  MqttHandshakes handshakes_;
  bool handshakes_posted_ = false;
  int64_t handshakes_ended_us_ = 0;  // when their last turn was over
  std::vector<uint64_t> touched_;
  std::vector<uint64_t> paused_;  // not read from until the stall is over
  // Over their quota, by when they may go on; the earliest first.
  using Held = std::pair<int64_t, uint64_t>;
  std::priority_queue<Held, std::vector<Held>, std::greater<>> held_;
  int64_t release_at_us_ = 0;  // what the timer waits for; 0: it does not
  std::string buffer_ = std::string(kReadBytes + kReadableBehind, '\0');
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
  bool round_open_ = false;
  bool stalled_ = false;
  bool stopping_ = false;
  std::atomic<size_t> connections_{0};
  struct Mail {
    uint64_t connection = 0;
    bool taken_over = false;
  };
  Guarded<std::vector<Mail>> mail_;
  std::thread thread_;
};

}  // namespace tidegate::net
