// SPDX-License-Identifier: AGPL-3.0-or-later
// One setting of a storage: what it is called, what it may be, and what is said about it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "model/storage_settings.h"

namespace ontapnvme {

enum class SettingKind {
  kHostPort,  // address or host name, with or without a port
  kHost,      // likewise without a port
  kAccount,
  kName,    // of an object of the array
  kPrefix,  // the beginning of a FlexVol's name
  kFlag,
  kNumber,
  kWord,    // one of a few
  kSecret,  // never in storage.cfg; see secrets.h
};

// The part of the man page in which a setting stands.
enum class SettingTopic { kArray, kFabric, kDisks, kDiagnosis };

// What a change of the setting in an existing storage entails.
enum class SettingChange {
  kFixed,         // refused: it says where the disks are
  kLocal,         // nothing that the array would have to know
  kVerified,      // the array is asked whether it can be
  kReachesDisks,  // likewise, and disks that exist are changed as well
};

// Where the value goes: a field of the matching type, or a function that stores it.
using SettingTarget =
    std::variant<std::monostate, bool StorageSettings::*, unsigned StorageSettings::*,
                 std::string StorageSettings::*, void (*)(StorageSettings&, const std::string&)>;

struct Setting {
  std::string_view name;  // in storage.cfg and for pvesm
  SettingKind kind = SettingKind::kName;
  SettingTopic topic = SettingTopic::kDisks;
  bool is_required = false;
  SettingChange change = SettingChange::kVerified;
  // Of the number; of a name or prefix the largest count of characters.
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::span<const std::string_view> words = {};
  // What holds when it is not set: a value as it would be set, or else words for people.
  std::string_view default_value = {};
  std::string_view when_unset = {};
  SettingTarget target = {};
  std::string_view placeholder = {};  // what the man page calls the value
  std::string_view summary = {};      // one line of plain text: settings.md, Proxmox's own help
  std::string_view manual = {};  // POD; range, default and file of a secret follow by themselves
};

// Whether `value`, which is not empty, may be the value. Never for a secret.
bool IsAllowed(const Setting& setting, const std::string& value);

// What it may be, as in "use …" and as a sentence of its own: "a whole number from 0 to 2".
std::string AllowedValues(const Setting& setting);

// 1, yes, on and true are on. Of a value that is allowed.
bool IsOn(const std::string& value);

// Of a value that is allowed.
std::uint64_t NumberOf(const std::string& value);

}  // namespace ontapnvme
