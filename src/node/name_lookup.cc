// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/name_lookup.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <memory>

#include "base/child_process.h"
#include "base/files.h"
#include "base/wall_time.h"

namespace ontapnvme::node {
namespace {

using Addresses = std::vector<std::string>;

constexpr std::size_t kFileMax = std::size_t{16} * 1024;
// More than any resolver prints for one name.
constexpr std::size_t kOutputMax = std::size_t{64} * 1024;
// The second name server of /etc/resolv.conf is asked after 5 s (resolv.conf(5), `timeout`).
constexpr Duration kPatience{10'000};
// When there is something to go on with.
constexpr Duration kPatienceWithMemory{2'000};
// A portal that moved is noticed at the latest when its name server is back; until then paths to its
// old address fail, which hurts less than none.
constexpr std::chrono::hours kServesFor{24 * 7};

struct Remembered {
  std::int64_t at_s = 0;  // since the epoch
  Addresses addresses;
};

// The address in `text` as the kernel shows it; nothing when it is none. Asks nobody.
std::optional<std::string> Canonical(const std::string& text) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* list = nullptr;
  if (::getaddrinfo(text.c_str(), nullptr, &hints, &list) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, ::freeaddrinfo);
  std::array<char, NI_MAXHOST> shown{};
  if (::getnameinfo(list->ai_addr, list->ai_addrlen, shown.data(), shown.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
    return std::nullopt;
  }
  return std::string(shown.data());
}

void AddNew(Addresses& all, const Addresses& more) {
  for (const auto& address : more) {
    if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  }
}

// The first word of each line, where it is an address.
Addresses ParseOutput(const std::string& output) {
  Addresses addresses;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    const std::string line = output.substr(at, end - at);
    if (const auto address = Canonical(line.substr(0, line.find_first_of(" \t")))) {
      AddNew(addresses, {*address});
    }
    at = end + 1;
  }
  return addresses;
}

// "<seconds> <address> <address> …"
std::optional<Remembered> ParseRemembered(const std::string& text) {
  Remembered remembered;
  const auto [end, failed] =
      std::from_chars(text.data(), text.data() + text.size(), remembered.at_s);
  if (failed != std::errc()) return std::nullopt;
  std::string lines(end, text.data() + text.size());
  std::replace(lines.begin(), lines.end(), ' ', '\n');
  remembered.addresses = ParseOutput(lines);
  if (remembered.addresses.empty()) return std::nullopt;
  return remembered;
}

std::map<std::string, Remembered> Load(const std::string& path) {
  std::map<std::string, Remembered> memory;
  const auto text = ReadSmallFile(path, kFileMax);
  if (!text) return memory;
  for (const auto& [name, value] : ParseLines(*text)) {
    if (auto remembered = ParseRemembered(value)) memory[name] = std::move(*remembered);
  }
  return memory;
}

// Best effort: without it there is nothing to go on with when the resolver does not answer.
void Store(const std::string& directory, const std::string& path,
           const std::map<std::string, Remembered>& memory) {
  std::string text;
  for (const auto& [name, remembered] : memory) {
    text +=
        name + "=" + std::to_string(remembered.at_s) + " " + Join(remembered.addresses, " ") + "\n";
  }
  ::mkdir(directory.c_str(), 0700);
  (void)ReplaceSmallFile(path, text);
}

bool Serves(const Remembered& remembered, Clock& clock) {
  const std::int64_t age_s = WallSeconds(clock) - remembered.at_s;
  return age_s >= 0 && age_s < std::chrono::seconds(kServesFor).count();
}

Error Unresolved(const std::string& name, const ChildOutcome& outcome) {
  std::string reason = "the name servers of this node do not know it, or do not answer";
  if (outcome.end == ChildOutcome::End::kTimedOut) {
    reason = "the name servers of this node do not answer in time";
  }
  if (outcome.end == ChildOutcome::End::kFailed) reason = outcome.reason;
  return Error(ErrorCode::kUnavailable, "cannot resolve portal '" + name + "'")
      .Because(std::move(reason))
      .From({.refusal = Refusal::kUnresolved})
      .Try("check this node's DNS, or set the portal as an address");
}

std::string AgeText(const Remembered& remembered, Clock& clock) {
  return std::to_string((WallSeconds(clock) - remembered.at_s) / 60) + " min";
}

}  // namespace

Result<NameAnswer> NameLookup::Resolve(const std::vector<std::string>& names,
                                       const Deadline& deadline) const {
  Clock& clock = deadline.clock();
  auto memory = Load(path_);
  std::vector<ChildTask> tasks;
  Duration patience = kPatienceWithMemory;
  for (const auto& name : names) {
    if (Canonical(name)) continue;
    tasks.push_back({.program = program_, .arguments = {"ahosts", "--", name}});
    const auto remembered = memory.find(name);
    if (remembered == memory.end() || !Serves(remembered->second, clock)) patience = kPatience;
  }
  const auto is_too_much = [](const std::string& output) { return output.size() > kOutputMax; };
  const auto outcomes = ChildProcesses().Run(tasks, is_too_much, deadline.Within(patience));

  NameAnswer answer;
  bool is_news = false;
  auto outcome = outcomes.begin();
  for (const auto& name : names) {
    if (const auto address = Canonical(name)) {
      AddNew(answer.addresses, {*address});
      continue;
    }
    const auto& said = *outcome++;
    if (said.end == ChildOutcome::End::kInterrupted) {
      return Error(ErrorCode::kInterrupted,
                   "stopped by a signal while resolving portal '" + name + "'");
    }
    const auto addresses =
        said.end == ChildOutcome::End::kDone ? ParseOutput(said.output) : Addresses();
    if (!addresses.empty()) {
      memory[name] = {.at_s = WallSeconds(clock), .addresses = addresses};
      is_news = true;
    } else {
      Error trouble = Unresolved(name, said);
      const auto remembered = memory.find(name);
      if (remembered == memory.end() || !Serves(remembered->second, clock)) return trouble;
      trouble.AddFact("answer_age", AgeText(remembered->second, clock));
      answer.trouble = std::move(trouble);
    }
    AddNew(answer.addresses, memory[name].addresses);
  }
  if (is_news) Store(directory_, path_, memory);
  return answer;
}

void NameLookup::Forget() const {
  ::unlink(path_.c_str());
}

}  // namespace ontapnvme::node
