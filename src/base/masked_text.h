// SPDX-License-Identifier: AGPL-3.0-or-later
// Foreign text that may repeat a secret: a server can quote a password in its complaint.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"

namespace ontapnvme {

// `text` with "***" for each secret in it, in any case of its letters. Texts of less than four
// bytes are no secrets worth the name, and would leave nothing of a message.
std::string MaskedText(std::string text, const std::vector<Secret>& secrets);

// "Basic …" without the word: how a login travels, which a server may quote as well.
Secret BasicLogin(const std::string& username, const Secret& password);

}  // namespace ontapnvme
