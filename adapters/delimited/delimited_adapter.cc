#include "adapters/delimited/delimited_adapter.h"

#include <utility>

#include "adapters/delimited/reader.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace {

using delimited::Watch;

class DelimitedAdapter : public Adapter {
 public:
  DelimitedAdapter(delimited::DelimitedSettings settings, const delimited::Budgets& budgets)
      : source_(std::make_shared<delimited::Source>()) {
    source_->settings = std::make_shared<const delimited::DelimitedSettings>(std::move(settings));
    source_->budgets = budgets;
  }

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext& context) override {
    const Watch watch(context);
    SLUICE_RETURN_IF_ERROR(watch.Check());
    std::vector<TableDescription> descriptions;
    if (!table.empty()) {
      SLUICE_ASSIGN_OR_RETURN(descriptions.emplace_back(), DescribeOne(table, watch));
      return descriptions;
    }
    SLUICE_ASSIGN_OR_RETURN(const auto names, source_->settings->folder.Tables());
    absl::Status failed;
    for (const std::string& name : names) {
      auto description = DescribeOne(name, watch);
      if (description.ok()) {
        descriptions.push_back(*std::move(description));
      } else if (delimited::EndedByWatch(description.status())) {
        return description.status();
      } else if (failed.ok() && !absl::IsNotFound(description.status())) {
        failed = description.status();
      }
    }
    // Among many, a file that cannot be read hides no other; where none can, it is said why.
    if (descriptions.empty() && !failed.ok()) return failed;
    return descriptions;
  }

  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext& context) override {
    if (request.after && request.after->size() != request.key.size())
      return absl::InvalidArgumentError("a position has a value for each column of the key");
    return std::make_unique<delimited::DelimitedReader>(source_, std::move(request), context);
  }

  absl::Status Probe(const CallContext& context) override {
    SLUICE_RETURN_IF_ERROR(Watch(context).Check());
    return source_->settings->folder.Probe();
  }

 private:
  // Quick: the header alone is read, and the version is said where it is known already.
  absl::StatusOr<TableDescription> DescribeOne(const std::string& table, const Watch& watch) {
    const delimited::DelimitedSettings& settings = *source_->settings;
    SLUICE_ASSIGN_OR_RETURN(const auto file, settings.folder.Open(table, watch));
    SLUICE_ASSIGN_OR_RETURN(const auto layout, delimited::ReadLayout(file, settings, table, watch));
    SLUICE_RETURN_IF_ERROR(settings.folder.Recheck(table, file->stamp()));
    TableDescription description;
    description.table = table;
    for (const std::string& column : layout.columns)
      description.columns.push_back({column, settings.TypeOf(table, column), true, "text"});
    const std::vector<std::string> key = settings.KeyOf(table);
    for (const std::string& column : key)
      SLUICE_RETURN_IF_ERROR(layout.Find(table, column).status());
    if (!key.empty()) description.unique_keys.push_back(key);
    description.snapshot = true;
    description.version.version = source_->versions.KnownDigest(table, file->stamp());
    description.version.as_of = file->stamp().modified_ns / 1'000;
    return description;
  }

  const std::shared_ptr<delimited::Source> source_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Adapter>> OpenDelimited(const Settings& settings,
                                                       const delimited::Budgets& budgets) {
  SLUICE_ASSIGN_OR_RETURN(auto parsed, delimited::ParseSettings(settings));
  auto adapter = std::make_unique<DelimitedAdapter>(std::move(parsed), budgets);
  SLUICE_RETURN_IF_ERROR(adapter->Probe(CallContext{}));
  return adapter;
}

absl::StatusOr<std::unique_ptr<Adapter>> OpenDelimited(const Settings& settings) {
  return OpenDelimited(settings, delimited::Budgets());
}

absl::Status CheckDelimitedSettings(const Settings& settings) {
  return delimited::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
