// Strict reading of YAML: every mistake named with file, line and path; unknown keys are mistakes;
// all mistakes of a file are told at once. Over yaml-cpp.
//
//   YamlDocument document = YamlDocument::Parse(text, "sluiced.yaml");
//   YamlMap map = document.root().AsMap();
//   std::string listen = map.Required("listen").AsString();
//   int64_t port = map.Optional("port").AsInt(8443, 1, 65535);
//   map.RefuseOthers();
//   if (!document.errors().empty()) …    // "sluiced.yaml:3: limits.queue: …"
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gateway/base/clock.h"

namespace sluice {

class YamlMap;

// One place in a document; cheap to copy; lives as long as the document. Reading what is absent or
// of the wrong kind notes an error (once) and returns the default.
class YamlNode {
 public:
  bool present() const;
  bool is_map() const;
  bool is_list() const;
  const std::string& path() const { return path_; }
  int line() const;  // from 1; 0 where absent

  // Scalars. A required node that is absent was already noted by YamlMap::Required.
  std::string AsString(std::string_view otherwise = "") const;
  int64_t AsInt(int64_t otherwise, int64_t least, int64_t most) const;
  bool AsBool(bool otherwise) const;
  // "500ms", "10s", "5m", "2h", "90d".
  Micros AsDuration(Micros otherwise, Micros least, Micros most) const;
  // "64KiB", "8MiB", "1GiB", or plain bytes.
  int64_t AsBytes(int64_t otherwise, int64_t least, int64_t most) const;
  YamlMap AsMap() const;                 // empty where absent
  std::vector<YamlNode> AsList() const;  // empty where absent
  std::vector<std::string> AsStrings() const;

  // Notes a mistake at this place.
  void Fail(std::string_view mistake) const;

  struct Impl;

 private:
  friend class YamlMap;
  friend class YamlDocument;
  std::shared_ptr<Impl> impl_;
  std::string path_;
};

class YamlMap {
 public:
  // Notes an error where the key is absent.
  YamlNode Required(std::string_view key);
  YamlNode Optional(std::string_view key);
  // Notes an error for every key not asked for so far, with the nearest known one.
  void RefuseOthers();
  std::vector<std::string> keys() const;

 private:
  friend class YamlNode;
  YamlNode node_;
  std::vector<std::string> known_;
};

class YamlDocument {
 public:
  // Text that is no YAML, and duplicate keys, are errors. Exactly one document.
  static YamlDocument Parse(std::string_view text, std::string_view file);
  // Several documents, separated by "---" lines; errors are shared by all.
  static std::vector<YamlDocument> ParseAll(std::string_view text, std::string_view file);
  YamlNode root() const { return root_; }
  // "file:line: path: mistake", in the order of the file.
  std::vector<std::string> errors() const;
  // OK, or INVALID_ARGUMENT with all errors, a line each.
  absl::Status status() const;
  // The line of a path like "fields[2].mask", of its nearest parent where it is absent.
  int LineOf(std::string_view path) const;

 private:
  YamlNode root_;
};

}  // namespace sluice
