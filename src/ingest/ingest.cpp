#include "ingest/ingest.h"

#include "base/logging.h"
#include "ingest/internal/record_lane.h"
#include "ingest/internal/stream_registry.h"
#include "ingest/internal/topic_router.h"
#include "sql/sql.h"

namespace tidegate::ingest {

namespace {

class IngestImpl final : public Ingest {
 public:
  IngestImpl(log::Log& log, const io::Clock& clock, columnar::StringPool& devices)
      : log_(log), clock_(clock), devices_(devices) {}

  void add_stream(std::shared_ptr<const catalog::StreamDefinition> stream,
                  std::shared_ptr<const catalog::StreamDefinition> dead_letters) override {
    auto entry = std::make_shared<StreamEntry>();
    entry->stream = stream;
    // CREATE TABLE has checked both; a stream by a newer version may have others, and takes nothing then.
    auto event_time = sql::computed_event_time(*stream);
    if (!event_time) {
      log_error("event_time_unknown", {{"stream", stream->name}, {"error", event_time.error().to_string()}});
      return;
    }
    auto format = codec::parse_source_format(
        stream->options, {*stream->schema, stream->device_column, stream->time_column, event_time->has_value()});
    if (!format) {
      log_error("stream_format_unknown", {{"stream", stream->name}, {"error", format.error().error.to_string()}});
      return;
    }
    entry->event_time = std::move(*event_time);
    entry->format = std::move(*format);
    entry->dead_letters = std::move(dead_letters);
    if (const StreamEntryPtr before = streams_.find(stream->id)) {
      entry->counts = before->counts;
      // What edge nodes said at their birth they do not say again.
      if (entry->format.sparkplug && before->format.sparkplug) entry->format.sparkplug = before->format.sparkplug;
    }
    streams_.add(std::move(entry));
    router_.add(*stream);
  }
  void remove_stream(StreamId stream) override {
    router_.remove(stream);
    streams_.remove(stream);
  }
  [[nodiscard]] std::optional<StreamId> route(std::string_view topic) const override { return router_.route(topic); }
  [[nodiscard]] std::unique_ptr<Lane> open_lane() override {
    return std::make_unique<RecordLane>(log_, clock_, devices_, streams_);
  }
  [[nodiscard]] MessageCapture& capture() override { return capture_; }
  [[nodiscard]] bool overloaded() const override { return log_.queued_bytes() >= log::Log::kMaxQueuedBytes; }
  [[nodiscard]] std::vector<StreamCounters> counters() const override {
    std::vector<StreamCounters> out;
    for (const auto& [id, entry] : streams_.all()) {
      out.push_back(
          {entry->stream->name, entry->counts->rows.load(), entry->counts->bytes.load(), entry->counts->dead.load()});
    }
    return out;
  }

 private:
  log::Log& log_;
  const io::Clock& clock_;
  columnar::StringPool& devices_;
  StreamRegistry streams_;
  TopicRouter router_;
  MessageCapture capture_;
};

}  // namespace

std::unique_ptr<Ingest> Ingest::create(log::Log& log, const io::Clock& clock, columnar::StringPool& devices) {
  return std::make_unique<IngestImpl>(log, clock, devices);
}

}  // namespace tidegate::ingest
