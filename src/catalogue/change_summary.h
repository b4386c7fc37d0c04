// SPDX-License-Identifier: AGPL-3.0-or-later
// Counts what a change of a setting has reached and what it has not, and says so in one line.
#pragma once

#include <cstddef>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace ontapnvme::catalogue {

class ChangeSummary {
 public:
  void Add(const std::string& object, const Status& status);
  // A warning with the first few that were not changed, and why the first of them was not.
  void Write(Log& log, const std::string& what) const;

 private:
  std::size_t all_ = 0;
  std::size_t failed_ = 0;
  std::string names_;
  std::string reason_;
};

}  // namespace ontapnvme::catalogue
