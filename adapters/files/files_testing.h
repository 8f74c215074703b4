// A folder of files, as an owner would leave them, and text in the encodings of old. For tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/files/encoding.h"

namespace sluice::adapters::files {

class TestFolder {
 public:
  TestFolder();
  ~TestFolder();  // removes the folder
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string PathOf(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Under another name first, then renamed, as careful owners do.
  void Write(std::string_view name, std::string_view bytes) const;
  // Into the file itself.
  void WriteInPlace(std::string_view name, std::string_view bytes) const;
  std::string Read(std::string_view name) const;
  void Remove();
  std::vector<std::string> Names() const;

 private:
  std::string path_;
};

// The bytes of all files that this process has open and that were made in that folder, those
// without a name above all.
std::string OpenFilesUnder(const std::string& folder);

// UTF-8 in that encoding; a character that it lacks fails the test.
std::string Encoded(std::string_view utf8, Encoding encoding);

// A value as people read it: "∅" for null, binary in hexadecimal.
std::string Shown(const records::Column& column, int64_t row);

// What a whole scan gives.
struct Scanned {
  std::vector<std::string> rows;  // values as shown, joined by bars
  absl::Status status;
  SourceVersion version;
  int64_t bad_values = 0;
};
Scanned ScanShown(Adapter& adapter, const ScanRequest& request);

}  // namespace sluice::adapters::files
