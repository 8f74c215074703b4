// What the operator sees of a gateway that runs, and does to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/tool_testing.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::RunningExchange Stream() {
  v1::RunningExchange stream;
  stream.set_call_id("7CQ2K9ZP4M1XH8RT");
  stream.set_principal("agency/statistics/system/census");
  stream.set_method("Exchange.Read");
  stream.set_dataset("civil-affairs/regions");
  stream.set_grant("7q4m2k");
  *stream.mutable_started() = At("2026-11-23T14:00:00+08:00");
  stream.set_stream(true);
  stream.set_rows(620573);
  stream.set_payload_bytes(48123456);
  *stream.mutable_waits_since() = At("2026-11-23T14:01:55+08:00");
  return stream;
}

TEST(OpsTest, StreamsAreListedWithWhoWaits) {
  Tool tool;
  v1::ListExchangesResponse answer;
  *answer.add_exchanges() = Stream();
  tool.gateway.Answer(kListExchanges, answer);
  const Ran ran = tool.Run({"ops", "streams"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("│ since +08:00   │"));
  EXPECT_THAT(ran.out, HasSubstr(" 7CQ2K9ZP4M1XH8RT │ statistics/census │ civil-affairs/regions │ "
                                 "7q4m2k │ 11-23 14:00:00 │ 620,573 │ 48,123,456 │    12 s\n"));
  EXPECT_THAT(ran.out, Not(HasSubstr("Exchange.Read")));
  EXPECT_THAT(tool.Run({"ops", "streams", "--all"}).out, HasSubstr("│ Exchange.Read │"));
  const auto asked = tool.gateway.Asked(kListExchanges);
  EXPECT_TRUE(asked[0].streams_only());
  EXPECT_FALSE(asked[1].streams_only());
}

TEST(OpsTest, CancellingAndDrainingNeedAReason) {
  Tool tool;
  v1::CancelExchangeResponse cancelled;
  *cancelled.mutable_exchange() = Stream();
  tool.gateway.Answer(kCancelExchange, cancelled);
  v1::DrainResponse drained;
  drained.set_running(3);
  drained.set_limit_seconds(30);
  tool.gateway.Answer(kDrain, drained);
  EXPECT_EQ(tool.Run({"ops", "cancel", "7CQ2K9ZP4M1XH8RT"}).code, 2);
  EXPECT_EQ(tool.Run({"ops", "drain"}).code, 2);
  EXPECT_THAT(tool.Run({"ops", "cancel", "7CQ2K9ZP4M1XH8RT", "--reason", "stuck"}).out,
              HasSubstr("let go   620,573 rows, 48,123,456 bytes\n"));
  EXPECT_THAT(tool.Run({"ops", "drain", "--reason", "new version"}).out,
              HasSubstr("3 running, ended within 30 s\n"));
  EXPECT_EQ(tool.gateway.Asked(kCancelExchange)[0].reason(), "stuck");
  EXPECT_EQ(tool.gateway.Asked(kDrain)[0].reason(), "new version");
}

TEST(OpsTest, ABackupSaysWhatIsNotInIt) {
  Tool tool;
  v1::BackupResponse answer;
  answer.set_folder("/srv/sluice/backups/2026-11-23T060207Z");
  answer.set_log_records(18363);
  v1::BackedUpFile& file = *answer.add_files();
  file.set_name("control.db");
  file.set_bytes(1048576);
  file.set_sha256("\xab\xcd");
  tool.gateway.Answer(kBackup, answer);
  const Ran ran = tool.Run({"ops", "backup"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("/srv/sluice/backups/2026-11-23T060207Z"));
  EXPECT_THAT(ran.out, HasSubstr("18,363 records"));
  EXPECT_THAT(ran.out, HasSubstr("not in it  the log and the keys: back them up by themselves\n"));
  EXPECT_THAT(ran.out, HasSubstr(" control.db │ 1,048,576 │ abcd\n"));
}

TEST(OpsTest, StatusAndReloadGoByEitherName) {
  Tool tool;
  v1::GetStatusResponse status;
  status.set_gateway("gw1");
  status.set_ready(true);
  tool.gateway.Answer(kGetStatus, status);
  v1::ReloadResponse reloaded;
  reloaded.add_changes("limits.calls: 10 -> 20");
  tool.gateway.Answer(kReload, reloaded);
  EXPECT_EQ(tool.Run({"ops", "status"}).out, tool.Run({"status"}).out);
  EXPECT_EQ(tool.Run({"ops", "reload"}).out, tool.Run({"reload"}).out);
  EXPECT_EQ(tool.Run({"ops", "reload"}).out, "changed  limits.calls: 10 -> 20\n");
  status.set_ready(false);
  tool.gateway.Answer(kGetStatus, status);
  EXPECT_EQ(tool.Run({"ops", "status"}).code, 1);
}

TEST(OpsTest, AlarmsAndWitnessesAreShownWithWhatToDo) {
  Tool tool;
  v1::GetStatusResponse status;
  status.set_gateway("gateway/gw1");
  status.set_ready(true);
  tool.gateway.Answer(kGetStatus, status);
  EXPECT_EQ(tool.Run({"ops", "alarms"}).out, "no alarm\n");

  v1::Alarm& alarm = *status.add_alarms();
  alarm.set_alarm("cosignatures_old");
  *alarm.mutable_since() = At("2026-11-23T14:01:00+08:00");
  alarm.set_detail("enough witnesses cosigned a head 95 s ago at last");
  alarm.set_effect("nothing is released");
  alarm.set_next("sluice ops status");
  v1::WitnessStatus& silent = *status.add_witnesses();
  silent.set_witness("archive");
  silent.set_records(1200);
  silent.set_failure("no answer");
  status.add_witnesses()->set_witness("audit");
  tool.gateway.Answer(kGetStatus, status);
  const Ran alarms = tool.Run({"ops", "alarms"});
  EXPECT_EQ(alarms.code, 1);
  EXPECT_THAT(alarms.out, HasSubstr("cosignatures_old"));
  EXPECT_THAT(alarms.out, HasSubstr("95 s ago"));
  EXPECT_THAT(alarms.err, HasSubstr("error: ALARMS: gateway/gw1 raises 1 alarm."));
  const Ran shown = tool.Run({"ops", "status"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("never by enough witnesses"));
  EXPECT_THAT(shown.out, HasSubstr("archive, cosigned 1,200 records; now: no answer"));
  EXPECT_THAT(shown.out, HasSubstr("audit, cosigned nothing so far"));
  EXPECT_THAT(shown.out, HasSubstr("cosignatures_old since"));
}

}  // namespace
}  // namespace sluice::cli
