// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/setting.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "model/host_port.h"

namespace ontapnvme {

using enum SettingKind;

namespace {

bool IsAlphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool HasOnly(std::string_view value, std::string_view punctuation) {
  return std::all_of(value.begin(), value.end(), [&](char c) {
    return IsAlphanumeric(c) || punctuation.find(c) != std::string_view::npos;
  });
}

// Characters with a meaning in ONTAP's queries or in paths are no part of a name, so that none can
// become a pattern or another path.
bool IsName(std::string_view value, std::size_t characters_max) {
  return value.size() <= characters_max && HasOnly(value, "_-.");
}

// FlexVol names begin with a letter or '_' and go on with letters, digits and '_' (NetApp's REST
// reference, volumes; codes 917886 to 917888), and the prefix begins them.
bool IsPrefix(std::string_view value, std::size_t characters_max) {
  const bool starts_well = std::isdigit(static_cast<unsigned char>(value.front())) == 0;
  return value.size() <= characters_max && starts_well && HasOnly(value, "_");
}

bool IsHost(const std::string& value) {
  const auto address = HostPort::Parse(value, 0);
  return address.ok() && address->port == 0;
}

bool IsFlag(const std::string& value) {
  return IsOn(value) || value == "0" || value == "no" || value == "off" || value == "false";
}

std::optional<std::uint64_t> NumberIn(const std::string& value) {
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stopped_at, failed] = std::from_chars(value.data(), end, number);
  return failed == std::errc() && stopped_at == end ? std::optional(number) : std::nullopt;
}

}  // namespace

bool IsOn(const std::string& value) {
  return value == "1" || value == "yes" || value == "on" || value == "true";
}

std::uint64_t NumberOf(const std::string& value) {
  return NumberIn(value).value_or(0);
}

bool IsAllowed(const Setting& setting, const std::string& value) {
  switch (setting.kind) {
    case kHostPort:
      return HostPort::Parse(value, 0).ok();
    case kHost:
      return IsHost(value);
    case kAccount:
      return value.find(':') == std::string::npos;  // it ends the name in what is sent
    case kName:
      return IsName(value, setting.most);
    case kPrefix:
      return IsPrefix(value, setting.most);
    case kFlag:
      return IsFlag(value);
    case kNumber: {
      const auto number = NumberIn(value);
      return number && *number >= setting.least && *number <= setting.most;
    }
    case kWord:
      return std::find(setting.words.begin(), setting.words.end(), value) != setting.words.end();
    case kSecret:
      return false;
  }
  return false;
}

std::string AllowedValues(const Setting& setting) {
  const std::string least = std::to_string(setting.least);
  const std::string most = std::to_string(setting.most);
  switch (setting.kind) {
    case kHostPort:
      return "an IPv4 address, an IPv6 address or a host name, with ':port' behind it if needed";
    case kHost:
      return "an IPv4 or IPv6 address or a host name, without a port";
    case kAccount:
      return "the name of an account of the array, without ':'";
    case kName:
      return "letters, digits, '_', '-' and '.', at most " + most + " characters";
    case kPrefix:
      return "letters, digits and '_', no digit first, at most " + most + " characters";
    case kFlag:
      return "0 or 1";
    case kNumber:
      return "a whole number from " + least + " to " + most;
    case kWord: {
      std::string list = "one of";
      for (const auto word : setting.words) {
        list += (word == setting.words.front() ? " " : ", ") + std::string(word);
      }
      return list;
    }
    case kSecret:
      return "one line of text";
  }
  return "";
}

}  // namespace ontapnvme
