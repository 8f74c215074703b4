// sluice convert: an Arrow IPC stream, as `sluice read --format arrow` keeps it, as Arrow's file
// form, CSV or JSON lines.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/display.h"
#include "cli/failure.h"
#include "cli/progress.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/text_writers.h"

namespace sluice::cli {
namespace {

constexpr size_t kMostHeld = 4 << 20;  // of output before it is written

struct ConvertOptions {
  std::string input, output;
};

// What comes before, for and behind the batches.
class RowsWriter {
 public:
  virtual ~RowsWriter() = default;
  virtual std::string Begin() = 0;
  virtual std::string Batch(const records::RecordBatch& batch) = 0;
  virtual std::string End() = 0;
};

class ArrowRows : public RowsWriter {
 public:
  explicit ArrowRows(records::SchemaPtr schema) : writer_(std::move(schema)) {}
  std::string Begin() override { return writer_.Begin(); }
  std::string Batch(const records::RecordBatch& batch) override { return writer_.Batch(batch); }
  std::string End() override { return writer_.End(); }

 private:
  records::ArrowFileWriter writer_;
};

class TextRows : public RowsWriter {
 public:
  TextRows(records::RowTextWriter::Format format, const records::Schema& schema)
      : writer_(format, schema) {}
  std::string Begin() override { return writer_.header(); }
  std::string Batch(const records::RecordBatch& batch) override {
    std::string out;
    for (int64_t row = 0; row < batch.rows(); ++row) writer_.AppendRow(batch, row, out);
    return out;
  }
  std::string End() override { return std::string(); }

 private:
  const records::RowTextWriter writer_;
};

// The format asked for, or what the output's name says.
absl::StatusOr<std::string> FormatOf(const Session& session, const std::string& output) {
  const std::string& named = session.format_named();
  if (named == "table")
    return UsageError("a stream becomes Arrow's file form, CSV or JSON lines.",
                      "--format arrow, csv or json");
  if (!named.empty()) return named;
  for (const auto& [suffix, format] : {std::pair(".arrow", "arrow"),
                                       {".feather", "arrow"},
                                       {".csv", "csv"},
                                       {".jsonl", "json"},
                                       {".ndjson", "json"},
                                       {".json", "json"}})
    if (absl::EndsWith(output, suffix)) return std::string(format);
  return UsageError("what it is to become is named neither by --format nor by the file's name.",
                    "--format arrow, csv or json");
}

std::unique_ptr<RowsWriter> WriterFor(const std::string& format, const records::SchemaPtr& schema) {
  using Text = records::RowTextWriter::Format;
  if (format == "arrow") return std::make_unique<ArrowRows>(schema);
  return std::make_unique<TextRows>(format == "csv" ? Text::kCsv : Text::kJsonLines, *schema);
}

class Convert {
 public:
  Convert(Session& session, const ConvertOptions& options)
      : environment_(session.environment), session_(session), options_(options) {}

  absl::Status Run() {
    SLUICE_ASSIGN_OR_RETURN(const std::string format, FormatOf(session_, options_.output));
    if (to_file() && options_.output == options_.input)
      return UsageError("a file cannot become itself.", "-o another file");
    const auto opened = environment_.files.OpenForRead(options_.input);
    if (!opened.ok())
      return LocalError("FILE_NOT_READ", std::string(opened.status().message()) + ".", {},
                        "ls -l " + ShellQuoted(options_.input));
    ReadableFile* const file = opened->get();
    SLUICE_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
    uint64_t position = 0;
    const auto next = [&](char* into, size_t count) -> absl::StatusOr<size_t> {
      SLUICE_ASSIGN_OR_RETURN(const std::string bytes, file->ReadAt(position, count));
      position += bytes.size();
      bytes.copy(into, bytes.size());
      return bytes.size();
    };
    auto reader = records::ArrowStreamReader::Open(next, {});
    if (!reader.ok()) return Unreadable(reader.status());
    SLUICE_RETURN_IF_ERROR(OpenOutput());
    const auto writer = WriterFor(format, reader->schema());
    SLUICE_RETURN_IF_ERROR(Write(writer->Begin()));
    int64_t rows = 0;
    {
      ProgressBar bar(environment_);
      for (;;) {
        auto batch = reader->Next();
        if (!batch.ok()) return GiveUp(Unreadable(batch.status()));
        if (!*batch) break;
        rows += (*batch)->rows();
        if (absl::Status status = Write(writer->Batch(**batch)); !status.ok())
          return GiveUp(std::move(status));
        bar.Show(position, size);
      }
    }
    if (!reader->whole())
      return GiveUp(LocalError(
          "STREAM_CUT", absl::StrCat(options_.input, " has no end mark: it is a part of a stream."),
          {}, "sluice read … --resume"));
    if (absl::Status status = Write(writer->End()); !status.ok()) return GiveUp(std::move(status));
    SLUICE_RETURN_IF_ERROR(CloseOutput());
    environment_.err << Grouped(rows) << " rows, " << reader->schema()->size() << " columns";
    if (to_file()) environment_.err << ", to " << options_.output;
    environment_.err << '\n';
    return absl::OkStatus();
  }

 private:
  bool to_file() const { return options_.output != "-"; }
  std::string part() const { return options_.output + ".part"; }

  absl::Status Unreadable(const absl::Status& why) const {
    if (!absl::IsInvalidArgument(why)) return why;
    return LocalError("FILE_NOT_READ",
                      absl::StrCat(options_.input, ": ", std::string(why.message()), "."), {},
                      "an Arrow IPC stream, as sluice read --format arrow keeps it");
  }

  absl::Status OpenOutput() {
    if (!to_file()) return absl::OkStatus();
    if (environment_.files.Stat(part()).ok())
      SLUICE_RETURN_IF_ERROR(environment_.files.Remove(part()));
    SLUICE_ASSIGN_OR_RETURN(file_, environment_.files.CreateNew(part(), 0600));
    return absl::OkStatus();
  }

  absl::Status Write(std::string bytes) {
    held_.append(bytes);
    return held_.size() < kMostHeld ? absl::OkStatus() : Flush();
  }

  absl::Status Flush() {
    const std::string bytes = std::exchange(held_, std::string());
    if (file_ != nullptr) {
      SLUICE_RETURN_IF_ERROR(file_->WriteAt(size_, bytes));
      size_ += bytes.size();
      return absl::OkStatus();
    }
    environment_.out << bytes;
    return environment_.out ? absl::OkStatus()
                            : LocalError("OUTPUT_LOST", "the output could not be written.");
  }

  absl::Status CloseOutput() {
    SLUICE_RETURN_IF_ERROR(Flush());
    if (file_ == nullptr) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(file_->Sync());
    SLUICE_RETURN_IF_ERROR(file_->Close());
    return environment_.files.Rename(part(), options_.output);
  }

  // Half a file would pass for one.
  absl::Status GiveUp(absl::Status why) {
    if (file_ != nullptr) (void)environment_.files.Remove(part());
    return why;
  }

  Environment& environment_;
  Session& session_;
  const ConvertOptions& options_;
  std::unique_ptr<WritableFile> file_;
  std::string held_;
  uint64_t size_ = 0;
};

}  // namespace

void AddConvertCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* convert =
      app.add_subcommand("convert",
                         "make Arrow's file form, CSV or JSON lines of a stream read as "
                         "Arrow");
  convert->add_option("input", options->input, "an Arrow IPC stream")
      ->type_name("FILE")
      ->required();
  convert
      ->add_option("-o,--output", options->output,
                   "where to, or - for standard output; .arrow, .csv and .jsonl say the format, or "
                   "--format arrow, csv or json")
      ->type_name("FILE")
      ->required();
  convert->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Convert(session, *options).Run(); };
  });
}

}  // namespace sluice::cli
