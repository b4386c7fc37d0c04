// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/missing_rights.h"

namespace ontapnvme::catalogue {
namespace {

constexpr std::chrono::hours kEvery{24};

std::string TurnOf(const std::string& matter) {
  return "right-" + matter;
}

std::string Line(const std::string& loss, const Error& denied) {
  return "the account lacks a right on the array, so that " + loss + ": " + denied.Line();
}

}  // namespace

void MissingRights::Tell(const std::string& matter, const std::string& loss, const Error& denied,
                         Clock& clock) const {
  if (turns_->Take(TurnOf(matter), kEvery, clock)) log_->Warning(Line(loss, denied));
}

void MissingRights::TellNow(const std::string& matter, const std::string& loss, const Error& denied,
                            Clock& clock) const {
  (void)turns_->Take(TurnOf(matter), std::chrono::seconds(0), clock);
  log_->Warning(Line(loss, denied));
}

}  // namespace ontapnvme::catalogue
