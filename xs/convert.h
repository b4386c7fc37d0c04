// SPDX-License-Identifier: AGPL-3.0-or-later
// Values of the library as Perl values. Nothing here croaks: it runs inside the guard. Text is
// UTF-8 and flagged as such, sizes are unsigned 64-bit numbers, an absent text is undef.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "glue.h"

namespace ontapnvme::xs {

SV* ToPerl(pTHX_ std::uint64_t number);
SV* ToPerl(pTHX_ const DiskInfo& disk);
SV* ToPerl(pTHX_ const CapacityInfo& capacity);
SV* ToPerl(pTHX_ const SnapshotInfo& snapshot);
SV* ToPerl(pTHX_ const CheckResult& result);
SV* ToPerl(pTHX_ const DiskFact& fact);
SV* ToPerl(pTHX_ const DeletedInfo& deleted);
SV* ToPerl(pTHX_ const ProbeInfo& probe);
SV* ToPerl(pTHX_ const ProbeFinding& finding);
SV* ToPerl(pTHX_ const CopyInfo& copy);
SV* ToPerl(pTHX_ const PlaceInfo& place);
SV* ToPerl(pTHX_ const DiskSnapshotInfo& snapshot);
SV* ToPerl(pTHX_ const VmSnapshotInfo& snapshot);
SV* ToPerl(pTHX_ const AdoptedInfo& adopted);
SV* ToPerl(pTHX_ const AdoptionInfo& adoption);
SV* ToPerl(pTHX_ const LogRecord& record);

template <typename T>
SV* ToPerl(pTHX_ const std::vector<T>& items) {
  AV* list = newAV();
  for (const T& item : items) av_push(list, ToPerl(aTHX_ item));
  return newRV_noinc(reinterpret_cast<SV*>(list));
}

inline SV* ToPerl(pTHX_ std::unique_ptr<Client> client) {
  return Adopt(aTHX_ std::move(client));
}

// The value, if there is one, to `out`; the error, or null, as return value.
inline SV* Deliver(pTHX_ const Status& status, SV** /*out*/) {
  return status.ok() ? nullptr : ErrorToPerl(aTHX_ status.error());
}
template <typename T>
SV* Deliver(pTHX_ Result<T> result, SV** out) {
  if (!result.ok()) return ErrorToPerl(aTHX_ result.error());
  *out = ToPerl(aTHX_ std::move(result).value());
  return nullptr;
}

// All of an XSUB behind its arguments: calls `body`, converts what it returns, and throws its error
// when nothing is left that has a destructor. Returns a new SV, or null for a Status.
template <typename Body>
SV* Call(pTHX_ Body body) {
  RequireNoDestructor<Body>();
  SV* value = nullptr;
  SV* error = Guard(aTHX_[&] { return Deliver(aTHX_ body(), &value); });
  if (error != nullptr) Throw(aTHX_ error);
  return value;
}

// The same for a call on an object.
template <typename Body>
SV* Call(pTHX_ Client* self, Body body) {
  RequireNoDestructor<Body>();
  return Call(aTHX_[&] {
    self->interrupt.Bind(aTHX);
    return body(*self->storage);
  });
}

std::vector<std::string> StringsFrom(const Texts& texts);
Settings SettingsFrom(const Pairs& pairs);
Secrets SecretsFrom(const Pairs& pairs);
Surroundings SurroundingsFrom(const Pairs& pairs);

Status CheckSettings(const Text& storage_id, const Pairs& settings);
Result<std::unique_ptr<Client>> MakeClient(pTHX_ const Text& storage_id, const Pairs& settings,
                                           const Pairs& secrets, const Pairs& surroundings);

}  // namespace ontapnvme::xs
