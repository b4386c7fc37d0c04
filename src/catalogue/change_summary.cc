// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/change_summary.h"

#include "base/text.h"

namespace ontapnvme::catalogue {
namespace {

constexpr std::size_t kNamed = 5;

}  // namespace

void ChangeSummary::Add(const std::string& object, const Status& status) {
  ++all_;
  if (status.ok()) return;
  if (++failed_ <= kNamed) AppendTo(names_, ", ", object);
  if (reason_.empty()) reason_ = status.error().Plain();
}

void ChangeSummary::Write(Log& log, const std::string& what) const {
  const std::string all = std::to_string(all_);
  if (failed_ == 0) {
    log.Info(what + ": changed on " + all + " objects");
    return;
  }
  log.Warning(what + ": not changed on " + std::to_string(failed_) + " of " + all + " objects (" +
              names_ + (failed_ > kNamed ? ", …" : "") + "): " + reason_ +
              "; set it once more when the cause is gone");
}

}  // namespace ontapnvme::catalogue
