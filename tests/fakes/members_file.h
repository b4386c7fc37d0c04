// SPDX-License-Identifier: AGPL-3.0-or-later
// Writes a file as Proxmox's cluster file system shows it of its nodes.
#pragma once

#include <fstream>
#include <map>
#include <string>

namespace ontapnvme::fakes {

inline void WriteMembers(const std::string& path, const std::string& own,
                         const std::map<std::string, bool>& is_online, bool is_quorate = true) {
  std::ofstream file(path);
  file << "{\n\"nodename\": \"" << own << "\",\n\"version\": 7,\n"
       << R"("cluster": { "name": "c", "version": 3, "nodes": )" << is_online.size()
       << R"(, "quorate": )" << is_quorate << " },\n\"nodelist\": {\n";
  int id = 0;
  for (const auto& [name, online] : is_online) {
    file << (id++ == 0 ? "" : ",\n") << "  \"" << name << "\": { \"id\": " << id
         << ", \"online\": " << online << ", \"ip\": \"192.0.2." << id << "\"}";
  }
  file << "\n  }\n}\n";
}

}  // namespace ontapnvme::fakes
