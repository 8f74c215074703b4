// Reads a part of a workbook as XML, by expat, in steps: bounded memory, whatever stands in it.
// Document types and entities are refused. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "adapters/files/watch.h"
#include "adapters/xlsx/archive.h"

struct XML_ParserStruct;

namespace sluice::adapters::xlsx {

// The attributes of an element, as expat gives them.
class Attributes {
 public:
  explicit Attributes(const char** pairs) : pairs_(pairs) {}
  // Null where there is none. Of those without a namespace.
  const char* Find(std::string_view name) const;
  // Of those in the namespace of relationships.
  const char* FindRelation(std::string_view name) const;

 private:
  const char** pairs_;
};

// What is done with what is read. Elements are those of workbooks and relationships; what else
// stands in a part, with all that is in it, is passed over.
class XmlEvents {
 public:
  virtual ~XmlEvents() = default;
  virtual void Start(std::string_view element, const Attributes& attributes) = 0;
  virtual void End(std::string_view element) = 0;
  virtual void Text(std::string_view text) = 0;
  // What is wrong, or would be read in vain: then reading ends with it.
  bool stopped() const { return stopped_; }
  const absl::Status& status() const { return status_; }

 protected:
  void Stop(absl::Status status = absl::OkStatus()) {
    if (stopped_) return;
    stopped_ = true;
    status_ = std::move(status);
  }

 private:
  bool stopped_ = false;
  absl::Status status_;
};

class XmlPart {
 public:
  // `events` outlives it.
  XmlPart(std::string part, std::string table, XmlEvents& events);
  ~XmlPart();
  XmlPart(const XmlPart&) = delete;
  XmlPart& operator=(const XmlPart&) = delete;

  // Reads on to the part's end, or until events stop. What a watch ended goes on with the next
  // call, as long as the archive read nothing else.
  absl::Status Read(Archive& archive, const files::Watch& watch);

 private:
  struct Callbacks;

  absl::Status Begin(Archive& archive);
  absl::Status Feed(const char* bytes, size_t size, bool last);
  absl::Status Bad(std::string_view what) const;

  const std::string part_;
  const std::string table_;
  XmlEvents& events_;
  XML_ParserStruct* parser_ = nullptr;
  bool begun_ = false;
  const char* refused_ = nullptr;
  int depth_ = 0;
  int foreign_ = 0;          // how deep in an element of another kind
  size_t bytes_silent_ = 0;  // since the last event
  std::string buffer_;
};

// All of a part that is small.
absl::Status ReadXml(Archive& archive, std::string_view part, const std::string& table,
                     XmlEvents& events, const files::Watch& watch);

}  // namespace sluice::adapters::xlsx
