#include "adapters/xlsx/xml.h"

#include <expat.h>

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::xlsx {
namespace {

constexpr size_t kPiece = 64 << 10;
// Of one tag: expat holds it whole.
constexpr size_t kMostSilentBytes = 1 << 20;
constexpr int kMostDepth = 256;
constexpr char kSeparator = '|';

// Of ECMA-376, transitional and strict.
constexpr std::array<std::string_view, 3> kOurs = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/package/2006/relationships"};
constexpr std::array<std::string_view, 2> kRelations = {
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships"};

// The name without its namespace; empty where that is another.
std::string_view LocalName(const char* name) {
  const std::string_view whole(name);
  const size_t bar = whole.rfind(kSeparator);
  if (bar == whole.npos) return {};
  for (const std::string_view ours : kOurs)
    if (whole.substr(0, bar) == ours) return whole.substr(bar + 1);
  return {};
}

}  // namespace

const char* Attributes::Find(std::string_view name) const {
  for (const char** pair = pairs_; *pair != nullptr; pair += 2)
    if (name == *pair) return pair[1];
  return nullptr;
}

const char* Attributes::FindRelation(std::string_view name) const {
  for (const char** pair = pairs_; *pair != nullptr; pair += 2) {
    const std::string_view whole(*pair);
    const size_t bar = whole.rfind(kSeparator);
    if (bar == whole.npos || whole.substr(bar + 1) != name) continue;
    for (const std::string_view space : kRelations)
      if (whole.substr(0, bar) == space) return pair[1];
  }
  return nullptr;
}

struct XmlPart::Callbacks {
  static XmlPart& Of(void* self) { return *static_cast<XmlPart*>(self); }

  static void Start(void* self, const char* name, const char** attributes) {
    XmlPart& part = Of(self);
    part.bytes_silent_ = 0;
    if (++part.depth_ > kMostDepth) return Refuse(self, "elements within elements, too deep");
    const std::string_view element = LocalName(name);
    if (part.foreign_ > 0 || element.empty()) {
      ++part.foreign_;
      return;
    }
    part.events_.Start(element, Attributes(attributes));
    if (part.events_.stopped()) XML_StopParser(part.parser_, XML_FALSE);
  }

  static void End(void* self, const char* name) {
    XmlPart& part = Of(self);
    part.bytes_silent_ = 0;
    --part.depth_;
    if (part.foreign_ > 0) {
      --part.foreign_;
      return;
    }
    part.events_.End(LocalName(name));
    if (part.events_.stopped()) XML_StopParser(part.parser_, XML_FALSE);
  }

  static void Text(void* self, const char* text, int size) {
    XmlPart& part = Of(self);
    part.bytes_silent_ = 0;
    if (part.foreign_ > 0) return;
    part.events_.Text({text, static_cast<size_t>(size)});
    if (part.events_.stopped()) XML_StopParser(part.parser_, XML_FALSE);
  }

  static void Doctype(void* self, const char*, const char*, const char*, int) {
    Refuse(self, "a document type: workbooks have none, and what it defines is not taken");
  }

  static void Refuse(void* self, const char* what) {
    if (Of(self).refused_ == nullptr) Of(self).refused_ = what;
    XML_StopParser(Of(self).parser_, XML_FALSE);
  }
};

XmlPart::XmlPart(std::string part, std::string table, XmlEvents& events)
    : part_(std::move(part)), table_(std::move(table)), events_(events) {}

XmlPart::~XmlPart() {
  if (parser_ != nullptr) XML_ParserFree(parser_);
}

absl::Status XmlPart::Bad(std::string_view what) const {
  return files::BadFile(table_,
                        absl::StrCat("part '", part_, "' of the workbook has ", std::string(what)));
}

absl::Status XmlPart::Begin(Archive& archive) {
  SLUICE_RETURN_IF_ERROR(archive.OpenPart(part_));
  parser_ = XML_ParserCreateNS(nullptr, kSeparator);
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(parser_, &Callbacks::Start, &Callbacks::End);
  XML_SetCharacterDataHandler(parser_, &Callbacks::Text);
  XML_SetStartDoctypeDeclHandler(parser_, &Callbacks::Doctype);
  buffer_.resize(kPiece);
  begun_ = true;
  return absl::OkStatus();
}

absl::Status XmlPart::Read(Archive& archive, const files::Watch& watch) {
  if (!begun_) SLUICE_RETURN_IF_ERROR(Begin(archive));
  while (!events_.stopped()) {
    SLUICE_RETURN_IF_ERROR(watch.Check());
    SLUICE_ASSIGN_OR_RETURN(const size_t size, archive.Read(buffer_.data(), buffer_.size()));
    SLUICE_RETURN_IF_ERROR(Feed(buffer_.data(), size, size == 0));
    if (size == 0) break;
  }
  return events_.status();
}

absl::Status XmlPart::Feed(const char* bytes, size_t size, bool last) {
  bytes_silent_ += size;
  if (XML_Parse(parser_, bytes, static_cast<int>(size), last) != XML_STATUS_OK) {
    if (refused_ != nullptr) return Bad(refused_);
    if (events_.stopped()) return events_.status();
    return Bad(absl::StrCat("no well-formed XML in line ", XML_GetCurrentLineNumber(parser_), ": ",
                            XML_ErrorString(XML_GetErrorCode(parser_))));
  }
  if (bytes_silent_ > kMostSilentBytes) return Bad("a tag of over a mebibyte");
  return absl::OkStatus();
}

absl::Status ReadXml(Archive& archive, std::string_view part, const std::string& table,
                     XmlEvents& events, const files::Watch& watch) {
  return XmlPart(std::string(part), table, events).Read(archive, watch);
}

}  // namespace sluice::adapters::xlsx
