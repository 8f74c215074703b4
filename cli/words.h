// Parts of messages in words, as tables and summaries show them.
#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/repeated_field.h"
#include "sluice/v1/catalogue.pb.h"
#include "sluice/v1/registry.pb.h"
#include "sluice/v1/sharing.pb.h"
#include "sluice/v1/values.pb.h"

namespace sluice::cli {

// The title in the language asked for, or else in the other.
std::string TitleOf(const v1::Text& text, bool chinese);
// "owner, auditor".
std::string RoleWords(const google::protobuf::RepeatedField<int>& roles);
std::string RoleWord(v1::Role role);
v1::Role RoleFromWord(std::string_view word);  // ROLE_UNSPECIFIED for another word
// "partial 3..4", "year", "as it is".
std::string MaskWords(const v1::Mask& mask);
// "decimal128(12,2)".
std::string TypeWords(const v1::ColumnType& type);
// "社会救助暂行办法 第58条".
std::string LawWords(const v1::LegalBasis& basis);
// "9,412 rows left today, 57 calls this minute"; empty where there is no limit.
std::string QuotaLeftWords(const v1::QuotaLeft& left);

// "agency/civil-affairs/system/relief" as "civil-affairs/relief"; a dash for nobody.
std::string PrincipalWords(std::string_view path);

// An argument as a shell reads it back.
std::string ShellQuoted(std::string_view argument);

}  // namespace sluice::cli
