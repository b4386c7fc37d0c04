// SPDX-License-Identifier: AGPL-3.0-or-later
#include "perl_text.h"

namespace ontapnvme::xs {

SV* ToPerl(pTHX_ std::string_view text) {
  const auto* bytes = reinterpret_cast<const U8*>(text.data());
  // Text of the array that is not UTF-8 would make a broken scalar: its bytes stay bytes.
  const bool is_utf8 =
      !is_utf8_invariant_string(bytes, text.size()) && is_utf8_string(bytes, text.size());
  return newSVpvn_utf8(text.data(), text.size(), is_utf8 ? 1 : 0);
}

SV* ToPerl(pTHX_ const std::string& text) {
  return ToPerl(aTHX_ std::string_view(text));
}

}  // namespace ontapnvme::xs
