#include "adapters/files/joined.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "adapters/files/job.h"
#include "adapters/files/unpacking.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

absl::Status InFile(absl::Status status, const std::string& name) {
  if (!status.ok() && SpeaksOfTheFile(status)) AddKey(status, "file", name);
  return status;
}

class JoinedFile : public SourceFile {
 public:
  explicit JoinedFile(std::vector<std::shared_ptr<const SourceFile>> files)
      : files_(std::move(files)), bytes_(PartsOf(files_)) {
    stamp_.size = bytes_.size();
    for (const auto& file : files_) {
      const Stamp& one = file->stamp();
      stamp_.modified_ns = std::max(stamp_.modified_ns, one.modified_ns);
      stamp_.changed_ns = std::max(stamp_.changed_ns, one.changed_ns);
      absl::StrAppend(&stamp_.tag, file->name(), "/", one.ToString(), "/");
    }
  }
  const Stamp& stamp() const override { return stamp_; }
  const std::string& name() const override { return files_.back()->name(); }
  int64_t size() const override { return stamp_.size; }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    return bytes_.Read(offset, count, to, read);
  }
  absl::StatusOr<bool> Unchanged() const override {
    for (const auto& file : files_) {
      SLUICE_ASSIGN_OR_RETURN(const bool same, file->Unchanged());
      if (!same) return false;
    }
    return true;
  }
  // The worst of all.
  absl::StatusOr<Standing> Look() const override {
    Standing worst = Standing::kSame;
    for (const auto& file : files_) {
      SLUICE_ASSIGN_OR_RETURN(const Standing one, file->Look());
      worst = std::max(worst, one);
    }
    return worst;
  }
  std::vector<std::shared_ptr<const SourceFile>> parts() const override { return files_; }

 private:
  static std::vector<std::pair<std::string, std::shared_ptr<const Content>>> PartsOf(
      const std::vector<std::shared_ptr<const SourceFile>>& files) {
    std::vector<std::pair<std::string, std::shared_ptr<const Content>>> parts;
    for (const auto& file : files) parts.emplace_back(file->name(), file);
    return parts;
  }

  const std::vector<std::shared_ptr<const SourceFile>> files_;
  const JoinedContent bytes_;
  Stamp stamp_;
};

// With its companion.
class PairedFile : public SourceFile {
 public:
  PairedFile(std::shared_ptr<const SourceFile> file, std::shared_ptr<const SourceFile> companion)
      : file_(std::move(file)), companion_(std::move(companion)), stamp_(file_->stamp()) {
    const Stamp& beside = companion_->stamp();
    stamp_.modified_ns = std::max(stamp_.modified_ns, beside.modified_ns);
    stamp_.changed_ns = std::max(stamp_.changed_ns, beside.changed_ns);
    absl::StrAppend(&stamp_.tag, "/", file_->stamp().ToString(), "/", companion_->name(), "/",
                    beside.ToString());
  }
  const Stamp& stamp() const override { return stamp_; }
  const std::string& name() const override { return file_->name(); }
  int64_t size() const override { return file_->size(); }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    return file_->Read(offset, count, to, read);
  }
  const SourceFile* companion() const override { return companion_.get(); }
  absl::StatusOr<bool> Unchanged() const override {
    SLUICE_ASSIGN_OR_RETURN(const bool same, file_->Unchanged());
    if (!same) return false;
    return companion_->Unchanged();
  }
  absl::StatusOr<Standing> Look() const override {
    SLUICE_ASSIGN_OR_RETURN(const Standing own, file_->Look());
    SLUICE_ASSIGN_OR_RETURN(const Standing beside, companion_->Look());
    return std::max(own, beside);
  }

 private:
  const std::shared_ptr<const SourceFile> file_, companion_;
  Stamp stamp_;
};

// Unpacks each part as the format does.
class JoinedUnpacking : public Unpacking {
 public:
  struct Part {
    std::string name;
    std::shared_ptr<Unpacking> unpacking;
  };
  explicit JoinedUnpacking(std::vector<Part> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Content> content() const override { return content_; }

 protected:
  absl::Status Work(const Watch& watch) override {
    std::vector<std::pair<std::string, std::shared_ptr<const Content>>> contents;
    for (const Part& part : parts_) {
      SLUICE_RETURN_IF_ERROR(InFile(part.unpacking->Finish(watch), part.name));
      contents.emplace_back(part.name, part.unpacking->content());
    }
    content_ = std::make_shared<const JoinedContent>(std::move(contents));
    return absl::OkStatus();
  }
  void Restart() override {}

 private:
  const std::vector<Part> parts_;
  std::shared_ptr<const Content> content_;
};

struct JoinedLayout : Layout {
  // By part.
  std::vector<std::shared_ptr<const Layout>> layouts;
};

const JoinedContent& PartsIn(const Content& content) {
  return dynamic_cast<const JoinedContent&>(content);
}

class JoinedRows : public Rows {
 public:
  JoinedRows(std::shared_ptr<const Format> format, std::shared_ptr<const Content> content,
             std::shared_ptr<const JoinedLayout> layout, TableName table,
             std::vector<ColumnRequest> columns)
      : format_(std::move(format)),
        content_(std::move(content)),
        joined_(PartsIn(*content_)),
        layout_(std::move(layout)),
        table_(std::move(table)) {
    const size_t name_column = layout_->columns.size() - 1;
    for (ColumnRequest& column : columns) {
      const bool name = column.column == name_column;
      places_.push_back(name ? -1 : static_cast<int>(inner_columns_.size()));
      types_.push_back(column.type);
      if (!name) inner_columns_.push_back(std::move(column));
    }
  }

  void Seek(const Place& place) override {
    part_ = joined_.PartAt(place.offset);
    place_ = place;
    rows_ = nullptr;
    // Behind the last byte of one file lies what stands before the rows of the next.
    const int64_t first = joined_.parts()[part_].begin + layout_->layouts[part_]->rows.offset;
    seek_.reset();
    if (place.offset > first || place.part > 0) seek_ = place;
  }

  absl::StatusOr<bool> Next(const Watch& watch) override {
    for (;;) {
      SLUICE_RETURN_IF_ERROR(Reach());
      const auto any = rows_->Next(watch);
      place_ = rows_->place();
      place_.offset += joined_.parts()[part_].begin;
      if (!any.ok()) return InFile(any.status(), joined_.parts()[part_].name);
      if (*any || part_ + 1 == joined_.parts().size()) return any;
      ++part_;
      rows_ = nullptr;
      seek_.reset();
    }
  }

  const Place& place() const override { return place_; }
  const char* why() const override { return rows_->why(); }
  bool can_go_on() const override { return rows_ != nullptr && rows_->can_go_on(); }
  std::string_view raw() const override { return rows_->raw(); }

  std::optional<Value> Read(size_t i) override {
    if (places_[i] >= 0) return rows_->Read(static_cast<size_t>(places_[i]));
    const std::string& name = joined_.parts()[part_].name;
    return ParseValue(name, types_[i], ValueRule(), scratch_);
  }

  int64_t MostBytes() const override {
    constexpr int64_t kFixed = 17;
    const auto names = std::count(places_.begin(), places_.end(), -1);
    return rows_->MostBytes() +
           names * (kFixed + static_cast<int64_t>(joined_.parts()[part_].name.size()));
  }

 private:
  static constexpr size_t kMostOpen = 4;
  struct Open {
    size_t part = 0;
    std::unique_ptr<Rows> rows;
  };

  // The rows of the part, at the place that was sought, or at its first.
  absl::Status Reach() {
    if (rows_ != nullptr) return absl::OkStatus();
    auto found = std::find_if(open_.begin(), open_.end(),
                              [this](const Open& one) { return one.part == part_; });
    if (found == open_.end()) {
      SLUICE_ASSIGN_OR_RETURN(auto rows, OpenPart());
      if (open_.size() == kMostOpen) open_.erase(open_.begin());
      open_.push_back({part_, std::move(rows)});
    } else {
      std::rotate(found, found + 1, open_.end());
    }
    rows_ = open_.back().rows.get();
    Place place = layout_->layouts[part_]->rows;
    if (seek_) {
      place = *seek_;
      place.offset -= joined_.parts()[part_].begin;
    }
    rows_->Seek(place);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Rows>> OpenPart() const {
    std::vector<ColumnRequest> columns;
    for (const ColumnRequest& column : inner_columns_) {
      SLUICE_ASSIGN_OR_RETURN(const size_t place,
                              layout_->layouts[part_]->Find(table_, column.name));
      columns.push_back({place, layout_->layouts[part_]->columns[place].name, column.type});
    }
    return format_->Open(joined_.parts()[part_].content, layout_->layouts[part_], table_,
                         std::move(columns));
  }

  const std::shared_ptr<const Format> format_;
  const std::shared_ptr<const Content> content_;
  const JoinedContent& joined_;
  const std::shared_ptr<const JoinedLayout> layout_;
  const TableName table_;
  std::vector<int> places_;  // by column asked for: in the inner rows; -1 is the file's name
  std::vector<records::DataType> types_;
  std::vector<ColumnRequest> inner_columns_;

  std::vector<Open> open_;  // the last used comes last
  Rows* rows_ = nullptr;    // of the part
  size_t part_ = 0;
  std::optional<Place> seek_;
  Place place_;
  std::string scratch_;
};

class JoinedFormat : public Format {
 public:
  JoinedFormat(std::shared_ptr<const Format> inner, std::string name_column)
      : inner_(std::move(inner)), name_column_(std::move(name_column)) {}

  std::vector<std::string> Proposals(const Content& content) const override {
    const auto* const joined = dynamic_cast<const JoinedContent*>(&content);
    return inner_->Proposals(joined == nullptr ? content : *joined->parts().front().content);
  }
  const char* counted() const override { return inner_->counted(); }

  absl::StatusOr<std::vector<std::string>> Companions(const Content& content,
                                                      std::string_view file_name) const override {
    return inner_->Companions(content, file_name);
  }

  // Those of the newest.
  absl::StatusOr<std::vector<std::string>> Parts(const Content& content, const TableName& table,
                                                 const Watch& watch) const override {
    return inner_->Parts(*PartsIn(content).parts().back().content, table, watch);
  }

  std::shared_ptr<Unpacking> Unpack(const std::shared_ptr<const Content>& content,
                                    const TableName& table,
                                    const std::string& work_folder) const override {
    std::vector<JoinedUnpacking::Part> parts;
    for (const JoinedContent::Part& part : PartsIn(*content).parts()) {
      auto unpacking = inner_->Unpack(part.content, table, work_folder);
      if (unpacking == nullptr) return nullptr;
      parts.push_back({part.name, std::move(unpacking)});
    }
    return std::make_shared<JoinedUnpacking>(std::move(parts));
  }

  absl::StatusOr<std::shared_ptr<const Layout>> ReadLayout(
      const std::shared_ptr<const Content>& content, const TableName& table,
      const Watch& watch) const override {
    auto layout = std::make_shared<JoinedLayout>();
    for (const JoinedContent::Part& part : PartsIn(*content).parts()) {
      auto one = inner_->ReadLayout(part.content, table, watch);
      if (!one.ok()) return InFile(one.status(), part.name);
      if (!layout->layouts.empty()) {
        SLUICE_RETURN_IF_ERROR(InFile(SameColumns(*layout->layouts[0], **one, table), part.name));
        if (layout->layouts[0]->reading != (*one)->reading) return Changed();
      }
      layout->layouts.push_back(*std::move(one));
    }
    layout->columns = layout->layouts[0]->columns;
    for (const ColumnDescription& column : layout->columns)
      if (column.name == name_column_)
        return Drift(absl::StrCat("table '", table.Full(),
                                  "' has a column of its own called as "
                                  "file_name_column says: give that another name"));
    layout->columns.push_back({name_column_, {records::TypeId::kUtf8}, false, "file name"});
    layout->rows = layout->layouts[0]->rows;
    layout->reading = layout->layouts[0]->reading;
    return layout;
  }

  absl::StatusOr<std::unique_ptr<Rows>> Open(std::shared_ptr<const Content> content,
                                             std::shared_ptr<const Layout> layout,
                                             const TableName& table,
                                             std::vector<ColumnRequest> columns) const override {
    return std::make_unique<JoinedRows>(inner_, std::move(content),
                                        std::dynamic_pointer_cast<const JoinedLayout>(layout),
                                        table, std::move(columns));
  }

 private:
  // In any order.
  static absl::Status SameColumns(const Layout& first, const Layout& other,
                                  const TableName& table) {
    for (const ColumnDescription& column : first.columns)
      SLUICE_RETURN_IF_ERROR(other.Find(table, column.name).status());
    if (first.columns.size() == other.columns.size()) return absl::OkStatus();
    return Drift(absl::StrCat("the files of table '", table.Full(), "' have different columns"));
  }

  const std::shared_ptr<const Format> inner_;
  const std::string name_column_;
};

}  // namespace

JoinedContent::JoinedContent(
    std::vector<std::pair<std::string, std::shared_ptr<const Content>>> parts) {
  for (auto& [name, content] : parts) {
    parts_.push_back({std::move(name), std::move(content), size_});
    size_ += parts_.back().content->size();
  }
}

size_t JoinedContent::PartAt(int64_t offset) const {
  const auto behind =
      std::upper_bound(parts_.begin(), parts_.end(), offset,
                       [](int64_t value, const Part& part) { return value < part.begin; });
  return static_cast<size_t>(std::max<ptrdiff_t>(behind - parts_.begin() - 1, 0));
}

absl::Status JoinedContent::Read(int64_t offset, size_t count, char* to, size_t* read) const {
  *read = 0;
  for (size_t part = PartAt(offset); part < parts_.size() && *read < count; ++part) {
    const int64_t at = offset + static_cast<int64_t>(*read) - parts_[part].begin;
    size_t got = 0;
    SLUICE_RETURN_IF_ERROR(parts_[part].content->Read(at, count - *read, to + *read, &got));
    *read += got;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> JoinedContent::Unchanged() const {
  for (const Part& part : parts_) {
    SLUICE_ASSIGN_OR_RETURN(const bool same, part.content->Unchanged());
    if (!same) return false;
  }
  return true;
}

std::shared_ptr<const Content> AsParts(const std::shared_ptr<const SourceFile>& file) {
  const auto files = file->parts();
  if (files.empty()) return file;
  std::vector<std::pair<std::string, std::shared_ptr<const Content>>> parts;
  for (const auto& one : files) parts.emplace_back(one->name(), one);
  return std::make_shared<const JoinedContent>(std::move(parts));
}

absl::StatusOr<std::shared_ptr<const SourceFile>> WithCompanion(
    Folder& folder, const Format& format, std::shared_ptr<const SourceFile> file,
    const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const auto names, format.Companions(*file, file->name()));
  if (names.empty()) return file;
  SLUICE_ASSIGN_OR_RETURN(const auto there, folder.Names(watch));
  for (const std::string& name : names) {
    std::vector<std::string> alike;
    for (const std::string& one : there)
      if (absl::EqualsIgnoreCase(one, name)) alike.push_back(one);
    if (alike.empty()) continue;
    if (alike.size() > 1)
      return Unavailable(
          "two files beside the source's could be the one that belongs to it: their names differ "
          "in the case of letters only");
    auto companion = folder.Open(alike[0], watch);
    if (absl::IsNotFound(companion.status())) return file;  // taken away meanwhile
    SLUICE_RETURN_IF_ERROR(companion.status());
    return std::make_shared<const PairedFile>(std::move(file), *std::move(companion));
  }
  return file;
}

std::shared_ptr<const SourceFile> JoinFiles(std::vector<std::shared_ptr<const SourceFile>> files) {
  return std::make_shared<const JoinedFile>(std::move(files));
}

std::shared_ptr<const Format> MakeJoinedFormat(std::shared_ptr<const Format> inner,
                                               std::string name_column) {
  return std::make_shared<const JoinedFormat>(std::move(inner), std::move(name_column));
}

}  // namespace sluice::adapters::files
