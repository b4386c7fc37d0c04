// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/label_reader.h"

#include <linux/nvme_ioctl.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "base/errno_text.h"
#include "base/text.h"

namespace ontapnvme::nvme {
namespace {

constexpr std::uint8_t kGetLogPage = 0x02;
constexpr std::uint8_t kIdentify = 0x06;
constexpr std::uint32_t kIdentifyController = 0x01;
constexpr std::uint32_t kIdentifyDescriptors = 0x03;
constexpr std::uint32_t kOntapPage = 0xC2;
constexpr std::uint32_t kNamespaceInformation = 0x01;  // log-specific field
// An answer takes well under a millisecond. The kernel resets a path whose command ran out of time,
// so this is long enough for a busy array and short enough for a caller under a lock.
constexpr std::uint32_t kTimeoutMs = 2000;

struct Answer {
  std::unique_ptr<Page> page = std::make_unique<Page>();
  int status = 0;  // as DevicePort::Admin
};

Answer Ask(DevicePort& devices, int fd, nvme_passthru_cmd command) {
  Answer answer;
  command.addr = reinterpret_cast<std::uintptr_t>(answer.page->data());
  command.data_len = static_cast<std::uint32_t>(answer.page->size());
  command.timeout_ms = kTimeoutMs;
  answer.status = devices.Admin(fd, command);
  return answer;
}

Answer AskIdentify(DevicePort& devices, int fd, std::uint32_t what, std::uint32_t nsid) {
  nvme_passthru_cmd command{};
  command.opcode = kIdentify;
  command.nsid = nsid;
  command.cdw10 = what;
  return Ask(devices, fd, command);
}

Answer AskOntapPage(DevicePort& devices, int fd, std::uint32_t nsid) {
  constexpr std::uint32_t kDwordsZeroBased = kPageBytes / 4 - 1;
  nvme_passthru_cmd command{};
  command.opcode = kGetLogPage;
  command.nsid = nsid;
  command.cdw10 = (kDwordsZeroBased << 16U) | (kNamespaceInformation << 8U) | kOntapPage;
  return Ask(devices, fd, command);
}

// "Not known here" in the words of the specification: a target that is no ONTAP, and will not
// become one. Any other failure (a path that just went, an ANA change) may answer next time.
bool MeansNoSuchPage(int status) {
  constexpr int kTypeAndCode = 0x7FF;  // without the retry and more bits
  constexpr int kInvalidOpcode = 0x001;
  constexpr int kInvalidField = 0x002;
  constexpr int kInvalidLogPage = 0x109;
  if (status <= 0) return false;
  const int code = status & kTypeAndCode;
  return code == kInvalidOpcode || code == kInvalidField || code == kInvalidLogPage;
}

std::string StatusText(int status) {
  if (status < 0) return ErrnoText(-status);
  return "NVMe status 0x" + Hex(static_cast<unsigned>(status), 3);
}

LabelAnswer NoAnswer(std::string why) {
  LabelAnswer answer;
  answer.why_none = std::move(why);
  return answer;
}

LabelAnswer NoAnswer(const char* what, int status) {
  LabelAnswer answer = NoAnswer(std::string(what) + ": " + StatusText(status));
  answer.timed_out = status == -ETIMEDOUT || status == -EINTR;
  return answer;
}

}  // namespace

LabelAnswer LabelReader::ReadLabels(int fd, const LabelQuestion& question) {
  if (subsystems_without_labels_.contains(question.subsystem_nqn)) {
    return NoAnswer("this subsystem has no ONTAP log page");
  }
  const Answer page = AskOntapPage(*devices_, fd, question.nsid);
  if (page.status != 0) {
    if (MeansNoSuchPage(page.status)) subsystems_without_labels_.insert(question.subsystem_nqn);
    return NoAnswer("log page C2h", page.status);
  }
  LabelAnswer answer;
  answer.labels = ParseOntapLabels(*page.page);
  if (!answer.labels) answer.why_none = "log page C2h holds no complete names";
  return answer;
}

LabelAnswer LabelReader::Labels(const LabelQuestion& question) {
  if (subsystems_without_labels_.contains(question.subsystem_nqn)) return ReadLabels(-1, question);
  const auto fd = devices_->Open(question.device_path);
  if (!fd) return NoAnswer(fd.error().Plain());
  return ReadLabels(fd->get(), question);
}

LabelAnswer LabelReader::Identify(const LabelQuestion& question) {
  const auto fd = devices_->Open(question.device_path);
  if (!fd) return NoAnswer(fd.error().Plain());
  const Answer controller = AskIdentify(*devices_, fd->get(), kIdentifyController, 0);
  if (controller.status != 0) return NoAnswer("identify controller", controller.status);
  const std::string model = ParseModel(*controller.page);
  if (!IsOntapModel(model)) return NoAnswer("model is '" + model + "'");
  const Answer list = AskIdentify(*devices_, fd->get(), kIdentifyDescriptors, question.nsid);
  if (list.status != 0) return NoAnswer("descriptor list", list.status);
  LabelAnswer answer = ReadLabels(fd->get(), question);
  answer.uuid = ParseNamespaceDescriptors(*list.page);
  return answer;
}

}  // namespace ontapnvme::nvme
