// SPDX-License-Identifier: AGPL-3.0-or-later
// What the library and its helper program say to each other, and the line for the kernel: the input
// is read as a request, as a reply and as what /dev/nvme-fabrics says.
#include <vector>

#include "fuzz/target.h"
#include "nvme/helper/connect_line.h"
#include "nvme/helper/helper_protocol.h"
#include "nvme/kernel/kernel_names.h"

namespace ontapnvme::fuzz {
namespace {

using namespace ontapnvme::nvme;

void AsRequest(std::string_view text) {
  const auto fields = DecodeRequest(text);
  std::vector<RequestField> again;
  for (const auto& [key, value] : fields) again.push_back({key, value.Reveal()});
  const auto encoded = EncodeRequest(again);
  if (encoded.ok()) {
    const auto back = DecodeRequest(encoded->Reveal());
    Require(back.size() == fields.size(), "a request says all of it", text);
    for (const auto& [key, value] : fields) {
      const auto found = back.find(key);
      Require(found != back.end() && found->second.Reveal() == value.Reveal(),
              "a request says the same", text);
    }
  }
  const auto line = BuildConnectLine(fields, 4);
  if (!line.ok()) return RequireReadable(line.error().Line());
  // A value can become no option of its own: as many options as were asked for.
  const std::string_view options = line->Reveal();
  Require(options.size() <= 4096, "a line fits into a page");
  Require(options.find_first_of(std::string_view("\n\0", 2)) == std::string_view::npos,
          "a line is one line", options);
  std::size_t asked = 10;  // transport, five that are required, queues, three that are fixed
  for (const char* key : {"tls", "dhchap_secret", "dhchap_ctrl_secret"}) {
    asked += fields.contains(key) ? 1U : 0U;
  }
  const auto commas = static_cast<std::size_t>(std::count(options.begin(), options.end(), ','));
  Require(commas + 1 == asked, "an option for each field", options);
}

void AsReply(std::string_view text) {
  const auto reply = DecodeReply(text);
  if (!reply) return;
  Require(IsCompleteReply(text), "only a whole reply is read", text);
  Require(reply->error >= 0, "an errno is positive");
  RequireReadable(reply->text);
}

}  // namespace
}  // namespace ontapnvme::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  const std::string_view text = fuzz::Text(data, size);
  fuzz::AsRequest(text);
  fuzz::AsReply(text);
  const auto options = nvme::ParseOptionNames(text);
  (void)nvme::MissingOption(nvme::DecodeRequest(text), options);
  (void)nvme::ParseInstance(text);
  if (const auto head = nvme::ParseHeadName(text)) {
    fuzz::Require(!nvme::ParseControllerName(text), "a disk is no controller", text);
    (void)nvme::PathName(*head, 0);
  }
  (void)nvme::IsPartitionOf(text, "nvme0n1");
  return 0;
}
