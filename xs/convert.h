// SPDX-License-Identifier: AGPL-3.0-or-later
// Values of the library as Perl values. Nothing here croaks: it runs inside the guard. Text is
// UTF-8 and flagged as such, sizes are unsigned 64-bit numbers, an absent text is undef.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "glue.h"

namespace ontapnvme::xs {

SV* ToPerl(pTHX_ std::string_view text);
SV* ToPerl(pTHX_ const std::string& text);
SV* ToPerl(pTHX_ std::uint64_t number);
SV* ToPerl(pTHX_ const pve::DiskInfo& disk);
SV* ToPerl(pTHX_ const pve::CapacityInfo& capacity);
SV* ToPerl(pTHX_ const pve::SnapshotInfo& snapshot);
SV* ToPerl(pTHX_ const LogRecord& record);

template <typename T>
SV* ToPerl(pTHX_ const std::vector<T>& items) {
  AV* list = newAV();
  for (const T& item : items) av_push(list, ToPerl(aTHX_ item));
  return newRV_noinc(reinterpret_cast<SV*>(list));
}

// Null, or the error of `status`.
inline SV* Deliver(pTHX_ const Status& status) {
  return status.ok() ? nullptr : ErrorToPerl(aTHX_ status.error());
}

// The value to `out`, or the error as return value.
template <typename T>
SV* Deliver(pTHX_ const Result<T>& result, SV** out) {
  if (!result.ok()) return ErrorToPerl(aTHX_ result.error());
  *out = ToPerl(aTHX_ result.value());
  return nullptr;
}

pve::Settings SettingsFrom(const Pairs& pairs);
pve::Secrets SecretsFrom(const Pairs& pairs);
pve::Surroundings SurroundingsFrom(const Pairs& pairs);

}  // namespace ontapnvme::xs
