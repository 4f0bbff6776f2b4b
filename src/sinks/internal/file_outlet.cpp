#include <fmt/format.h>

#include "base/bytes.h"
#include "codec/json_encoder.h"
#include "io/append_file.h"
#include "io/path.h"
#include "sinks/internal/outlet.h"

namespace tidegate::sinks {

namespace {

// Appends NDJSON. The mark is the file's size after the last delivery whose position was stored: what a crash left
// behind it (whole lines or half of one) is cut off at the next start and written again.
class FileOutlet final : public Outlet {
 public:
  FileOutlet(std::filesystem::path path, columnar::SchemaPtr schema)
      : path_(std::move(path)), encoder_(std::move(schema)) {}

  Result<> resume(std::string_view mark) override {
    TRY_ASSIGN(auto file, io::AppendFile::open(path_));
    if (!mark.empty()) {
      ByteReader reader(mark);
      const auto size = reader.fixed<uint64_t>();
      if (!reader.finished()) return fail(ErrorCode::FormatUnknown, "the sink's stored file size cannot be read");
      if (file.size() > size) TRY(file.truncate(size));
    }
    // A file that someone else began or shortened may end within a line.
    TRY_ASSIGN(const char last, file.last_byte());
    if (file.size() > 0 && last != '\n') TRY(file.append("\n"));
    file_ = std::move(file);
    return {};
  }

  Delivered deliver(const Delivery& delivery) override {
    lines_.clear();
    for (const Piece& piece : delivery.pieces) encoder_.append_ndjson(piece.batch.value(), lines_);
    const uint64_t before = file_->size();
    Result<> written = file_->append(lines_);
    if (written) written = file_->sync();
    if (written) return {.rows = delivery.rows()};
    // What may or may not be on the disk is written again.
    if (file_->size() > before) {
      if (auto cut = file_->truncate(before); !cut) return {.error = std::move(cut.error())};
    }
    return {.error = std::move(written.error())};
  }

  [[nodiscard]] std::string mark() const override {
    std::string out;
    ByteWriter(out).fixed<uint64_t>(file_ ? file_->size() : 0);
    return out;
  }

 private:
  std::filesystem::path path_;
  codec::JsonEncoder encoder_;
  std::optional<io::AppendFile> file_;
  std::string lines_;
};

}  // namespace

Result<std::filesystem::path> sink_file_path(const catalog::StreamDefinition& stream, const FileSinkFolders& folders) {
  const auto option = stream.options.find("path");
  if (option == stream.options.end() || option->second.empty()) {
    return fail(ErrorCode::SqlInvalidOption, fmt::format("table '{}' writes a file, but names none", stream.name),
                "Add 'path' = 'alerts.ndjson'");
  }
  if (auto path = io::allowed_path(option->second, {folders.home, folders.allowed})) return std::move(*path);
  const bool absolute = std::filesystem::path(option->second).is_absolute();
  return fail(ErrorCode::SqlInvalidOption,
              fmt::format("the path '{}' of table '{}' leads out of the folders that sinks may write to",
                          option->second, stream.name),
              absolute ? "Start the server with --sink-folder FOLDER to allow a folder, or give a relative path"
                       : "Leave out '..', or give an absolute path in a folder allowed by --sink-folder");
}

Result<std::unique_ptr<Outlet>> make_file_outlet(const catalog::StreamDefinition& stream,
                                                 const FileSinkFolders& folders) {
  TRY_ASSIGN(auto path, sink_file_path(stream, folders));
  return std::make_unique<FileOutlet>(std::move(path), stream.schema);
}

}  // namespace tidegate::sinks
