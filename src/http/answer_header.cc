// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/answer_header.h"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace ontapnvme::http {
namespace {

// More than an hour is no answer to "when": the retry policy refuses much less.
constexpr std::chrono::seconds kRetryAfterMax = std::chrono::hours(1);

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Seconds or a date (RFC 9110, 10.2.3). Nothing for anything else.
std::optional<Duration> ParseRetryAfter(std::string_view text, Clock& clock) {
  unsigned long seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed.ec == std::errc::result_out_of_range) return kRetryAfterMax;
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
    return std::chrono::seconds(
        std::min(seconds, static_cast<unsigned long>(kRetryAfterMax.count())));
  }
  const std::time_t when = curl_getdate(std::string(text).c_str(), nullptr);
  if (when < 0) return std::nullopt;
  // In seconds: a date may lie beyond what system_clock can count.
  const auto wait =
      std::chrono::seconds(when - std::chrono::system_clock::to_time_t(clock.WallTime()));
  return std::clamp(wait, std::chrono::seconds(0), kRetryAfterMax);
}

}  // namespace

void ReadHeaderLine(std::string_view line, Clock& clock, Response& response) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = Trim(line.substr(0, colon));
  const std::string_view value = Trim(line.substr(colon + 1));
  if (SameName(name, "Location")) response.location = value;
  if (SameName(name, "Retry-After")) response.retry_after = ParseRetryAfter(value, clock);
}

}  // namespace ontapnvme::http
