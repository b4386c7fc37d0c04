// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <type_traits>

namespace ontapnvme {
namespace {

// Nothing turns a secret into text but Reveal.
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(SecretTest, RevealsWhatItWasGiven) {
  EXPECT_EQ(Secret("s3cret").Reveal(), "s3cret");
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretTest, CopiesAndMoves) {
  Secret first("one");
  Secret copy = first;
  EXPECT_EQ(copy.Reveal(), "one");
  Secret moved = std::move(first);
  EXPECT_EQ(moved.Reveal(), "one");
  EXPECT_TRUE(first.empty());  // NOLINT: the state after a move is part of the contract
  copy = Secret("two");
  EXPECT_EQ(copy.Reveal(), "two");
  moved = copy;
  EXPECT_EQ(moved.Reveal(), "two");
  const Secret& itself = moved;
  moved = itself;
  EXPECT_EQ(moved.Reveal(), "two");
}

// The flags of the mapping that holds `address`, as /proc/self/smaps tells them; empty for none.
std::string MappingFlags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool is_here = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      is_here = begin <= wanted && wanted < end;
    }
    if (is_here && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

TEST(SecretTest, StaysOutOfCoreFiles) {
  const std::string plain = "hunter2";
  const Secret secret(plain);
  const Secret copy = secret;
  const Secret moved = Secret(copy);
  for (const Secret* each : {&secret, &copy, &moved}) {
    const std::string flags = MappingFlags(each->Reveal().data());
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;  // "do not dump"
  }
  // Nothing of it stands in the object itself, which lies wherever its owner lies.
  const std::string_view object(reinterpret_cast<const char*>(&secret), sizeof(secret));
  EXPECT_EQ(object.find("hunter"), std::string_view::npos);
}

TEST(SecretTest, IsGoneWhereItStood) {
  const char* where = nullptr;
  {
    const Secret secret("hunter2");
    where = secret.Reveal().data();
  }
  unsigned char resident = 0;
  const auto page = reinterpret_cast<std::uintptr_t>(where) & ~std::uintptr_t{4095};
  const bool is_mapped = ::mincore(reinterpret_cast<void*>(page), 1, &resident) == 0;
  // Unmapped, or by now something else.
  EXPECT_TRUE(!is_mapped || std::string_view(where, 6) != "hunter");
}

TEST(WipeTextTest, EmptiesAndOverwrites) {
  std::string text(100, 'k');
  const char* where = text.data();
  WipeText(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(where[1], '\0');  // still the string's own buffer
}

}  // namespace
}  // namespace ontapnvme
