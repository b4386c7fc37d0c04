// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/identity.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "base/text.h"
#include "base/uuid.h"

namespace ontapnvme::nvme {
namespace {

constexpr std::size_t kNqnBytesMax = 223;
constexpr std::size_t kIdentityFileBytesMax = 4096;
constexpr std::string_view kUuidForm = "nqn.2014-08.org.nvmexpress:uuid:";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// "2014-08" at the start of `text`.
bool StartsWithYearAndMonth(std::string_view text) {
  if (text.size() < 7 || text[4] != '-') return false;
  for (const std::size_t at : {0U, 1U, 2U, 3U, 5U, 6U}) {
    if (!IsDigit(text[at])) return false;
  }
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  return month >= 1 && month <= 12;
}

// The one line of a file that is neither blank nor a comment, without the white space that editors
// leave around it. More than one are given back together, for the caller to find them malformed.
std::string OnlyLine(const std::string& text) {
  constexpr std::string_view kBlanks = " \t\r";
  std::string only;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string::npos || line[begin] == '#') continue;
    AppendTo(only, "\n", line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin));
  }
  return only;
}

// Empty where the file has no such line.
Result<std::string> ReadLine(const RootedFiles& etc, const std::string& path) {
  const auto text = etc.Text(path, kIdentityFileBytesMax);
  if (FailedWith(text, ErrorCode::kNotFound)) return std::string();
  if (text) return OnlyLine(*text);
  return Error(ErrorCode::kUnsupported, "this node's '" + etc.Full(path) + "' cannot be read")
      .Because(text.error().reason());
}

// The array knows a node by its NQN: another one would cut it off from its disks.
constexpr const char* kNqnHint =
    "put back the NQN that the subsystem on the array lists for this node; only for a node that was "
    "never connected, make one with 'nvme gen-hostnqn > /etc/nvme/hostnqn'";
constexpr const char* kIdHint = "write one into it with 'uuidgen > /etc/nvme/hostid'";

Error Missing(const RootedFiles& etc, const std::string& path, const char* hint) {
  return Error(ErrorCode::kUnsupported, "this node has no '" + etc.Full(path) + "'")
      .Because("the file is missing or holds nothing")
      .Try(hint);
}

Error Malformed(const RootedFiles& etc, const std::string& path, const std::string& found,
                const std::string& wanted, const char* hint) {
  return Error(ErrorCode::kUnsupported, "'" + etc.Full(path) + "' is malformed")
      .Because("it must hold " + wanted)
      .With("found", CleanText(found, 60))
      .Try(hint);
}

}  // namespace

bool IsValidNqn(std::string_view nqn) {
  if (nqn.size() > kNqnBytesMax || !nqn.starts_with("nqn.")) return false;
  const bool has_forbidden = std::any_of(nqn.begin(), nqn.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == ',' || byte < 0x20 || byte == 0x7F;
  });
  if (has_forbidden) return false;
  if (nqn.starts_with(kUuidForm)) return Uuid::Parse(nqn.substr(kUuidForm.size())).has_value();
  nqn.remove_prefix(4);
  if (!StartsWithYearAndMonth(nqn) || nqn.size() < 9 || nqn[7] != '.') return false;
  const std::size_t colon = nqn.find(':');
  return colon != std::string_view::npos && colon > 8 && colon + 1 < nqn.size();
}

Result<HostIdentity> ReadIdentity(const RootedFiles& etc) {
  const std::string nqn_file = "nvme/hostnqn";
  const std::string id_file = "nvme/hostid";
  TRY(auto nqn, ReadLine(etc, nqn_file));
  if (nqn.empty()) return Missing(etc, nqn_file, kNqnHint);
  if (!IsValidNqn(nqn)) {
    return Malformed(etc, nqn_file, nqn, "one NQN, such as " + std::string(kUuidForm) + "…",
                     kNqnHint);
  }
  TRY(auto id, ReadLine(etc, id_file));
  // As nvme-cli does it, so that a connection made by hand has the same identity.
  if (id.empty() && nqn.starts_with(kUuidForm)) id = nqn.substr(kUuidForm.size());
  if (id.empty()) return Missing(etc, id_file, kIdHint);
  const auto uuid = Uuid::Parse(id);
  // Host ID 0 is reserved by the specification.
  if (!uuid || uuid->IsNil()) return Malformed(etc, id_file, id, "one UUID", kIdHint);
  return HostIdentity{std::move(nqn), std::move(id)};
}

Status RequireNvmeTcp(const RootedFiles& sys, const RootedFiles& modules,
                      std::string_view kernel_release) {
  if (sys.Exists("module/nvme_tcp")) return {};
  const std::string release(kernel_release);
  if (!modules.Exists(release)) return {};
  const std::string module = release + "/kernel/drivers/nvme/host/nvme-tcp.ko";
  for (const char* compression : {"", ".xz", ".zst", ".gz"}) {
    if (modules.Exists(module + compression)) return {};
  }
  return Error(ErrorCode::kUnsupported, "this kernel has no NVMe/TCP")
      .With("kernel", release)
      .With("missing", modules.Full(module))
      .Try("run a Proxmox VE kernel, then check with 'modprobe nvme-tcp'");
}

}  // namespace ontapnvme::nvme
