// What requests and grants have in common, in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/page.h"
#include "google/protobuf/repeated_field.h"
#include "sluice/v1/catalogue.pb.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

using Names = google::protobuf::RepeatedPtrField<std::string>;

// "civil-affairs/relief, civil-affairs/aid", "civil-affairs, all its systems".
std::string ConsumerWords(const std::string& agency, const Names& systems);
// `社会救助暂行办法 第五十八条 "…"`.
std::string BasisWords(const v1::LegalBasis& basis);
// "Query, up to 100 rows a page; Match; no Read".
std::string CallWords(const google::protobuf::RepeatedField<int>& modes, int32_t max_page_rows);
// "60 calls a minute; 10,000 rows a day, 9,412 left, new at …"; "no limit".
std::string QuotaWords(const v1::Quota& quota, const v1::QuotaLeft& left,
                       const absl::TimeZone& zone);
// Name, mask, and how it may be asked for or matched, a line each.
void AddGrantedFields(Page& page, std::string_view label,
                      const google::protobuf::RepeatedPtrField<v1::GrantedField>& fields);
// "case: required, end user: required"; empty where neither is.
std::string DemandWords(const v1::Grant& grant);

// "no onward transfer", "destroy by 2027-04-30 and report".
std::vector<std::string> DutyParts(const v1::Duties& duties, const absl::TimeZone& zone);
// "Mon-Fri 08:00-18:00 (Asia/Shanghai); from 10.2.0.0/16"; empty where there are none.
std::string ConditionWords(const v1::Conditions& conditions);
// What Match and Count may tell; empty where the grant allows neither.
std::string TellWords(const v1::Grant& grant);

// "in force", "expired", "not yet in force", "suspended", "revoked".
std::string GrantState(const v1::Grant& grant, Micros now);
// "submitted", "approved", "refused", "withdrawn".
std::string RequestState(v1::AccessRequestState state);
// The life of a grant, a part a step: "requested 2026-11-02 by civil-affairs/wang (r-7q4m2k)",
// "approved 2026-11-09 by …", "amended 2026-11-20 by … (fields.phone: …)".
std::vector<std::string> HistoryParts(const v1::GetGrantResponse& grant,
                                      const absl::TimeZone& zone);
// "suspended 2026-11-20 by … (maintenance)" of a dataset's life.
std::vector<std::string> HistoryParts(const v1::GetDatasetResponse& dataset,
                                      const absl::TimeZone& zone);

}  // namespace sluice::cli
