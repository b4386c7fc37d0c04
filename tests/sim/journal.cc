// SPDX-License-Identifier: AGPL-3.0-or-later
#include "journal.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr const char* kRedacted = "<redacted>";

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char character) { return std::tolower(character); });
  return text;
}

bool IsSecretName(const std::string& name) {
  static constexpr std::array<const char*, 6> kMarks = {"password", "passphrase", "secret",
                                                        "psk",      "token",      "private_key"};
  const std::string lower = Lower(name);
  // A paging token is not a secret, and hiding it would make the log useless for paging.
  if (lower == "start.token") return false;
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](const char* mark) { return lower.find(mark) != std::string::npos; });
}

std::string RedactTarget(const std::string& target) {
  const auto question = std::min(target.find('?'), target.size());
  std::string clean = target.substr(0, question);
  std::size_t from = question;
  while (from < target.size()) {
    const auto end = std::min(target.find('&', from + 1), target.size());
    const std::string pair = target.substr(from, end - from);  // with its ? or &
    const auto equals = pair.find('=');
    const bool is_secret = equals != std::string::npos && IsSecretName(pair.substr(1, equals - 1));
    clean += is_secret ? pair.substr(0, equals + 1) + kRedacted : pair;
    from = end;
  }
  return clean;
}

json RedactBody(const std::string& body) {
  if (body.empty()) return nullptr;
  const json parsed = json::parse(body, nullptr, false);
  // What cannot be read cannot be cleaned either.
  if (parsed.is_discarded()) return "<" + std::to_string(body.size()) + " bytes, not JSON>";
  return Redact(parsed);
}

const char* DeliveryName(Delivery delivery) {
  switch (delivery) {
    case Delivery::kComplete:
      return "complete";
    case Delivery::kDropBefore:
      return "drop_before";
    case Delivery::kDropAfter:
      return "drop_after";
    case Delivery::kTruncated:
      return "truncated";
    case Delivery::kNeverAnswered:
      return "never_answered";
  }
  return "";
}

}  // namespace

json Redact(const json& value) {
  if (value.is_array()) {
    json list = json::array();
    for (const json& element : value) list.push_back(Redact(element));
    return list;
  }
  if (!value.is_object()) return value;
  json object = json::object();
  for (const auto& [key, member] : value.items()) {
    object[key] = IsSecretName(key) ? json(kRedacted) : Redact(member);
  }
  return object;
}

json Traffic::ToJson() const {
  return {{"tcp_sessions", tcp_sessions},
          {"tls_sessions", tls_sessions},
          {"tls_resumed", tls_resumed},
          {"bytes_received", bytes_received},
          {"bytes_sent", bytes_sent}};
}

void Journal::Record(const Request& request, const Outcome& outcome,
                     std::chrono::milliseconds took) {
  static constexpr std::array<const char*, 6> kShown = {"X-Dot-Client-App", "X-Dot-SVM-Name",
                                                        "X-Dot-SVM-UUID",   "User-Agent",
                                                        "Accept",           "Content-Type"};
  json headers = json::object();
  for (const char* name : kShown) {
    const std::string value = HeaderValue(request.headers, name);
    if (!value.empty()) headers[name] = value;
  }
  headers["has_authorization"] = !HeaderValue(request.headers, "Authorization").empty();
  entries_.push_back({{"seq", next_sequence_++},
                      {"connection", request.connection_id},
                      {"method", request.method},
                      {"target", RedactTarget(request.target)},
                      {"headers", std::move(headers)},
                      {"body", RedactBody(request.body)},
                      {"status", outcome.status},
                      {"delivery", DeliveryName(outcome.delivery)},
                      {"ms", (took + outcome.delay).count()}});
}

}  // namespace ontapnvme::sim
