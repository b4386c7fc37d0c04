// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything behind one disk: what the array has of it and this node shows of it, and what of that is
// odd. Changes nothing.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/array.h"
#include "model/disk_fact.h"
#include "model/storage_config.h"
#include "model/volume_name.h"
#include "nvme/host.h"

namespace ontapnvme::pve {

class DiskExplanation {
 public:
  // All are borrowed.
  DiskExplanation(const StorageConfig& config, catalogue::Array& array, nvme::Host& host)
      : config_(config), array_(array), host_(host) {}

  // kNotFound when the array has nothing under that name.
  Result<DiskFacts> Explain(const VolumeName& name, const Deadline& deadline);
  // Which of the storage's volumes an administrator means: by the UUID of its namespace or container,
  // or by the container's name. kNotFound.
  Result<VolumeName> WhichIs(const std::string& what, const Deadline& deadline);

 private:
  void TellSnapshots(DiskFacts& facts, const VolumeName& name, const Deadline& deadline);
  void TellShown(DiskFacts& facts, const VolumeName& name, const Deadline& deadline);
  void TellDevice(DiskFacts& facts, const catalogue::DiskNamespace& ns);

  const StorageConfig& config_;
  catalogue::Array& array_;
  nvme::Host& host_;
};

}  // namespace ontapnvme::pve
