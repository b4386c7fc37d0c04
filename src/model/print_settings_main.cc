// SPDX-License-Identifier: AGPL-3.0-or-later
// print-settings perl | markdown | man | javascript: the table of settings as a Perl module, as rows of the
// table in docs/settings.md, in the man page on standard input, in place of its lines "=for settings TOPIC",
// or in the panel of the web interface on standard input, in place of its line "// settings".
// Used while building; not installed.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "model/secrets.h"
#include "model/settings_table.h"

namespace ontapnvme {
namespace {

using enum SettingKind;

std::string FileSuffix(const Setting& setting) {
  const auto field =
      std::find_if(kSecretFields.begin(), kSecretFields.end(),
                   [&](const SecretField& other) { return other.setting == setting.name; });
  return field == kSecretFields.end() ? "" : std::string(field->file_suffix);
}

std::string Capitalized(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

// The same in Perl and in JavaScript.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// ---- the Perl module

// As Proxmox's schema has it. Of a text it holds no more than that it is short: the library says what
// is wrong with one and what is allowed, and a section that the schema refuses is not even read.
std::string TypeOf(const Setting& setting) {
  switch (setting.kind) {
    case kFlag:
      return "type => 'boolean'";
    case kNumber:
      return "type => 'integer', minimum => " + std::to_string(setting.least) + ", maximum => " +
             std::to_string(setting.most);
    case kWord: {
      std::string words;
      for (const auto word : setting.words) words += (words.empty() ? "" : ", ") + Quoted(word);
      return "type => 'string', enum => [" + words + "]";
    }
    case kSecret:
      return "type => 'string', maxLength => 256";
    default:
      return "type => 'string', maxLength => 255";
  }
}

void PrintPerlRow(const Setting& setting) {
  std::cout << "    {\n        name => " << Quoted(setting.name) << ",\n        property => {\n"
            << "            " << TypeOf(setting) << ",\n            description => "
            << Quoted(Capitalized(std::string(setting.summary)) + ".") << ",\n";
  if (!setting.default_value.empty()) {
    const bool is_number = setting.kind == kFlag || setting.kind == kNumber;
    std::cout << "            default => "
              << (is_number ? std::string(setting.default_value) : Quoted(setting.default_value))
              << ",\n";
  }
  std::cout << "        },\n";
  const bool is_fixed = setting.change == SettingChange::kFixed;
  const bool is_applied = setting.change == SettingChange::kReachesDisks;
  const bool is_verified = setting.change != SettingChange::kLocal;
  // A secret is not in the section, so a section without one is whole.
  const bool is_in_section = setting.is_required && setting.kind != kSecret;
  if (is_fixed) std::cout << "        is_fixed => 1,\n";
  if (is_in_section) std::cout << "        is_required => 1,\n";
  if (is_verified) std::cout << "        is_verified => 1,\n";
  if (is_applied) std::cout << "        is_applied => 1,\n";
  if (setting.kind == kSecret) {
    std::cout << "        secret_suffix => " << Quoted(FileSuffix(setting)) << ",\n";
  }
  std::cout << "    },\n";
}

void PrintPerl() {
  std::cout << R"(# SPDX-License-Identifier: AGPL-3.0-or-later
# Made from src/model/settings_table.cc while building; a change belongs there.
package PVE::Storage::OntapNvmeTcp::SettingsTable;

use v5.36;

my @rows = (
)";
  for (const Setting& setting : SettingsTable()) PrintPerlRow(setting);
  std::cout << R"();

# One hash for each setting: name, property (what Proxmox VE's schema says of it), whether a section
# needs it (is_required), whether it is fixed once the storage is there (is_fixed), whether the array is
# asked about a change (is_verified), whether disks that are there get it (is_applied), and of a secret
# how the name of its file ends (secret_suffix).
sub rows {
    return @rows;
}

1;
)";
}

// ---- docs/settings.md

void PrintRow(const Setting& setting) {
  const bool is_fixed = setting.change == SettingChange::kFixed;
  std::string when_unset = std::string(setting.default_value) + std::string(setting.when_unset);
  if (setting.is_required) when_unset = is_fixed ? "required, fixed" : "required";
  std::cout << "| `" << setting.name << "` | " << when_unset << " | " << setting.summary << " |\n";
}

void PrintRows() {
  for (const bool is_required : {true, false}) {
    for (const Setting& setting : SettingsTable()) {
      if (setting.is_required == is_required) PrintRow(setting);
    }
  }
}

// ---- the man page

std::string Placeholder(const Setting& setting) {
  if (setting.kind == kFlag) return "I<flag>";
  if (setting.kind != kWord) return "I<" + std::string(setting.placeholder) + ">";
  std::string words;
  for (const auto word : setting.words) {
    words += (words.empty() ? "B<" : "|B<") + std::string(word) + ">";
  }
  return words;
}

// What follows from the row: what it may be, where it is kept, what holds without it.
std::string Consequences(const Setting& setting) {
  std::string text;
  if (setting.kind == kSecret) {
    text = "Stored in F</etc/pve/priv/storage/ID." + FileSuffix(setting) +
           ">, never in F<storage.cfg>.\n";
  } else if (setting.kind != kFlag && setting.kind != kWord) {
    text = "Use " + AllowedValues(setting) + ".\n";
  }
  if (!setting.default_value.empty()) {
    text += "Default: B<" + std::string(setting.default_value) + ">.\n";
  } else if (!setting.when_unset.empty()) {
    text += "Default: " + std::string(setting.when_unset) + ".\n";
  }
  return text;
}

void PrintManItem(const Setting& setting) {
  std::cout << "=item B<" << setting.name << "> " << Placeholder(setting) << "\n\n";
  if (setting.change == SettingChange::kFixed) std::cout << "I<Fixed.> ";
  if (setting.kind == kSecret) std::cout << "I<Sensitive.> ";
  std::cout << setting.manual << "\n" << Consequences(setting) << "\n";
}

// Standard input to standard output. False when a topic is asked for that does not exist, or a
// setting appears not exactly once.
bool PrintMan() {
  const std::map<std::string, std::function<bool(const Setting&)>> topics = {
      {"required", [](const Setting& setting) { return setting.is_required; }},
      {"array", [](const Setting& setting) { return setting.topic == SettingTopic::kArray; }},
      {"fabric", [](const Setting& setting) { return setting.topic == SettingTopic::kFabric; }},
      {"disks", [](const Setting& setting) { return setting.topic == SettingTopic::kDisks; }},
      {"diagnosis",
       [](const Setting& setting) { return setting.topic == SettingTopic::kDiagnosis; }},
  };
  const std::string marker = "=for settings ";
  std::map<std::string_view, int> printed;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (!line.starts_with(marker)) {
      std::cout << line << "\n";
      continue;
    }
    const std::string topic = line.substr(marker.size());
    const auto belongs = topics.find(topic);
    if (belongs == topics.end()) {
      std::cerr << "print-settings: there is no topic '" << topic << "'\n";
      return false;
    }
    std::cout << "=over 4\n\n";
    for (const Setting& setting : SettingsTable()) {
      if (!belongs->second(setting) || (setting.is_required && topic != "required")) continue;
      PrintManItem(setting);
      ++printed[setting.name];
    }
    std::cout << "=back\n";
  }
  const auto table = SettingsTable();
  return std::all_of(table.begin(), table.end(), [&](const Setting& setting) {
    if (printed[setting.name] == 1) return true;
    std::cerr << "print-settings: '" << setting.name << "' is in the page " << printed[setting.name]
              << " times, not once\n";
    return false;
  });
}

// ---- the panel of the web interface

// A name in words, with those that people write in their own way: the label of a field.
std::string LabelOf(const Setting& setting) {
  static const std::map<std::string_view, std::string_view> spellings = {
      {"capacity", "capacity (GiB)"},
      {"ctrl", "controller"},
      {"dhchap", "DH-HMAC-CHAP"},
      {"ip", "address"},
      {"mgmt", "management"},
      {"nvme", "NVMe"},
      {"ontap", "ONTAP"},
      {"portal2", "portal 2"},
      {"psk", "key"},
      {"qos", "QoS"},
      {"ssl", "certificate"},
      {"svm", "SVM"},
      {"tls", "TLS"},
      {"vserver", "SVM"}};
  std::string label;
  std::string_view rest = setting.name;
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find('_'));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    const auto spelling = spellings.find(word);
    label += label.empty() ? "" : " ";
    label += spelling == spellings.end() ? word : spelling->second;
  }
  return Capitalized(label);
}

std::string_view TopicOf(const Setting& setting) {
  switch (setting.topic) {
    case SettingTopic::kArray:
      return "array";
    case SettingTopic::kFabric:
      return "fabric";
    case SettingTopic::kDisks:
      return "disks";
    case SettingTopic::kDiagnosis:
      return "diagnosis";
  }
  return "";
}

// As Proxmox's schema has it, which is what the fields hold a value to; see TypeOf.
std::string KindInJavaScript(const Setting& setting) {
  switch (setting.kind) {
    case kFlag:
      return "kind: 'flag'";
    case kNumber:
      return "kind: 'number', least: " + std::to_string(setting.least) +
             ", most: " + std::to_string(setting.most);
    case kWord: {
      std::string words;
      for (const auto word : setting.words) words += (words.empty() ? "" : ", ") + Quoted(word);
      return "kind: 'word', words: [" + words + "]";
    }
    case kSecret:
      return "kind: 'secret', most: 256";
    default:
      return "kind: 'text', most: 255";
  }
}

// Standard input to standard output. False when there is not exactly one place for the table.
bool PrintJavaScript() {
  int places = 0;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto indent = line.find("// settings");
    if (indent == std::string::npos || line != std::string(indent, ' ') + "// settings") {
      std::cout << line << "\n";
      continue;
    }
    ++places;
    for (const Setting& setting : SettingsTable()) {
      std::cout << std::string(indent, ' ') << "{ name: " << Quoted(setting.name)
                << ", label: " << Quoted(LabelOf(setting)) << ", topic: '" << TopicOf(setting)
                << "', " << KindInJavaScript(setting);
      if (setting.is_required) std::cout << ", isRequired: true";
      if (setting.change == SettingChange::kFixed) std::cout << ", isFixed: true";
      if (!setting.default_value.empty()) {
        std::cout << ", byDefault: " << Quoted(setting.default_value);
      } else if (!setting.when_unset.empty()) {
        std::cout << ", whenUnset: " << Quoted(setting.when_unset);
      }
      std::cout << ",\n"
                << std::string(indent, ' ')
                << "  summary: " << Quoted(Capitalized(std::string(setting.summary))) << " },\n";
    }
  }
  if (places != 1) {
    std::cerr << "print-settings: the panel has " << places << " lines '// settings', not one\n";
  }
  return places == 1;
}

}  // namespace
}  // namespace ontapnvme

int main(int count, char** arguments) {
  using namespace ontapnvme;
  const std::string form = count == 2 ? arguments[1] : "";
  bool is_done = true;
  if (form == "perl") {
    PrintPerl();
  } else if (form == "markdown") {
    PrintRows();
  } else if (form == "man") {
    is_done = PrintMan();
  } else if (form == "javascript") {
    is_done = PrintJavaScript();
  } else {
    std::cerr << "usage: print-settings perl | markdown | man <PAGE.pod | javascript <PANEL.js\n";
    return 2;
  }
  std::cout.flush();
  return is_done && std::cout.good() ? 0 : 1;
}
