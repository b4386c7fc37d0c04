// SPDX-License-Identifier: AGPL-3.0-or-later
#include "glue.h"

#include <limits>

namespace ontapnvme::xs {
namespace {

constexpr char kClientClass[] = "PVE::Storage::OntapNvmeTcp::Native";
constexpr char kErrorClass[] = "PVE::Storage::OntapNvmeTcp::Error";

// Called by Perl when the last reference is gone.
int ForgetClient(pTHX_ SV*, MAGIC* magic) {
  PERL_UNUSED_CONTEXT;
  auto* client = reinterpret_cast<Client*>(magic->mg_ptr);
  magic->mg_ptr = nullptr;
  // A forked child only forgets it: closing here would end the parent's TLS session.
  if (client != nullptr && client->owner.IsThisProcess()) delete client;
  return 0;
}

// An object is ours if its magic has this address.
const MGVTBL kClientMagic = {
    nullptr, nullptr, nullptr, nullptr, ForgetClient, nullptr, nullptr, nullptr,
};

SV* MakeError(pTHX_ SV* code, SV* msg, HV* facts) noexcept {
  HV* hash = newHV();
  (void)hv_stores(hash, "code", code);
  (void)hv_stores(hash, "msg", msg);
  (void)hv_stores(hash, "facts", newRV_noinc(reinterpret_cast<SV*>(facts)));
  SV* reference = newRV_noinc(reinterpret_cast<SV*>(hash));
  return sv_2mortal(sv_bless(reference, gv_stashpvn(kErrorClass, sizeof(kErrorClass) - 1, GV_ADD)));
}

// Dies: the argument `name` is not what it should be. Only before the guard.
[[noreturn]] void Refuse(pTHX_ const char* name, const char* wanted) {
  SV* text = sv_2mortal(newSVpvf("argument '%s' is not %s [invalid-argument]", name, wanted));
  SV* msg = newSVsv(text);
  Throw(aTHX_ MakeError(aTHX_ newSVpvs("invalid-argument"), msg, newHV()));
}

bool IsWholeNumber(pTHX_ SV* sv, std::uint64_t* value) {
  // Perl's integers first: they are exact. A number that arrived as text counts if it is one.
  if (SvIOK(sv)) {
    if (!SvIsUV(sv) && SvIVX(sv) < 0) return false;
    *value = SvUV_nomg(sv);
    return true;
  }
  if (SvNOK(sv)) {
    constexpr NV kEnd = 18446744073709551616.0;  // 2^64
    const NV number = SvNVX(sv);
    if (!(number >= 0 && number < kEnd)) return false;  // also refuses not-a-number
    *value = static_cast<std::uint64_t>(number);
    return static_cast<NV>(*value) == number;
  }
  if (!SvPOK(sv)) return false;
  UV number = 0;
  STRLEN size = 0;
  const char* text = SvPV_nomg(sv, size);
  if (grok_number(text, size, &number) != IS_NUMBER_IN_UV) return false;
  *value = number;
  return true;
}

}  // namespace

bool PerlInterrupt::Pending() {
  if (perl_ == nullptr) return false;
  dTHXa(perl_);
  PERL_UNUSED_CONTEXT;
  return PL_psig_pend[SIGALRM] != 0 || PL_psig_pend[SIGINT] != 0 || PL_psig_pend[SIGTERM] != 0 ||
         PL_psig_pend[SIGQUIT] != 0;
}

std::string_view Pairs::Find(std::string_view key) const {
  for (const Pair& pair : *this) {
    if (pair.key.view() == key) return pair.value.view();
  }
  return {};
}

Client* ClientFrom(pTHX_ SV* sv) {
  SvGETMAGIC(sv);
  const MAGIC* magic = SvROK(sv) ? mg_findext(SvRV(sv), PERL_MAGIC_ext, &kClientMagic) : nullptr;
  if (magic == nullptr || magic->mg_ptr == nullptr) {
    Refuse(aTHX_ "self", "an object that PVE::Storage::OntapNvmeTcp::Native->new made");
  }
  return reinterpret_cast<Client*>(magic->mg_ptr);
}

Text TextFrom(pTHX_ SV* sv, const char* name) {
  SvGETMAGIC(sv);
  if (!SvOK(sv) || SvROK(sv)) Refuse(aTHX_ name, "a text");
  STRLEN size = 0;
  const char* data = SvPV_nomg_const(sv, size);
  if (!SvUTF8(sv) && !is_utf8_invariant_string(reinterpret_cast<const U8*>(data), size)) {
    // The caller's scalar keeps its form: a copy is turned into UTF-8.
    SV* copy = newSVpvn_flags(data, size, SVs_TEMP);
    data = SvPVutf8(copy, size);
  }
  return {data, size};
}

MaybeText MaybeTextFrom(pTHX_ SV* sv, const char* name) {
  SvGETMAGIC(sv);
  if (!SvOK(sv)) return {{"", 0}, false};
  return {TextFrom(aTHX_ sv, name), true};
}

Unsigned UnsignedFrom(pTHX_ SV* sv, const char* name) {
  SvGETMAGIC(sv);
  std::uint64_t value = 0;
  if (!IsWholeNumber(aTHX_ sv, &value)) Refuse(aTHX_ name, "a whole number that fits 64 bits");
  return value;
}

MaybeUnsigned MaybeUnsignedFrom(pTHX_ SV* sv, const char* name) {
  SvGETMAGIC(sv);
  if (!SvOK(sv)) return {0, false};
  return {UnsignedFrom(aTHX_ sv, name), true};
}

Descriptor DescriptorFrom(pTHX_ SV* sv, const char* name) {
  SvGETMAGIC(sv);
  std::uint64_t value = 0;
  constexpr std::uint64_t kMost = std::numeric_limits<Descriptor>::max();
  if (!IsWholeNumber(aTHX_ sv, &value) || value > kMost) {
    Refuse(aTHX_ name, "the number of a file descriptor");
  }
  return static_cast<Descriptor>(value);
}

Pairs PairsFrom(pTHX_ SV* sv, const char* name) {
  SvGETMAGIC(sv);
  if (!SvROK(sv) || SvTYPE(SvRV(sv)) != SVt_PVHV || SvRMAGICAL(SvRV(sv))) {
    Refuse(aTHX_ name, "a reference to a plain hash");
  }
  auto* hash = reinterpret_cast<HV*>(SvRV(sv));
  const auto entries = static_cast<std::size_t>(hv_iterinit(hash));
  // A temporary scalar is the buffer: it goes by itself, also when something below croaks.
  SV* buffer = sv_2mortal(newSV((entries + 1) * sizeof(Pair)));
  auto* pairs = reinterpret_cast<Pair*>(SvPVX(buffer));
  std::size_t count = 0;
  while (count < entries) {
    HE* entry = hv_iternext(hash);
    if (entry == nullptr) break;
    SV* value = HeVAL(entry);
    SvGETMAGIC(value);
    if (!SvOK(value)) continue;
    SV* key = hv_iterkeysv(entry);  // mortal
    pairs[count++] = {TextFrom(aTHX_ key, name), TextFrom(aTHX_ value, name)};
  }
  return {pairs, count};
}

Texts TextsFrom(pTHX_ SV* sv, const char* name) {
  SvGETMAGIC(sv);
  if (!SvROK(sv) || SvTYPE(SvRV(sv)) != SVt_PVAV || SvRMAGICAL(SvRV(sv))) {
    Refuse(aTHX_ name, "a reference to a plain list");
  }
  auto* list = reinterpret_cast<AV*>(SvRV(sv));
  const auto entries = static_cast<std::size_t>(av_len(list) + 1);
  SV* buffer = sv_2mortal(newSV((entries + 1) * sizeof(Text)));
  auto* texts = reinterpret_cast<Text*>(SvPVX(buffer));
  for (std::size_t i = 0; i < entries; ++i) {
    SV** item = av_fetch(list, static_cast<SSize_t>(i), 0);
    texts[i] = TextFrom(aTHX_ item == nullptr ? &PL_sv_undef : *item, name);
  }
  return {texts, entries};
}

SV* Adopt(pTHX_ std::unique_ptr<Client> client) {
  SV* object = newSV(0);
  sv_magicext(object, nullptr, PERL_MAGIC_ext, &kClientMagic,
              reinterpret_cast<const char*>(client.release()), 0);
  return sv_bless(newRV_noinc(object), gv_stashpvn(kClientClass, sizeof(kClientClass) - 1, GV_ADD));
}

SV* ErrorToPerl(pTHX_ const Error& error) noexcept {
  try {
    const std::string line = error.Line();
    HV* facts = newHV();
    for (const auto& [key, value] : error.facts()) {
      (void)hv_store(facts, key.data(), static_cast<I32>(key.size()), ToPerl(aTHX_ value), 0);
    }
    return MakeError(aTHX_ ToPerl(aTHX_ ToString(error.code())), ToPerl(aTHX_ line), facts);
  } catch (...) {
    return ErrorToPerl(aTHX_ "internal", "out of memory while an error was reported");
  }
}

SV* ErrorToPerl(pTHX_ const char* code, const char* text) noexcept {
  SV* msg = newSVpvf("%s [%s]", text, code);
  // One line, whatever an exception had to say.
  for (char* c = SvPVX(msg); *c != '\0'; ++c) {
    if (static_cast<unsigned char>(*c) < ' ') *c = ' ';
  }
  return MakeError(aTHX_ newSVpv(code, 0), msg, newHV());
}

void Throw(pTHX_ SV* error) {
  PERL_ASYNC_CHECK();
  croak_sv(error);
}

}  // namespace ontapnvme::xs
