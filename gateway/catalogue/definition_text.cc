#include "gateway/catalogue/definition_text.h"

#include "gateway/catalogue/mask_spec.h"
#include "gateway/records/row_batch.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::catalogue {

std::optional<std::string> DefinitionText(const google::protobuf::Message& message) {
  if (message.GetDescriptor() == v1::Mask::descriptor()) {
    v1::Mask mask;
    mask.CopyFrom(message);
    return FormatMask(mask);
  }
  if (message.GetDescriptor() == v1::ColumnType::descriptor()) {
    v1::ColumnType proto;
    proto.CopyFrom(message);
    const auto type = records::FromProto(proto);
    return type.ok() ? records::ToString(*type) : "none";
  }
  return std::nullopt;
}

}  // namespace sluice::catalogue
