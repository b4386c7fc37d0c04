// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/helper/helper_protocol.h"

#include <algorithm>
#include <charconv>

namespace ontapnvme::nvme {
namespace {

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

// Takes what stands before the next `separator`, or all of it.
std::string_view Take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

bool IsLastLine(std::string_view line) {
  return line == "ok" || line.starts_with("ok ") || line.starts_with("error ");
}

void DecodeNamespace(std::string_view line, HelperReply& reply) {
  const std::string_view name = Take(line, ' ');
  const auto uuid = Uuid::Parse(Take(line, ' '));
  if (uuid) reply.namespaces.push_back({std::string(name), *uuid, std::string(line)});
}

bool DecodeLastLine(std::string_view line, HelperReply& reply) {
  if (Take(line, ' ') == "error") {
    const std::string_view number = Take(line, ' ');
    const auto [stop, failure] =
        std::from_chars(number.data(), number.data() + number.size(), reply.error);
    if (failure != std::errc() || reply.error <= 0) return false;
  }
  reply.text = CleanText(line);
  return true;
}

}  // namespace

Result<Secret> EncodeRequest(const std::vector<RequestField>& fields) {
  std::string text;
  text.reserve(kRequestBytesMax);  // growing would leave copies of secrets behind
  for (const auto& [key, value] : fields) {
    if (value.empty()) continue;
    if (HasControlCharacter(value) ||
        text.size() + key.size() + value.size() + 2 > kRequestBytesMax) {
      WipeText(text);
      return Error(ErrorCode::kInvalidArgument, "cannot send the NVMe helper its request")
          .Because("'" + std::string(key) + "' is too long or has a control character");
    }
    text.append(key).append("=").append(value).append("\n");
  }
  Secret request(text);
  WipeText(text);
  return request;
}

std::map<std::string, Secret, std::less<>> DecodeRequest(std::string_view text) {
  std::map<std::string, Secret, std::less<>> fields;
  while (!text.empty()) {
    std::string_view value = Take(text, '\n');
    const std::string_view key = Take(value, '=');
    if (!key.empty() && !value.empty()) fields.insert_or_assign(std::string(key), Secret(value));
  }
  return fields;
}

bool IsCompleteReply(std::string_view text) {
  if (text.empty() || text.back() != '\n') return false;
  text.remove_suffix(1);
  return IsLastLine(text.substr(text.rfind('\n') + 1));  // npos + 1 is 0: the only line
}

std::optional<HelperReply> DecodeReply(std::string_view text) {
  if (!IsCompleteReply(text)) return std::nullopt;
  HelperReply reply;
  while (!text.empty()) {
    std::string_view line = Take(text, '\n');
    if (IsLastLine(line)) {
      if (!DecodeLastLine(line, reply)) return std::nullopt;
      return reply;
    }
    if (Take(line, ' ') == "ns") DecodeNamespace(line, reply);
  }
  return std::nullopt;
}

}  // namespace ontapnvme::nvme
