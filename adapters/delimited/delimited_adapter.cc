#include "adapters/delimited/delimited_adapter.h"

#include <algorithm>
#include <utility>

#include "adapters/delimited/detect.h"
#include "adapters/delimited/layout.h"
#include "adapters/delimited/rows.h"
#include "adapters/files/files_adapter.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace delimited {
namespace {

class DelimitedFormat : public files::Format {
 public:
  explicit DelimitedFormat(DelimitedSettings settings)
      : settings_(std::make_shared<const DelimitedSettings>(std::move(settings))) {}

  const char* counted() const override { return "line"; }

  absl::StatusOr<std::shared_ptr<const files::Layout>> ReadLayout(
      const std::shared_ptr<const Content>& content, const files::TableName& table,
      const Watch& watch) const override {
    if (!table.part.empty()) return absl::NotFoundError("a delimited file is one table");
    SLUICE_ASSIGN_OR_RETURN(auto layout,
                            delimited::ReadLayout(content, *settings_, table.file, watch));
    return std::make_shared<const files::Layout>(std::move(layout));
  }

  std::vector<std::string> Proposals(const Content& content) const override {
    std::string sample(std::min<int64_t>(kSampleBytes, content.size()), '\0');
    size_t read = 0;
    if (!content.Read(0, sample.size(), sample.data(), &read).ok()) return {};
    sample.resize(read);
    return Sentences(Detect(sample, static_cast<int64_t>(read) == content.size(), *settings_));
  }

  absl::StatusOr<std::unique_ptr<files::Rows>> Open(
      std::shared_ptr<const Content> content, std::shared_ptr<const files::Layout> layout,
      const files::TableName& table, std::vector<files::ColumnRequest> columns) const override {
    return DelimitedRows::Make(settings_, std::move(content), *layout, table.file, columns);
  }

 private:
  const std::shared_ptr<const DelimitedSettings> settings_;
};

}  // namespace

std::shared_ptr<const files::Format> MakeFormat(DelimitedSettings settings) {
  return std::make_shared<const DelimitedFormat>(std::move(settings));
}

}  // namespace delimited

absl::StatusOr<std::unique_ptr<Adapter>> OpenDelimited(const Settings& settings,
                                                       const files::Budgets& budgets) {
  SLUICE_ASSIGN_OR_RETURN(auto parsed, delimited::ParseSettings(settings));
  return files::OpenFiles(delimited::MakeFormat(std::move(parsed.format)), std::move(parsed.files),
                          budgets);
}

absl::StatusOr<std::unique_ptr<Adapter>> OpenDelimited(const Settings& settings) {
  return OpenDelimited(settings, files::Budgets());
}

absl::Status CheckDelimitedSettings(const Settings& settings) {
  return delimited::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
