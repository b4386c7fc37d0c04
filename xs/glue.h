// SPDX-License-Identifier: AGPL-3.0-or-later
// What stands between an XSUB and the library: the object behind a Perl reference, arguments as
// plain values, errors as Perl objects, and the guard that no exception passes.
//
// Rules that hold it together. Perl's croak is a longjmp: it skips the destructors of every C++
// frame it crosses. So an XSUB's own frame holds only values without a destructor; arguments are
// read (…From, which may croak) before the guard; inside the guard nothing croaks; the error comes
// out as an SV, and throwing it is the last thing that Call does.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/deadline.h"
#include "base/process_owner.h"
#include "pve/storage.h"

// Perl's headers come last: their macros break the standard library's headers.
#include "perl_text.h"

namespace ontapnvme::xs {

// Are signals waiting for their Perl handler that end what the process is doing? Perl runs handlers
// only between its own operations, so a native wait has to ask. Other signals (SIGCHLD) are no
// reason to stop.
class PerlInterrupt : public Interrupt {
 public:
  void Bind(PerlInterpreter* perl) { perl_ = perl; }
  bool Pending() override;

 private:
  PerlInterpreter* perl_ = nullptr;
};

struct Client {
  ProcessOwner owner;
  PerlInterrupt interrupt;  // borrowed by `storage`, hence before it
  std::unique_ptr<pve::Storage> storage;
};

// ---- arguments: read before the guard; croak with an invalid-argument error

// UTF-8, borrowed from the caller's scalar or from a temporary of the current Perl statement.
struct Text {
  const char* data;
  std::size_t size;

  std::string_view view() const { return {data, size}; }
  std::string string() const { return std::string(data, size); }
};

struct MaybeText : Text {
  bool is_given;
};

using Unsigned = std::uint64_t;

struct MaybeUnsigned {
  std::uint64_t value;
  bool is_given;

  std::optional<std::uint64_t> optional() const {
    return is_given ? std::optional(value) : std::nullopt;
  }
};

using Descriptor = int;

struct Pair {
  Text key;
  Text value;
};

// The pairs of a plain hash; keys without a value are left out.
struct Pairs {
  const Pair* items;
  std::size_t count;

  const Pair* begin() const { return items; }
  const Pair* end() const { return items + count; }
  // The value of `key`, or an empty text.
  std::string_view Find(std::string_view key) const;
};

// The items of a plain list.
struct Texts {
  const Text* items;
  std::size_t count;

  const Text* begin() const { return items; }
  const Text* end() const { return items + count; }
};

// They live in the frame of an XSUB.
static_assert(std::is_trivially_destructible_v<Texts>);
static_assert(std::is_trivially_destructible_v<MaybeText>);
static_assert(std::is_trivially_destructible_v<MaybeUnsigned>);
static_assert(std::is_trivially_destructible_v<Pairs>);

// Only a reference that Adopt made: neither a copy by dclone nor a scalar blessed by hand.
Client* ClientFrom(pTHX_ SV* sv);
Text TextFrom(pTHX_ SV* sv, const char* name);
MaybeText MaybeTextFrom(pTHX_ SV* sv, const char* name);
// A whole number that fits 64 bits; negative numbers, fractions and other text are refused.
Unsigned UnsignedFrom(pTHX_ SV* sv, const char* name);
MaybeUnsigned MaybeUnsignedFrom(pTHX_ SV* sv, const char* name);
// The number of a file descriptor, which the library borrows; a Perl handle is refused.
Descriptor DescriptorFrom(pTHX_ SV* sv, const char* name);
Pairs PairsFrom(pTHX_ SV* sv, const char* name);
Texts TextsFrom(pTHX_ SV* sv, const char* name);

// ---- clients

// The Perl object that owns `client`. In a forked child its end leaves `client` alone.
SV* Adopt(pTHX_ std::unique_ptr<Client> client);

// ---- errors

// A mortal PVE::Storage::OntapNvmeTcp::Error. Does not throw.
SV* ErrorToPerl(pTHX_ const Error& error) noexcept;
// The same where no Error can be made. `code` and `text` are plain ASCII.
SV* ErrorToPerl(pTHX_ const char* code, const char* text) noexcept;

// Lets waiting signal handlers run, whose own die wins, and dies with `error`. The caller's frame
// must not hold anything that has a destructor.
[[noreturn]] void Throw(pTHX_ SV* error);

// ---- the guard

template <typename Body>
constexpr void RequireNoDestructor() {
  static_assert(std::is_trivially_destructible_v<Body>,
                "capture by reference only: the error is thrown over the caller's frame");
}

// Runs `body`, which returns null or a mortal error, and turns whatever it throws into an error.
template <typename Body>
SV* Guard(pTHX_ Body body) noexcept {
  RequireNoDestructor<Body>();
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return ErrorToPerl(aTHX_ "internal", "out of memory");
  } catch (const std::exception& exception) {
    return ErrorToPerl(aTHX_ "internal", exception.what());
  } catch (...) {
    return ErrorToPerl(aTHX_ "internal", "unknown exception");
  }
}

// The same for a call on an object.
template <typename Body>
SV* Guard(pTHX_ Client* self, Body body) noexcept {
  RequireNoDestructor<Body>();
  return Guard(aTHX_[&] {
    self->interrupt.Bind(aTHX);
    return body(*self->storage);
  });
}

}  // namespace ontapnvme::xs
