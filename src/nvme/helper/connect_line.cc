// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/helper/connect_line.h"

#include <algorithm>
#include <charconv>

namespace ontapnvme::nvme {
namespace {

constexpr std::size_t kLineBytesMax = 4096;  // the kernel copies one page at most
// A lost path is noticed within two keep-alive times and tried again every two seconds, for ever:
// the guest's I/O waits on the other path, not on an error.
constexpr std::string_view kFixedOptions = ",keep_alive_tmo=5,reconnect_delay=2,ctrl_loss_tmo=-1";
constexpr unsigned kIoQueuesMax = 16;

constexpr std::string_view kRequired[] = {"nqn", "traddr", "trsvcid", "hostnqn", "hostid"};
constexpr std::string_view kSecrets[] = {"dhchap_secret", "dhchap_ctrl_secret"};

bool IsOptionValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == ',' || byte < 0x20 || byte == 0x7F;
  });
}

// Calls `use` with every item of a comma-separated line.
template <typename Use>
void ForEachItem(std::string_view text, Use use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",\n"), text.size());
    if (end > 0) use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Error BadField(std::string_view key, const char* why) {
  return Error(ErrorCode::kInvalidArgument, "cannot connect").Because(std::string(key) + why);
}

}  // namespace

Result<Secret> BuildConnectLine(const RequestFields& request, unsigned io_queues) {
  std::string line;
  line.reserve(kLineBytesMax);  // growing would leave copies of secrets behind
  line = "transport=tcp";
  const auto append = [&](std::string_view key, std::string_view value) {
    line.append(",").append(key).append("=").append(value);
  };
  for (const auto key : kRequired) {
    const auto field = request.find(key);
    if (field == request.end()) return BadField(key, " is missing");
    if (!IsOptionValue(field->second.Reveal())) return BadField(key, " holds a comma");
    append(key, field->second.Reveal());
  }
  append("nr_io_queues", std::to_string(io_queues));
  line.append(kFixedOptions);
  if (request.contains("tls")) line.append(",tls");
  if (const auto key = request.find("tls_key"); key != request.end()) {
    append("tls_key", key->second.Reveal());
  }
  std::size_t secret_bytes = 0;
  for (const auto key : kSecrets) {
    const auto field = request.find(key);
    if (field == request.end()) continue;
    if (!IsOptionValue(field->second.Reveal())) return BadField(key, " holds a comma");
    secret_bytes += key.size() + field->second.Reveal().size() + 2;
  }
  if (line.size() + secret_bytes > kLineBytesMax) return BadField("line", " is too long");
  for (const auto key : kSecrets) {
    const auto field = request.find(key);
    if (field != request.end()) append(key, field->second.Reveal());
  }
  Secret secret_line(line);
  WipeText(line);
  return secret_line;
}

std::set<std::string, std::less<>> ParseOptionNames(std::string_view text) {
  std::set<std::string, std::less<>> names;
  ForEachItem(text, [&](std::string_view item) { names.emplace(item.substr(0, item.find('='))); });
  return names;
}

std::optional<std::string> MissingOption(const RequestFields& request,
                                         const std::set<std::string, std::less<>>& options) {
  if (options.empty()) return std::nullopt;
  for (const std::string_view key : {"dhchap_secret", "dhchap_ctrl_secret", "tls"}) {
    if (request.contains(key) && !options.contains(key)) return std::string(key);
  }
  return std::nullopt;
}

std::optional<unsigned> ParseInstance(std::string_view text) {
  std::optional<unsigned> instance;
  ForEachItem(text, [&](std::string_view item) {
    constexpr std::string_view kKey = "instance=";
    if (!item.starts_with(kKey)) return;
    item.remove_prefix(kKey.size());
    unsigned number = 0;
    const auto [stop, failure] = std::from_chars(item.data(), item.data() + item.size(), number);
    if (failure == std::errc() && stop == item.data() + item.size()) instance = number;
  });
  return instance;
}

unsigned IoQueuesFor(long cpus_online) {
  return static_cast<unsigned>(std::clamp<long>(cpus_online, 1, kIoQueuesMax));
}

}  // namespace ontapnvme::nvme
