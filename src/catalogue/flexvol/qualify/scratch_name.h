// SPDX-License-Identifier: AGPL-3.0-or-later
// What scratch objects of probes are called: <prefix>pve_probe_<run><number>, in hexadecimal digits.
// Outside the names of volumes. Only an object that has such a name *and* the mark of the same run is
// scratch; a group, which has no comment, is by its name and by what is in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/mark.h"

namespace ontapnvme::catalogue::flexvol {

struct ScratchName {
  std::string run;      // 8 digits, of the operation id in the mark
  unsigned number = 0;  // the first of a run, which is deleted last, has 0

  std::string Text(std::string_view prefix) const;
  static std::optional<ScratchName> Parse(std::string_view prefix, std::string_view name);
  // For an array's query: those of all runs, and those of one.
  static std::string Pattern(std::string_view prefix);
  std::string PatternOfRun(std::string_view prefix) const;

  // Of its subsystem and its groups. The second is longer than the 30 characters that every array is
  // believed to take.
  std::string SubsystemName(std::string_view prefix) const;
  std::string GroupName(std::string_view prefix) const;
  std::string LongGroupName() const;

  // Whether the comment is this storage's mark of this run.
  bool IsMarkedBy(const Marker& marker, std::string_view comment) const;
};

}  // namespace ontapnvme::catalogue::flexvol
