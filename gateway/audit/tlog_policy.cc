#include "gateway/audit/tlog_policy.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::audit {
namespace {

constexpr size_t kMostPolicyBytes = 1 << 20;
constexpr std::string_view kNoQuorum = "none";
using Words = std::vector<std::string>;

// One line after the other; collects mistakes.
class PolicyReader {
 public:
  explicit PolicyReader(const std::string& file) : file_(file) {}

  void Line(std::string_view line) {
    ++line_;
    line = line.substr(0, line.find('#'));
    const Words words = absl::StrSplit(View(line), absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty()) return;
    if (words[0] == "log") return Log(words);
    if (words[0] == "witness") return Witness(words);
    if (words[0] == "group") return Group(words);
    if (words[0] == "quorum") return Quorum(words);
    Mistake("a line begins with log, witness, group or quorum");
  }
  absl::StatusOr<TlogPolicy> Result() {
    ++line_;
    if (!has_quorum_) Mistake("there is no line \"quorum NAME\"; \"quorum none\" needs nobody");
    if (policy_.logs.empty()) Mistake("there is no line \"log KEY\"");
    if (mistakes_.empty()) return std::move(policy_);
    return absl::InvalidArgumentError(absl::StrJoin(mistakes_, "\n"));
  }
  void Mistake(std::string_view what) {
    mistakes_.push_back(absl::StrCat(file_, ":", line_, ": ", View(what)));
  }

 private:
  // False where the text is no key of that type, or its public key was there before.
  bool Key(const std::string& text, KeyType type, VerifierKey& key) {
    auto parsed = ParseVerifierKey(text);
    if (!parsed.ok()) return Mistake(std::string(parsed.status().message())), false;
    if (parsed->type != type) {
      Mistake(type == KeyType::kEd25519 ? "a log's key is of type 01; this is a witness's"
                                        : "a witness's key is of type 04; this is a log's");
      return false;
    }
    const auto [found, is_new] = keys_.emplace(parsed->public_key, line_);
    if (!is_new)
      return Mistake(absl::StrCat("the public key of line ", found->second, " again")), false;
    key = *std::move(parsed);
    return true;
  }
  bool Define(const std::string& name) {
    if (name == kNoQuorum) return Mistake("nothing may be called \"none\""), false;
    const auto [found, is_new] = names_.emplace(name, line_);
    if (!is_new)
      Mistake(absl::StrCat("\"", name, "\" is defined in line ", found->second, " already"));
    return is_new;
  }
  bool IsKnown(const std::string& name) {
    if (names_.contains(name)) return true;
    Mistake(absl::StrCat("\"", name, "\" is no witness or group that is defined above"));
    return false;
  }

  void Log(const Words& words) {
    if (words.size() != 2 && words.size() != 3) return Mistake("expected: log KEY [URL]");
    TlogPolicy::Log log;
    if (!Key(words[1], KeyType::kEd25519, log.key)) return;
    if (words.size() == 3) log.url = words[2];
    policy_.logs.push_back(std::move(log));
  }
  void Witness(const Words& words) {
    if (words.size() != 3 && words.size() != 4) return Mistake("expected: witness NAME KEY [URL]");
    TlogPolicy::Witness witness;
    witness.name = words[1];
    const bool is_key = Key(words[2], KeyType::kCosignatureV1, witness.key);
    if (!Define(witness.name) || !is_key) return;
    // The name is not in what a cosigner signs, so it must say which key is meant.
    if (const auto [found, is_new] = cosigners_.emplace(witness.key.name, line_); !is_new)
      return Mistake(absl::StrCat("the key's name is that of the witness in line ", found->second));
    if (words.size() == 4) witness.url = words[3];
    policy_.witnesses.push_back(std::move(witness));
  }
  void Group(const Words& words) {
    if (words.size() < 4) return Mistake("expected: group NAME all|any|NUMBER MEMBER…");
    TlogPolicy::Group group;
    group.name = words[1];
    group.members.assign(words.begin() + 3, words.end());
    bool sound = true;
    std::set<std::string> seen;
    for (const std::string& member : group.members) {
      sound &= IsKnown(member);
      if (!seen.insert(member).second) {
        Mistake(absl::StrCat("\"", member, "\" is a member twice"));
        sound = false;
      }
    }
    const auto number = ParseDecimal(words[2]);
    group.needed = words[2] == "all"   ? group.members.size()
                   : words[2] == "any" ? 1
                                       : static_cast<size_t>(number.value_or(0));
    if (group.needed == 0 || group.needed > group.members.size()) {
      Mistake(absl::StrCat("\"", words[2], "\" is not all, any or a number from 1 to ",
                           group.members.size()));
      sound = false;
    }
    if (Define(group.name) && sound) policy_.groups.push_back(std::move(group));
  }
  void Quorum(const Words& words) {
    if (words.size() != 2) return Mistake("expected: quorum NAME, or quorum none");
    if (has_quorum_) return Mistake("there is one quorum");
    has_quorum_ = true;
    if (words[1] != kNoQuorum && IsKnown(words[1])) policy_.quorum = words[1];
  }

  const std::string& file_;
  int line_ = 0;
  bool has_quorum_ = false;
  std::map<std::string, int> keys_, names_, cosigners_;  // with their lines
  std::vector<std::string> mistakes_;
  TlogPolicy policy_;
};

}  // namespace

absl::StatusOr<TlogPolicy> ParseTlogPolicy(std::string_view text, const std::string& file) {
  if (text.size() > kMostPolicyBytes)
    return absl::InvalidArgumentError(absl::StrCat(file, ": larger than 1 MiB"));
  PolicyReader reader(file);
  for (const absl::string_view line : absl::StrSplit(View(text), '\n'))
    reader.Line({line.data(), line.size()});
  return reader.Result();
}

bool IsQuorum(const TlogPolicy& policy, const std::set<std::string>& witnesses) {
  if (policy.quorum.empty()) return true;
  // Members are defined above their group.
  std::set<std::string> holds = witnesses;
  for (const TlogPolicy::Group& group : policy.groups) {
    const auto count = std::count_if(group.members.begin(), group.members.end(),
                                     [&](const std::string& one) { return holds.contains(one); });
    if (static_cast<size_t>(count) >= group.needed) holds.insert(group.name);
  }
  return holds.contains(policy.quorum);
}

absl::StatusOr<PolicyVerdict> Judge(std::string_view note, const TlogPolicy& policy) {
  std::vector<VerifierKey> known;
  for (const TlogPolicy::Log& log : policy.logs) known.push_back(log.key);
  for (const TlogPolicy::Witness& witness : policy.witnesses) known.push_back(witness.key);
  SLUICE_ASSIGN_OR_RETURN(const VerifiedNote verified, VerifyNote(note, known));
  PolicyVerdict verdict;
  SLUICE_ASSIGN_OR_RETURN(verdict.checkpoint, ParseCheckpointBody(verified.text));
  // That of the origin signed it itself: another log of the policy does not speak for it.
  const auto log = std::find_if(policy.logs.begin(), policy.logs.end(), [&](const auto& one) {
    return one.key.name == verdict.checkpoint.origin;
  });
  if (log == policy.logs.end())
    return absl::InvalidArgumentError("the head is of a log that the policy does not name");
  SLUICE_RETURN_IF_ERROR(VerifyNote(note, {log->key}).status());

  std::map<std::string, uint64_t> newest;  // by the key's name
  for (const Cosignature& cosignature : verified.cosignatures) {
    uint64_t& seconds = newest[cosignature.name];
    seconds = std::max(seconds, cosignature.seconds);
  }
  for (const TlogPolicy::Witness& witness : policy.witnesses) {
    const auto found = newest.find(witness.key.name);
    if (found == newest.end())
      verdict.missing.push_back(witness.name);
    else
      verdict.cosignatures.push_back({witness.name, found->second});
  }
  std::vector<Cosignature> latest_first = verdict.cosignatures;
  std::sort(latest_first.begin(), latest_first.end(),
            [](const auto& one, const auto& other) { return one.seconds > other.seconds; });
  std::set<std::string> names;
  verdict.quorum = IsQuorum(policy, names);
  for (const Cosignature& cosignature : latest_first) {
    if (verdict.quorum) break;
    names.insert(cosignature.name);
    verdict.quorum = IsQuorum(policy, names);
    if (verdict.quorum) verdict.quorum_seconds = cosignature.seconds;
  }
  return verdict;
}

}  // namespace sluice::audit
