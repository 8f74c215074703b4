#include "cli/labels.h"

#include <map>

namespace sluice::cli {
namespace {

using Words = std::map<std::string_view, std::string_view>;

// Labels of a page begin with a capital.
const Words& PageWords() {
  static const auto* const words =
      new Words{{"Answers", "调用条件"}, {"Duties", "义务"},   {"Scenario", "使用场景"},
                {"Scope", "使用范围"},   {"Tells", "反馈"},    {"Approved", "如批准"},
                {"Asks", "数据集"},      {"By law", "依据"},   {"Calls", "调用"},
                {"Clocks", "时限"},      {"Fields", "字段"},   {"History", "沿革"},
                {"Quota", "配额"},       {"Rows", "行"},       {"Time", "期限"},
                {"Use", "使用"},         {"What for", "用途"}, {"Who", "使用方"},
                {"Why", "理由"}};
  return *words;
}

const Words& TableWords() {
  static const auto* const words = new Words{{"about", "说明"},
                                             {"actor", "操作方"},
                                             {"agency", "部门"},
                                             {"audit", "审计"},
                                             {"bytes", "字节"},
                                             {"call", "调用"},
                                             {"calls", "调用"},
                                             {"case", "案件"},
                                             {"certificate", "证书"},
                                             {"class", "级别"},
                                             {"code", "代码"},
                                             {"consumer", "使用方"},
                                             {"count", "数量"},
                                             {"dataset", "数据集"},
                                             {"duties", "义务"},
                                             {"effect", "影响"},
                                             {"expires", "到期"},
                                             {"field", "字段"},
                                             {"fields", "字段"},
                                             {"file", "文件"},
                                             {"folder", "文件夹"},
                                             {"gateway", "网关"},
                                             {"grant", "授权"},
                                             {"history", "沿革"},
                                             {"index", "序号"},
                                             {"kind", "类型"},
                                             {"known to", "可见部门"},
                                             {"law", "依据"},
                                             {"least mask", "最低脱敏"},
                                             {"left out", "未提供"},
                                             {"log", "日志"},
                                             {"mask", "脱敏"},
                                             {"masked", "脱敏"},
                                             {"name", "名称"},
                                             {"outcome", "结果"},
                                             {"owner", "提供方"},
                                             {"person", "人员"},
                                             {"purpose", "用途"},
                                             {"purposes", "用途"},
                                             {"quota", "配额"},
                                             {"reason", "原因"},
                                             {"request", "申请"},
                                             {"roles", "角色"},
                                             {"rows", "行"},
                                             {"sharing", "共享属性"},
                                             {"since", "始于"},
                                             {"source", "数据源"},
                                             {"state", "状态"},
                                             {"steps", "可办"},
                                             {"subject", "主体"},
                                             {"submitted", "提交时间"},
                                             {"until", "期限"},
                                             {"waits for", "等待方"},
                                             {"waits since", "等待自"},
                                             {"system", "系统"},
                                             {"then", "结果"},
                                             {"time", "时间"},
                                             {"title", "名称"},
                                             {"type", "数据类型"},
                                             {"update", "更新"},
                                             {"worth a look", "值得查看"},
                                             {"nothing", "无"},
                                             {"uses", "使用情况"},
                                             {"days", "每日"},
                                             {"denials", "拒绝"},
                                             {"streams without an end", "未完成的数据流"},
                                             {"what", "事项"},
                                             {"why", "依据"},
                                             {"day", "日期"},
                                             {"answers", "应答"},
                                             {"streams", "数据流"},
                                             {"denied", "拒绝"},
                                             {"failed", "失败"},
                                             {"let go", "已提供"},
                                             {"newest", "最近"},
                                             {"record", "记录"},
                                             {"records", "记录"},
                                             {"data", "数据"},
                                             {"held back", "暂扣"},
                                             {"version", "版本"},
                                             {"waiting", "等待"},
                                             {"who", "身份"},
                                             {"approved by", "批准人"},
                                             {"category", "分类"},
                                             {"change", "更新说明"},
                                             {"conditions", "使用条件"},
                                             {"differences", "变更"},
                                             {"entry class", "数据分级"},
                                             {"format", "数据格式"},
                                             {"impact review", "个人信息影响评估"},
                                             {"methods", "共享方式"},
                                             {"note", "说明"},
                                             {"owner's code", "提供方代码"},
                                             {"public access", "开放属性"},
                                             {"publication", "发布状态"},
                                             {"published", "发布日期"},
                                             {"related", "关联资源"},
                                             {"revision", "版次"},
                                             {"scope", "共享范围"},
                                             {"secrecy review", "保密审查"}};
  return *words;
}

}  // namespace

std::string_view ChineseLabel(std::string_view english) {
  for (const Words* words : {&PageWords(), &TableWords()})
    if (const auto word = words->find(english); word != words->end()) return word->second;
  return english;
}

}  // namespace sluice::cli
