// SPDX-License-Identifier: AGPL-3.0-or-later
// What a device says of itself: log page C2h, the descriptor list, Identify Controller.
#include "fuzz/target.h"
#include "nvme/ontap_labels.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  const std::span<const std::uint8_t> page(data, size);
  if (const auto labels = nvme::ParseOntapLabels(page)) {
    fuzz::Require(!labels->svm_name.empty() && !labels->volume_name.empty() &&
                      !labels->namespace_path.empty(),
                  "half a page is no evidence");
    fuzz::RequireReadable(labels->svm_name);
    fuzz::RequireReadable(labels->volume_name);
    fuzz::RequireReadable(labels->namespace_path);
  }
  if (const auto uuid = nvme::ParseNamespaceDescriptors(page)) {
    fuzz::Require(!uuid->IsNil(), "nothing is identified by zeros");
  }
  fuzz::RequireReadable(nvme::ParseModel(page));
  return 0;
}
