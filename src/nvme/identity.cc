// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/identity.h"

#include <algorithm>
#include <string>

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

// The one line of a file, without the white space that editors leave around it.
Result<std::string> ReadLine(const RootedFiles& etc, const std::string& path,
                             const std::string& command) {
  const auto fail = [&](std::string reason) {
    return Error(ErrorCode::kUnsupported, "this node has no usable '" + etc.Full(path) + "'")
        .Because(std::move(reason))
        .Try("create it with '" + command + "', then register the node's host NQN with the array");
  };
  const auto text = etc.Text(path, kIdentityFileBytesMax);
  if (!text) return fail(text.error().reason());
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text->find_first_not_of(kBlanks);
  if (begin == std::string::npos) return fail("it is empty");
  const std::size_t end = text->find_last_not_of(kBlanks) + 1;
  return text->substr(begin, end - begin);
}

Error Malformed(const RootedFiles& etc, const std::string& path, const std::string& found,
                const std::string& wanted, const std::string& command) {
  return Error(ErrorCode::kUnsupported, "'" + etc.Full(path) + "' is malformed")
      .Because("it must hold " + wanted)
      .With("found", CleanText(found, 60))
      .Try("create it anew with '" + command + "'");
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
  const std::string make_nqn = "nvme gen-hostnqn > /etc/nvme/hostnqn";
  const std::string make_id = "uuidgen > /etc/nvme/hostid";
  TRY(auto nqn, ReadLine(etc, nqn_file, make_nqn));
  if (!IsValidNqn(nqn)) {
    return Malformed(etc, nqn_file, nqn, "one NQN, such as " + std::string(kUuidForm) + "…",
                     make_nqn);
  }
  TRY(auto id, ReadLine(etc, id_file, make_id));
  const auto uuid = Uuid::Parse(id);
  // Host ID 0 is reserved by the specification.
  if (!uuid || uuid->IsNil()) return Malformed(etc, id_file, id, "one UUID", make_id);
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
