// Definitions of resources as rows: a serialised message of the public API in a BLOB column, with
// an etag that follows from its contents. Over store.h; a room's SQL stays its own.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/store/store.h"

namespace sluice::store {

// The same bytes for the same contents within one program: maps in the order of their keys.
inline std::string SerializeStably(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

// Sixteen hexadecimal digits over the contents, the etag itself left out.
template <class Message>
std::string EtagOf(Message message) {
  message.clear_etag();
  return HexEncode(AsBytes(Sha256(SerializeStably(message)))).substr(0, 16);
}

// OK where none was sent or it is the current one; else ETAG_MISMATCH.
inline absl::Status CheckEtag(std::string_view sent, std::string_view current) {
  if (sent.empty() || sent == current) return absl::OkStatus();
  return Error(v1::REASON_ETAG_MISMATCH, "Somebody changed it since you read it.",
               {{"etag", current}});
}

// The column `column` of each row, parsed. DATA_LOSS where one cannot be.
template <class Message>
absl::StatusOr<std::vector<Message>> ParseRows(const std::vector<SqlRow>& rows, size_t column = 0) {
  std::vector<Message> messages(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    if (!messages[i].ParseFromString(rows[i].Text(column)))
      return absl::DataLossError(
          absl::StrCat("a stored ", messages[i].GetTypeName(), " cannot be read"));
  return messages;
}

template <class Message>
absl::StatusOr<std::vector<Message>> LoadAll(Reader& reader, std::string_view sql,
                                             const std::vector<SqlValue>& values = {}) {
  SLUICE_ASSIGN_OR_RETURN(const auto rows, reader.Query(sql, values));
  return ParseRows<Message>(rows);
}

// The first of the rows, where there is one.
template <class Message>
absl::StatusOr<std::optional<Message>> LoadOne(Reader& reader, std::string_view sql,
                                               const std::vector<SqlValue>& values) {
  SLUICE_ASSIGN_OR_RETURN(auto messages, LoadAll<Message>(reader, sql, values));
  if (messages.empty()) return std::optional<Message>();
  return std::optional<Message>(std::move(messages.front()));
}

}  // namespace sluice::store
